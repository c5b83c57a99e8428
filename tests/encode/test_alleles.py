from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sewall.data.panel import AUTOSOME, LETTERS, Calls, OddCalls, Panel, Sites, X, Y
from sewall.encode.alleles import (
    CODE1,
    CODE2,
    COMPLEMENT,
    MAY_BE,
    MISSING_LETTERS,
    NO_CALL,
    Individuals,
    channels,
    dense,
    expected_share,
    letter_code,
    numeric,
    two_hot,
)
from sewall.errors import SewallError

NUMERIC = {  # of the method's table: the two numeric codes of every letter
    "A": (0, 1), "C": (1, -2), "G": (2, 2), "T": (3, -1), "U": (3, -1), "R": (1, 1.5), "Y": (2, -1.5), "S": (1.5, 0),
    "W": (1.5, 0), "K": (2.5, 0.5), "M": (0.5, -0.5), "B": (2, -1 / 3), "D": (5 / 3, 2 / 3), "H": (4 / 3, -2 / 3),
    "V": (1, 1 / 3), "N": (1.5, 0),
}  # fmt: skip


def sites(alleles: list[tuple[str, str]], inheritance: list[int] | None = None) -> Sites:
    kinds = inheritance or [AUTOSOME] * len(alleles)
    chrom = np.array([{AUTOSOME: "1", X: "X", Y: "Y"}[kind] for kind in kinds])
    place = np.arange(len(alleles), dtype=np.int32)
    return Sites(chrom, place, np.full(len(alleles), ""), np.array(alleles), np.array(kinds, np.int8))


def random_panel(seed: int, number: int = 20, people: int = 7) -> Panel:
    """All kinds of inheritance, missing calls, both sexes, and odd calls at some cells."""
    rng = np.random.default_rng(seed)
    pairs = [tuple(rng.choice(list(LETTERS), 2, replace=False)) for _ in range(number)]
    kinds = np.sort(rng.choice([AUTOSOME, X, Y], number)).tolist()
    male = rng.random(people) < 0.5
    copies = np.array([np.full(people, 2), 2 - male, male, np.full(people, 1)], np.int8)
    codes = rng.choice(np.array([0, 1, 2, 3], np.uint8), (number, people))
    codes[(copies[kinds] == 1) & (codes == 1)] = 2
    panel = Panel.from_codes(codes, sites(pairs, kinds), [f"i{k}" for k in range(people)], copies)
    site, sample = np.nonzero((copies[kinds] == 2) & (codes == 1) & (rng.random(codes.shape) < 0.3))
    code = np.array([[0.5, 0.5, 0.5, 0.5, 0]] * len(site), np.float32).reshape(-1, 5)
    odd = OddCalls(site, sample, code)
    return Panel(panel.sample_ids, panel.sites, panel.calls, copies, odd, {})


def test_every_letter_has_the_two_numeric_codes_of_the_table() -> None:
    assert set(NUMERIC) == set(MAY_BE)
    for letter, pair in NUMERIC.items():
        assert [numeric(letter_code(letter), code) for code in (CODE1, CODE2)] == pytest.approx(pair, abs=1e-6)


@pytest.mark.parametrize("letter", sorted(MAY_BE))
def test_the_other_strand_mirrors_both_codes(letter: str) -> None:
    there, back = letter_code(letter), letter_code(letter.translate(COMPLEMENT))
    assert back.tolist() == there[::-1].tolist()
    assert numeric(back, CODE1) == pytest.approx(3 - numeric(there, CODE1), abs=1e-6)
    assert numeric(back, CODE2) == pytest.approx(-numeric(there, CODE2), abs=1e-6)


def test_the_codes_keep_transitions_near() -> None:
    distance = {a + b: abs(CODE2[i] - CODE2[j]) for i, a in enumerate(LETTERS) for j, b in enumerate(LETTERS)}
    assert distance["AG"] == distance["CT"] == 1
    assert min(distance[pair] for pair in ("AC", "AT", "GC", "GT")) >= 2


@given(st.text(alphabet=[*MAY_BE, *MISSING_LETTERS, "a", "r", "n"], max_size=8))
def test_the_numbers_sum_to_the_copies_called(genotype: str) -> None:
    code = two_hot(genotype)
    assert code.sum() == pytest.approx(sum(letter not in MISSING_LETTERS for letter in genotype), abs=1e-5)
    assert code.tolist() == pytest.approx(two_hot(genotype[::-1]).tolist(), abs=1e-5)  # phase is not kept


def test_sixteen_ordered_pairs_are_ten_genotypes() -> None:
    assert len({tuple(two_hot(a + b)) for a in LETTERS for b in LETTERS}) == 10


@pytest.mark.parametrize(
    ("genotype", "code"),
    [("GA", [1, 0, 1, 0]), ("C|C", [0, 2, 0, 0]), ("RC", [0.5, 1, 0.5, 0]), ("g/u", [0, 0, 1, 1]), ("T", [0, 0, 0, 1]),
     ("A-", [1, 0, 0, 0]), ("..", [0, 0, 0, 0]), ("AAAG", [3, 0, 1, 0]), ("NN", [0.5, 0.5, 0.5, 0.5])],
)  # fmt: skip
def test_genotypes_of_any_ploidy(genotype: str, code: list[float]) -> None:
    assert two_hot(genotype).tolist() == code


def test_i_is_a_purine_only_on_request() -> None:
    with pytest.raises(SewallError, match="purine_i=True"):
        two_hot("IC")
    assert two_hot("IC", purine_i=True).tolist() == [0.5, 1.0, 0.5, 0.0]


def test_doubt_is_spread_over_the_letters_of_the_site() -> None:
    assert letter_code("N", among="AG").tolist() == [0.5, 0, 0.5, 0]
    assert letter_code("R", among={"A": 0.9, "G": 0.1, "T": 5.0}).tolist() == pytest.approx([0.9, 0, 0.1, 0])
    assert letter_code("T", among="AG").tolist() == [0, 0, 0, 1]  # a third allele is no doubt
    with pytest.raises(SewallError, match="none of the letters CT"):
        letter_code("R", among="CT")


def test_long_alleles_take_a_fifth_channel_or_are_refused() -> None:
    assert two_hot(["ATT", "<DEL>", "n", "."], other=True).tolist() == [0.25, 0.25, 0.25, 0.25, 2]
    with pytest.raises(SewallError, match="other=True"):
        two_hot(["A", "ATT"])


def test_expected_share_is_a_posterior_mean() -> None:
    certain = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert expected_share(certain, np.array([0.2, 0.2, 0.2])).tolist() == [0, 0.5, 1]
    assert expected_share(np.array([0, 1.0, 1.0]), np.array(0.5)).item() == pytest.approx((0.5 * 2 + 1.0) / 3)
    assert expected_share(np.ones(5), np.array(0.3)).item() == pytest.approx(0.3)  # tetraploid, nothing known


def test_channels_of_alleles_that_are_not_letters() -> None:
    pairs = [("A", "G"), ("AT", "A"), ("A", "<DEL>"), ("AT", "ATT"), ("ATT", "AT"), ("", ""), ("C", "0"), ("A", "A")]
    found = channels(sites(pairs)).tolist()
    assert found == [[0, 2], [4, 0], [0, 4], [-1, 4], [4, -1], [-1, 4], [1, -1], [0, 0]]


@pytest.mark.parametrize("seed", range(5))
def test_dense_is_two_hot_of_the_letters(seed: int) -> None:
    panel = random_panel(seed)
    rows = np.array([5, 0, 3, 3])
    found = dense(panel, rows, slice(None))
    codes = panel.calls.codes(slice(None))
    odd = {(s, i): code for s, i, code in zip(panel.odd.site, panel.odd.sample, panel.odd.code, strict=True)}
    assert len(odd) > 0
    for k, person in enumerate(rows):
        for site in range(len(panel.sites)):
            copies = int(panel.copies[panel.sites.inheritance[site], person])
            ref, alt = panel.sites.alleles[site]
            carried = int(codes[site, person]) * copies // 2
            text = "" if codes[site, person] == 3 else ref * (copies - carried) + alt * carried
            expected = odd[site, person][:4] if (site, person) in odd else two_hot(text)
            assert found.code[k, site].tolist() == expected.tolist()
            assert found.called[k, site] == (text != "")
            assert found.present[k, site] == (copies > 0)


def test_a_missing_call_is_not_an_absent_chromosome() -> None:
    copies = np.array([[2, 2], [2, 1], [0, 1], [1, 1]], np.int8)
    panel = Panel.from_codes(np.array([[3, 2]], np.uint8), sites([("A", "C")], [Y]), ["female", "male"], copies)
    found = dense(panel, np.arange(2), slice(None))
    assert found.code[:, 0].tolist() == [[0, 0, 0, 0], [0, 1, 0, 0]]
    assert found.present[:, 0].tolist() == [False, True]
    x = Panel.from_codes(np.array([[3, 3]], np.uint8), sites([("A", "C")], [X]), ["female", "male"], copies)
    assert not dense(x, np.arange(2), slice(None)).called.any()
    assert dense(x, np.arange(2), slice(None)).present.all()


@pytest.mark.parametrize("seed", range(3))
def test_swapping_ref_and_alt_changes_nothing(seed: int) -> None:
    panel = random_panel(seed)
    flip = np.array([2, 1, 0, 3], np.uint8)
    turned = Sites(panel.sites.chrom, panel.sites.position, panel.sites.name, panel.sites.alleles[:, ::-1],
                   panel.sites.inheritance)  # fmt: skip
    calls = Calls.pack(flip[panel.calls.codes(slice(None))])
    swapped = Panel(panel.sample_ids, turned, calls, panel.copies, panel.odd, {})
    before, after = (dense(p, np.arange(len(p)), slice(None), other=True) for p in (panel, swapped))
    np.testing.assert_array_equal(before.code, after.code)
    np.testing.assert_array_equal(before.called, after.called)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=4, max_size=30),
    st.permutations(LETTERS),
    st.permutations(LETTERS),
)
def test_the_correlation_of_two_sites_does_not_depend_on_the_code(
    copies: list[tuple[int, int]], first: list[str], second: list[str]
) -> None:
    """Of tetraploids at sites with two alleles: |r| of letter codes is |r| of copies of ALT."""
    dosage = np.array(copies, float)
    if (dosage.std(0) == 0).any():
        return
    texts = [
        [(4 - d) * pair[0] + d * pair[1] for d in row]
        for row, pair in zip(dosage.T.astype(int), (first, second), strict=True)
    ]
    plain = abs(np.corrcoef(dosage.T)[0, 1])
    for code in (CODE1, CODE2, np.array([5.0, -3.0, 0.25, 11.0])):
        values = np.array([[numeric(two_hot(text), code) for text in row] for row in texts], float)
        assert abs(np.corrcoef(values)[0, 1]) == pytest.approx(plain, abs=1e-6)


def test_batches_unpack_only_their_rows_and_agree_with_the_panel() -> None:
    panel = random_panel(7, number=30, people=11)
    rows = np.array([10, 2, 2, 7, 0])
    batch = Individuals(panel).batch(rows)
    whole = panel.calls.codes(slice(None))[:, rows].T
    np.testing.assert_array_equal(batch["codes"], np.where(whole == 3, NO_CALL, whole))
    np.testing.assert_array_equal(batch["copies"], panel.copies[:, rows].T)
    expected = [(k, s) for k, row in enumerate(rows) for s in panel.odd.site[panel.odd.sample == row]]
    assert [*zip(batch["odd_row"].tolist(), batch["odd_site"].tolist(), strict=True)] == expected
    assert len(expected) > 3


def test_eight_bit_calls_are_read_as_they_are() -> None:
    codes = np.array([[0, 127, 254, 255], [1, 2, 3, 4]], np.uint8)
    panel = Panel.from_codes(np.zeros((2, 4), np.uint8), sites([("A", "C"), ("G", "T")]), list("abcd"))
    panel = Panel(panel.sample_ids, panel.sites, Calls.pack(codes, 8, 254), panel.copies, panel.odd, {})
    np.testing.assert_array_equal(Individuals(panel).codes(np.array([3, 1])), codes[:, [3, 1]].T)
    assert dense(panel, np.arange(4), slice(None)).code[:, 0].tolist() == [[2, 0, 0, 0], [1, 1, 0, 0], [0, 2, 0, 0],
                                                                           [0, 0, 0, 0]]  # fmt: skip
