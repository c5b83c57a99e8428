from __future__ import annotations

from pathlib import Path

import cyvcf2
import msprime
import numpy as np
import pytest
import tskit
from bed_reader import to_bed

from sewall.data.regions import Region
from sewall.data.variants import Variants, open_variants
from sewall.errors import SewallError


@pytest.fixture(scope="module")
def trees() -> tskit.TreeSequence:
    ancestry = msprime.sim_ancestry(
        6, population_size=1e4, sequence_length=20_000, recombination_rate=1e-8, random_seed=3
    )
    return msprime.sim_mutations(ancestry, rate=2e-8, random_seed=4, model=msprime.BinaryMutationModel())


def truth(trees: tskit.TreeSequence) -> tuple[np.ndarray, np.ndarray]:
    matrix = trees.genotype_matrix()
    counts = matrix.sum(axis=1)
    varies = (counts > 0) & (counts < trees.num_samples)
    return trees.sites_position[varies].astype(int), matrix[varies]


def check(variants: Variants, trees: tskit.TreeSequence, contig: str, phased: bool) -> None:
    positions, matrix = truth(trees)
    assert len(positions) > 10
    alignment = variants.alignment(Region(contig, 0, 20_001), None, phased)
    np.testing.assert_array_equal(alignment.positions, positions)
    expected = matrix if phased else matrix.reshape(len(matrix), -1, 2).sum(axis=2)
    np.testing.assert_array_equal(alignment.calls, expected)


def test_tree_sequence(trees: tskit.TreeSequence, tmp_path: Path) -> None:
    trees.dump(tmp_path / "sim.trees")
    variants = open_variants(tmp_path / "sim.trees", tmp_path / "cache")
    assert variants.phase("1")
    assert variants.contigs[0].length == 20_000
    check(variants, trees, "1", True)
    check(variants, trees, "1", False)


def test_haploid_tree_sequence_and_a_site_at_zero(tmp_path: Path) -> None:
    ancestry = msprime.sim_ancestry(
        [msprime.SampleSet(5, ploidy=1)], population_size=1e4, sequence_length=100, random_seed=1
    )
    tables = ancestry.dump_tables()
    tables.sites.add_row(0, "A")
    tables.mutations.add_row(site=0, node=2, derived_state="T")
    tables.tree_sequence().dump(tmp_path / "haploid.trees")
    variants = open_variants(tmp_path / "haploid.trees", tmp_path / "cache")
    np.testing.assert_array_equal(variants.ploidy("1"), np.ones(5))
    alignment = variants.alignment(Region("1", 0, 100))
    np.testing.assert_array_equal(alignment.positions, [0])
    np.testing.assert_array_equal(alignment.calls, [[0, 0, 1, 0, 0]])


def test_damaged_and_bare_tree_sequences(trees: tskit.TreeSequence, tmp_path: Path) -> None:
    trees.dump(tmp_path / "cut.trees")
    content = (tmp_path / "cut.trees").read_bytes()
    (tmp_path / "cut.trees").write_bytes(content[: len(content) // 2])
    trees.delete_sites(range(trees.num_sites)).dump(tmp_path / "bare.trees")
    for name, reason in {"cut.trees": "not a whole tree sequence", "bare.trees": "has no sites"}.items():
        with pytest.raises(SewallError, match=rf"{name}: .*{reason}"):
            open_variants(tmp_path / name, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_bcf(trees: tskit.TreeSequence, tmp_path: Path) -> None:
    with (tmp_path / "sim.vcf").open("w") as out:
        trees.write_vcf(out, contig_id="chr1", position_transform=lambda x: np.array(x).astype(int) + 1)
    reader = cyvcf2.VCF(str(tmp_path / "sim.vcf"))
    writer = cyvcf2.Writer(str(tmp_path / "sim.bcf"), reader, mode="wb")
    for record in reader:
        writer.write_record(record)
    writer.close()
    for name in ("sim.vcf", "sim.bcf"):
        check(open_variants(tmp_path / name, tmp_path / "cache"), trees, "chr1", True)
    content = (tmp_path / "sim.bcf").read_bytes()
    (tmp_path / "cut.bcf").write_bytes(content[:-28])
    with pytest.raises(SewallError, match=r"cut\.bcf: the file is truncated"):
        open_variants(tmp_path / "cut.bcf", tmp_path / "cache")


def fileset(trees: tskit.TreeSequence, path: Path) -> None:
    positions, matrix = truth(trees)
    dosage = matrix.reshape(len(matrix), -1, 2).sum(axis=2).T
    properties = {
        "chromosome": ["7"] * len(positions),
        "bp_position": positions + 1,
        "allele_1": ["C"] * len(positions),
        "allele_2": ["A"] * len(positions),
    }
    to_bed(path, dosage, properties=properties, num_threads=1)


def test_plink_with_a_wide_fam_unplaced_and_unsorted_variants(trees: tskit.TreeSequence, tmp_path: Path) -> None:
    fileset(trees, tmp_path / "set.bed")
    fam = (tmp_path / "set.fam").read_text().splitlines()
    (tmp_path / "set.fam").write_text("".join(f"{line}\t0.25\tNA\n" for line in fam))
    variants = open_variants(tmp_path / "set.bed", tmp_path / "cache")
    assert variants.sample_ids == [line.split()[1] for line in fam]
    assert variants.notes == ()
    assert not variants.phase("7")
    check(variants, trees, "7", False)

    bim = (tmp_path / "set.bim").read_text().splitlines()
    moved = bim[0].split("\t")
    last = int(bim[-1].split("\t")[3])
    placed, unplaced = "\t".join([*moved[:3], str(last + 5), *moved[4:]]), bim[1].replace("7", "0", 1)
    (tmp_path / "set.bim").write_text("\n".join([placed, unplaced, *bim[2:]]) + "\n")
    again = open_variants(tmp_path / "set.bed", tmp_path / "cache")
    assert "1 variants without a contig" in again.notes[0]
    assert "sorted" in again.notes[0]
    before, after = (v.alignment(Region("7", 0, 30_000)) for v in (variants, again))
    np.testing.assert_array_equal(after.calls, np.concatenate([before.calls[2:], before.calls[:1]]))


def test_broken_filesets(trees: tskit.TreeSequence, tmp_path: Path) -> None:
    fileset(trees, tmp_path / "set.bed")
    content = (tmp_path / "set.bed").read_bytes()
    (tmp_path / "set.bed").write_bytes(content[:-1])
    with pytest.raises(SewallError, match=r"set\.bed: is truncated"):
        open_variants(tmp_path / "set.bed", tmp_path / "cache")
    (tmp_path / "set.bed").write_bytes(b"chr1\t0\t5\n")
    with pytest.raises(SewallError, match=r"set\.bed: is not PLINK 1"):
        open_variants(tmp_path / "set.bed", tmp_path / "cache")
    (tmp_path / "set.fam").unlink()
    with pytest.raises(SewallError, match=r"set\.fam: no such file"):
        open_variants(tmp_path / "set.bed", tmp_path / "cache")


def test_real_mice_in_plink_format(shared: Path, tmp_path: Path) -> None:
    variants = open_variants(shared / "mouse_hs1940" / "mouse_hs1940.bed", tmp_path / "cache")
    assert len(variants.sample_ids) == 1940
    assert sum(contig.variants for contig in variants.contigs) + 1926 == 12_226
