"""Make a cohort to try the trait job on: 600 individuals, five chromosomes, a trait that is half dominance.

    python examples/traits.py

writes ``traits-demo/cohort.bed`` and ``cohort.tsv`` for training, ``others.bed`` and ``others.tsv`` (measured, so that
predictions can be judged), and prints the commands to go on with.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sewall.data.panel import FEMALE, MALE, Calls, Panel
from sewall.data.panels.writing import write_plink
from sewall.simulate.cohorts import coalescent
from sewall.simulate.traits import simulate

PEOPLE, TRAINING = 600, 450
SEED = 7
FOLDER = Path("traits-demo")


def part(panel: Panel, rows: np.ndarray) -> Panel:
    """Return some individuals of a panel."""
    codes = panel.calls.codes(slice(None))[:, rows]
    names = [panel.sample_ids[row] for row in rows]
    return replace(
        panel, sample_ids=names, calls=Calls.pack(codes), copies=panel.copies[:, rows], sex=panel.sex[rows]
    )  # fmt: skip


def main() -> None:
    """Write the cohort and say what to do with it."""
    rng = np.random.default_rng(SEED)
    panel = coalescent(PEOPLE, SEED)
    panel = replace(panel, sex=rng.permutation(np.arange(PEOPLE) % 2 + MALE).astype(np.int8))
    trait = simulate(panel, "dominance", heritability=0.6, seed=SEED)
    height = 170 + 8 * trait.value / trait.value.std() + 6 * (panel.sex == MALE)
    table = pd.DataFrame({"sample_id": panel.sample_ids, "height": height.round(2)})
    table["sex"] = np.where(panel.sex == FEMALE, "female", "male")
    FOLDER.mkdir(exist_ok=True)
    for name, rows in {"cohort": np.arange(TRAINING), "others": np.arange(TRAINING, PEOPLE)}.items():
        write_plink(part(panel, rows), FOLDER / f"{name}.bed")
        table.iloc[rows].to_csv(FOLDER / f"{name}.tsv", sep="\t", index=False)
    print(f"{PEOPLE} individuals, {len(panel.sites):,} sites; now:")
    print(f"sewall trait train {FOLDER}/cohort.bed --phenotypes {FOLDER}/cohort.tsv --trait height -o {FOLDER}/out")
    print(
        f"sewall trait evaluate {FOLDER}/out/bundle {FOLDER}/others.bed --phenotypes {FOLDER}/others.tsv "
        f"-o {FOLDER}/judged"
    )


if __name__ == "__main__":
    main()
