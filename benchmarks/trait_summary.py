"""Write ``docs/accuracy-traits.md`` from the files of results.

python benchmarks/trait_summary.py
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from summary import results, table

PAGE = Path(__file__).parents[1] / "docs" / "accuracy-traits.md"
Scores = dict[str, Any]
SINGLE = ("gblup", "dominance", "x_linked", "gaussian", "lasso", "cutoff", "clumping", "windows")
NAMES = {
    "gblup": "GBLUP", "dominance": "additive + dominance", "x_linked": "X-linked", "gaussian": "Gaussian kernel",
    "lasso": "LASSO", "cutoff": "p-value cutoff", "clumping": "clumping", "windows": "best per window",
    "components": "10 components", "covariates": "covariates", "network": "network",
}  # fmt: skip

HEAD = """# How well are traits predicted?

Every number here comes from a script in [`benchmarks/`](../benchmarks/README.md) and can be made again. This page is
written by `benchmarks/trait_summary.py` from the files of results. Correlations are between prediction and trait in
individuals that no model knew; *n* seeds are as many divisions into five folds.
"""
SIMPLE = """
## The classical models first

Correlation, averaged over folds, of what a model adds to the covariates with what the covariates leave
(`trait_simple.py`). Known: figures published or measured before with the same kind of folds.
"""
PANELS = """
## The stack, the network, and the best single model

Nested cross-validation as in `sewall trait train`, all traits of a panel given at once (`trait_panels.py`); correlation
over all individuals, covariates included, mean over seeds. Best single: the classical model that is best on average
over the seeds, chosen after the fact, which flatters it. Mice1814 are part of mouse_hs1940: not two confirmations. The
three numbers of the stack's prior were chosen on other divisions (seeds 101 to 103) of the individuals of wheat599,
maize281, rice44k and mouse_hs1940.
"""
ARTICLE = """
The article's pure form of the network (`--model article`), random folds:
"""
SIMULATED = """
## Where the truth is known

Traits simulated on real genotypes, heritability .5 (`trait_simulated.py`; at most a correlation of .71 with the trait).
The last column is the stack of all models less that of additive ones.
"""
CONTROL = """
What is called non-additive in such traits with families together (`trait_control.py`): the gain of the better of
additive + dominance and the Gaussian kernel over GBLUP, and the 95 % point of that gain in additive traits whose causes
are not typed.
"""
MOSAICS = """
## From how many individuals does a network pay?

Mosaics of the genotypes of 1,940 mice, traits with 80 % of the genetic variance not additive, heritability .5
(`trait_mosaics.py`). Correlation with the true genetic value of 2,000 others.
"""
LOCALITY = """
## Does the order of the sites matter?

The same network with the sites shuffled within chromosomes, so that its windows hold strangers (`trait_locality.py`):
an answer to the claim that convolutions along the genome help because neighbours are linked.
"""
INVARIANCE = """
## Alleles written otherwise, sites of another array

Half of the variants of rice44k written on the other strand and the other way round (`trait_invariance.py`): largest
change of any prediction, in standard deviations of the trait.
"""
TRANSFER = """
Trained on the odd variants, applied to held-out individuals typed at 60 % of them (`trait_transfer.py`): correlation
beyond covariates, mean over seeds.
"""
COST = """
## Cost

One network on 5,000 individuals and 50,000 sites, one thread (`trait_cost.py`).
"""


def main() -> None:
    sections = [
        (SIMPLE, _simple), (PANELS, _panels), (ARTICLE, _article), (SIMULATED, _simulated), (CONTROL, _control),
        (MOSAICS, _mosaics),
        (LOCALITY, _locality), (INVARIANCE, _invariance), (TRANSFER, _transfer), (COST, _cost),
    ]  # fmt: skip
    parts = [HEAD]
    for title, section in sections:
        found = list(section())
        parts += [title, *found] if found else []  # what was not measured has no section
    PAGE.write_text("\n".join(part.strip("\n") + "\n" for part in parts), encoding="utf-8")
    print(f"written: {PAGE}")


def _simple() -> Iterator[str]:
    cells: dict[tuple[str, str, str], dict[str, Scores]] = defaultdict(dict)
    for found in results("trait_simple"):
        for row in found["rows"]:
            cells[row["data"], row["trait"], row["folds"]][row["model"]] = row
    models = ("components", "gblup", "dominance", "gaussian", "lasso", "cutoff", "clumping", "windows")
    rows = []
    for (data, trait, folds), own in cells.items():
        values = [_number(own[model]["r"]) if model in own else "–" for model in models]
        rows.append([data, trait, folds, str(own["gblup"]["seeds"]), *values, _known(own)])
    yield from _table(["panel", "trait", "folds", "seeds", *(NAMES[model] for model in models), "known"], rows)


def _known(found: dict[str, Scores]) -> str:
    """Return what was known of any model, and whether it is met."""
    said = []
    for model, row in found.items():
        if row["known"]:
            low, high = row["known"]
            both = _number(low) if low == high else f"{_number(low)}–{_number(high)}"
            said.append(f"{NAMES[model]} {both}{'' if row['within'] else ' (missed)'}")
    return "; ".join(said) or "–"


def _runs(model: str) -> dict[tuple[str, str, str], list[Scores]]:
    """Return the scores of every trait, by panel, folds and trait, over seeds."""
    found: dict[tuple[str, str, str], list[Scores]] = defaultdict(list)
    for run in results("trait_panels_*"):
        if run["model"] == model:
            for trait in run["traits"]:
                found[run["panel"], run["folds"], trait["trait"]].append(trait)
    return found


def _panels() -> Iterator[str]:
    rows, means = [], defaultdict(list)
    for (panel, folds, trait), runs in _runs("default").items():
        r = _means(runs)
        best = max((key for key in SINGLE if key in r), key=lambda key: r[key])
        adds = np.mean([run["adds"]["stack-without-network"]["value"] for run in runs])
        single = f"{_number(r[best])} {NAMES[best]}"
        cover = _number(float(np.mean([run["coverage"] for run in runs])))
        rows.append(
            [panel, trait, folds, str(runs[0]["n"]), str(len(runs)), _number(r["stack"]), single, _number(r["gblup"]),
             _number(r["network"]), f"{adds:+.3f}", cover, _worst(runs)]
        )  # fmt: skip
        means[panel, folds].append(r)
    head = [
        "panel",
        "trait",
        "folds",
        "n",
        "seeds",
        "stack",
        "best single",
        "GBLUP",
        "network",
        "network adds to the stack",
    ]
    yield from _table([*head, "90 % intervals hold", "in the worse sex"], rows)
    if rows:
        yield "\nMeans over the traits of a panel:\n"
    yield from _table(
        ["panel", "folds", "stack", "best single", "stack − best single", "network − GBLUP"], _mean_rows(means)
    )


def _mean_rows(means: dict[tuple[str, str], list[dict[str, float]]]) -> list[list[str]]:
    rows = []
    for (panel, folds), traits in means.items():
        r = {key: float(np.mean([trait[key] for trait in traits if key in trait])) for key in traits[0]}
        best = max((key for key in SINGLE if key in r), key=lambda key: r[key])
        gaps = [f"{r['stack'] - r[best]:+.4f}", f"{r['network'] - r['gblup']:+.3f}"]
        rows.append([panel, folds, _number(r["stack"]), f"{_number(r[best])} {NAMES[best]}", *gaps])
    return rows


def _means(runs: list[Scores]) -> dict[str, float]:
    return {key: float(np.mean([run["pearson"][key] for run in runs])) for key in runs[0]["pearson"]}


def _worst(runs: list[Scores]) -> str:
    """Return the coverage in the sex in which it is lower."""
    sexes = {name for run in runs for name in run["coverage_by_sex"]}
    if len(sexes) < 2:
        return "–"
    return _number(min(np.mean([run["coverage_by_sex"][name] for run in runs]) for name in sexes))


def _article() -> Iterator[str]:
    rows = []
    for (panel, folds, trait), runs in _runs("article").items():
        default = _runs("default").get((panel, folds, trait), [])
        other = _number(_means(default)["network"]) if default else "–"
        rows.append([panel, trait, str(len(runs)), _number(_means(runs)["network"]), other])
    if rows:
        yield table(["panel", "trait", "seeds", "article's form", "default network"], rows)


def _simulated() -> Iterator[str]:
    rows = []
    for found in results("trait_simulated_*"):
        for coding, told in found["codings"].items():
            r, adds = told["pearson"], told["adds"]["additive"]
            name = found["architecture"] + ("" if coding == "by copies" else f", {coding}")
            rows.append(
                [name, str(found["seed"]), _number(r["stack"]), _number(r["gblup"]), _number(r["dominance"]),
                 _number(r["gaussian"]), _number(r["network"]),
                 f"{adds['value']:+.3f} ({adds['lower']:+.3f} to {adds['upper']:+.3f})"]
            )  # fmt: skip
    head = ["trait", "seed", "stack", "GBLUP", "additive + dominance", "Gaussian kernel", "network", "over additive"]
    yield from _table(head, rows)


def _control() -> Iterator[str]:
    rows = [
        [row["architecture"], str(row["seed"]), f"{row['observed']:+.3f}", f"{row['upper']:+.3f}", row["verdict"]]
        for found in results("trait_control")
        for row in found["rows"]
    ]
    yield from _table(["trait", "seed", "gain", "from untyped causes", "called"], rows)


def _mosaics() -> Iterator[str]:
    cells: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for found in results("trait_mosaics*"):
        for row in found["rows"]:
            for model in ("gblup", "dominance", "gaussian", "network"):
                if model in row["models"]:
                    cells[row["kind"], row["n"]][model].append(row["models"][model]["r"])
    rows = [
        [kind, f"{n:,}", *(_spread(found.get(model, [])) for model in ("gblup", "dominance", "gaussian", "network"))]
        for (kind, n), found in sorted(cells.items())
    ]
    yield from _table(
        ["trait", "individuals", "GBLUP", "additive + dominance", "Gaussian kernel", "network (mean of 3)"], rows
    )


def _spread(values: list[float]) -> str:
    if not values:
        return "–"
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(np.mean(values))} ({_number(min(values))} to {_number(max(values))}, {len(values)} seeds)"


def _locality() -> Iterator[str]:
    rows = [
        [row["panel"], row["trait"], _number(row["real"]), _number(row["shuffled"]),
         f"{row['difference']['value']:+.3f} ({row['difference']['lower']:+.3f} to {row['difference']['upper']:+.3f})"]
        for found in results("trait_locality*")
        for row in found["rows"]
    ]  # fmt: skip
    yield from _table(["panel", "trait", "real order", "shuffled", "difference"], rows)


def _invariance() -> Iterator[str]:
    rows = []
    for found in results("trait_invariance-seed*"):
        largest = max(row["harmonised"] for row in found["rows"])
        same = "yes" if found["calls_identical"] else "no"
        windows = " and ".join(map(str, found["windows"]))
        rows.append([str(found["seed"]), str(found["n"]), f"{found['sites']:,}", same, f"{largest:.1g}", windows])
    head = ["seed", "n", "sites", "calls equal after matching", "largest change of a prediction", "linkage windows"]
    yield from _table(head, rows)


def _cost() -> Iterator[str]:
    for found in results("trait_cost"):
        size, speed = found["megabytes"], found["speed"]
        rates = speed["individuals_per_second"]
        rows = [
            ["individuals per second, packed", f"{rates['packed']:.0f}"],
            ["the same, letters spelled out (dense two-hot)", f"{rates['dense']:.0f}"],
            ["ratio, in one run", f"{speed['ratio']:.2f}"],
            ["packed genotypes, MB", f"{size['packed']:.0f}"],
            ["peak memory of training, MB", f"{size['peak']:.0f}"],
            ["of which libraries, MB", f"{size['libraries']:.0f}"],
        ]
        yield table(["", ""], rows)


def _transfer() -> Iterator[str]:
    rows = []
    for found in results("trait_transfer"):
        for panel in dict.fromkeys(row["panel"] for row in found["rows"]):
            own = [row for row in found["rows"] if row["panel"] == panel]
            for model, name in (
                ("stack", "stack"),
                ("network", "network"),
                ("gblup", "GBLUP"),
                ("gaussian", "Gaussian kernel"),
            ):
                means = [float(np.mean([row["r"][way][model] for row in own])) for way in ("all", "filled", "left out")]
                rows.append([panel, own[0]["trait"], str(len(own)), name, *map(_number, means)])
    head = ["panel", "trait", "seeds", "model", "all sites", "60 %, others filled in", "60 %, others left out"]
    yield from _table(head, rows)


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield table(head, rows)


def _number(value: float) -> str:
    return f"{value:.3f}"


if __name__ == "__main__":
    main()
