from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from sewall.errors import SewallError
from sewall.motifs.matching import match, read_meme
from sewall.motifs.motif import Motif
from sewall.motifs.writing import write_meme

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\n"
GOOD = "MOTIF m1 first\nletter-probability matrix: alength= 4 w= 2 nsites= 9 E= 0\n0.5 0.5 0 0\n0 0 0.2 0.8\n\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "motifs.meme"
    path.write_text(text)
    return path


def random_motif(name: str, width: int, seed: int) -> Motif:
    return Motif(name, np.random.default_rng(seed).dirichlet(np.full(4, 0.2), width), 30)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a MEME file"),
        (">seq\nACGT\n", "not a MEME file"),
        (HEAD, "without motifs"),
        (HEAD + GOOD + GOOD, "is there twice"),
        (HEAD + GOOD.replace("w= 2", "w= 3"), "should have 3 rows and has 2"),
        (HEAD + GOOD.replace("alength= 4", "alength= 20"), "20 letters; give motifs of DNA"),
        (HEAD + GOOD.replace("0 0 0.2 0.8", "0 0 0.2 0.1"), "line 8: not four frequencies"),
        (HEAD + GOOD.replace("0 0 0.2 0.8", "0 0.2 0.8"), "line 8: not four frequencies"),
        (HEAD + GOOD.replace("MOTIF m1 first\n", ""), "without a line MOTIF"),
        (HEAD + "MOTIF lonely\n" + GOOD, "the motif lonely before it has no matrix"),
        (HEAD + "MOTIF lonely\n", "has no matrix"),
        (HEAD + "MOTIF\n" + GOOD, "a motif without a name"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SewallError, match=says) as error:
        read_meme(written(tmp_path, text))
    assert "motifs.meme" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_or_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "image.meme"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(SewallError, match="not text"):
        read_meme(path)
    path.write_bytes(gzip.compress((HEAD + GOOD).encode())[:-20])
    with pytest.raises(SewallError, match="not a MEME file"):
        read_meme(path)
    with pytest.raises(SewallError, match="cannot be read"):
        read_meme(tmp_path / "nothere.meme")


def test_files_as_they_are(tmp_path: Path) -> None:
    (motif,) = read_meme(written(tmp_path, HEAD + GOOD.replace("0.2 0.8", "0.2 0.801").replace("w= 2 ", "")))
    assert (motif.name, motif.support, len(motif)) == ("m1 first", 9, 2)
    np.testing.assert_allclose(motif.frequencies.sum(axis=1), 1)
    packed = tmp_path / "packed.meme.gz"
    packed.write_bytes(gzip.compress((HEAD + GOOD).replace("\n", "\r\n").encode()))
    assert read_meme(packed)[0].name == "m1 first"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    motifs = [random_motif(f"motif_{k}", 8, k) for k in range(3)]
    write_meme(tmp_path / "found.meme", motifs)
    again = read_meme(tmp_path / "found.meme")
    assert [motif.name for motif in again] == [f"{motif.name} {motif.consensus}" for motif in motifs]
    assert [motif.support for motif in again] == [30] * 3
    np.testing.assert_allclose(again[2].frequencies, motifs[2].frequencies, atol=1e-5)


def test_a_known_motif_is_matched_and_noise_is_not() -> None:
    known = [random_motif(f"k{k}", 10, k) for k in range(60)]
    queries = [known[7].named("same"), known[9].reversed().named("turned"), Motif("noise", np.full((8, 4), 0.25))]
    found = match(queries, known).set_index("motif")
    assert found.loc["same", ["match", "strand", "matched"]].tolist() == ["k7", "+", True]
    assert found.loc["turned", ["match", "strand", "matched"]].tolist() == ["k9", "-", True]
    assert not found.loc["noise", "matched"]
    assert (found["q_value"] >= found["p_value"]).all()
    stranded = match(queries[1:2], known, both_strands=False)
    assert not stranded["matched"].any()


def test_no_motifs_match_nothing() -> None:
    assert match([], [random_motif("k", 8, 1)]).empty
