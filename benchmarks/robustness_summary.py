"""Write ``docs/accuracy-robustness.md`` from the files of results.

python benchmarks/robustness_summary.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reporting import words
from summary import results, table

UNKNOWN = ("bottleneck", "ghost", "errors")
PAGE = Path(__file__).parents[1] / "docs" / "accuracy-robustness.md"
Scores = dict[str, Any]

HEAD = """# What if the data are not what was simulated?

Every number here comes from a script in [`benchmarks/`](../benchmarks/README.md) and can be made again; the page is
written by `benchmarks/robustness_summary.py`. In brackets: 95 % intervals. Test windows decided nothing.
"""
UNCERTAINTY = """
## Ways to say how sure a network is

`benchmarks/uncertainty.py`: recombination rates of windows of 200 kb, 20 haplotypes, constant size; 9,500 training
windows, 5,000 to calibrate, {n:,} to test, mean of {seeds} trainings. The same networks then answer windows under
histories that they never saw, with as many variants: an expansion and a bottleneck. 90 % intervals; widths and interval
scores (Gneiting and Raftery 2007; less is better) in 1e-8 crossovers per bp; CPU seconds of one thread. *Conformal*:
ends moved by fifth of the predictions, by what 5,000 other simulations ask for.
"""
BOOTSTRAP = """
The bootstrap also needs {simulations:,} simulations at known rates for every population.

Calibrated, all ways but the bootstrap are within a few per cent of each other at home, and none holds under the
bottleneck: there it is the flag that must speak, not the interval. **The default is five quantile heads, conformal.**
Its interval score at home is {worse:.0%} above that of the best way, and it keeps more of its promise under the
expansion ({kept:.3f} against {other:.3f}) than any other way that needs no simulations of its own but one quantile
head, which it equals. It takes no shape of the errors for granted.
"""
GENERAL = """
## A file of which nothing is known

`benchmarks/recombination_general.py`: {n} windows of 100 kb ({files} files) in each of ten settings. *General*: the
networks that come with Sewall, by themselves. {maps}*Own*: networks that were trained on 9,000 windows of the very
setting, and know its history and how its rates are spread. R² with the true rates (in brackets that of the best
straight line through the estimates, for which their level does not matter), and coverage of 90 % intervals.
"""
MAPS = "*Quick* and *full*: maps with `--quick` and without. "
MUTATION = """
One recombination rate, 1e-8, and mutation rates 25-fold apart: largest mean estimate over smallest {ratios}.
"""
LABORATORY = """
## Five populations that were not simulated

`benchmarks/misspecification.py` ({minutes:.0f} minutes on two cores): networks are trained at constant size and
asked about a population that never had one. *Naive*: that network; *oracle*: trained on labelled windows of the target;
between them the ways of `--adapt`. *Resimulate* is trained on what `sewall recombination simulate --quick` makes of a
file of 300 windows: histories, rates and defects are found there. The others look at histories alone, and know between
which ends the rates lie, as naive and oracle do. *General*: the networks that come with Sewall, by themselves. Error:
of the log10 of the rate, mean absolute. *Recovered*: the share of the gap between naive and oracle that is closed; no
gap where it is less than three standard errors. {n:,} windows, seeds {seeds}. The European history has half the windows
to train on, and at other rates neither *resimulate* nor *auto*, which would take longer than all else together. The
intervals do not contain what another amount of training would change.

![Error and coverage of every arm](misspecification.png)
"""
READING = """
Each way at its worst: the least that it recovers of the three populations that differ in history or calls as a user
would not know them (bottleneck, ghost, errors), its coverage in all cases, and how far its error is above that of the
naive network.
"""
GHOST = """
*Resimulate*, the default, looked for histories of a single population when this page was measured, and found one that
explains a structured sample as well. It recovers {default} of the ghost's gap (same and other rates), its intervals
cover {covers}, and where rates differ too, 50 windows do not show the ghost reliably (below), so that no flag may say
so. Since then it takes migrants from a population that was not sampled into account; its rows, and those of *auto*,
stand until they are measured again. *Randomise* recovers
{randomise}, covering {wide}. So many kinds of histories have a price where the history was known well: under background
selection its error is {price} that of the naive network (same and other rates), and `auto` takes it there, too.
"""
SEEN = """
How well the support check of the naive network tells the target from the source, by how many windows it sees (AUROC),
and batches of 50 that it calls outside:
"""


def main() -> None:
    sections = [HEAD, *_general(), *_laboratory(), *_uncertainty()]
    PAGE.write_text("\n".join(part.strip("\n") + "\n" for part in sections), encoding="utf-8")
    print(f"written: {PAGE}")


def _uncertainty() -> Iterator[str]:
    for found in results("uncertainty"):
        yield UNCERTAINTY.format(n=found["n"], seeds=len(found["settings"]["seeds"]))
        rows = [
            _way(way, calibrated, one) for way in found["ways"].values() for calibrated in ("raw", "conformal")
            for one in [way["places"]]
        ]  # fmt: skip
        head = ["way", "", "coverage", "worst fifth", "width", "interval score", "expansion covers"]
        yield table([*head, "bottleneck covers", "training", "1,000 windows"], rows)
        ways = {key: way["places"] for key, way in found["ways"].items()}
        scores = {key: places["home"]["conformal"]["score"] for key, places in ways.items()}
        kept = {key: places["expansion"]["conformal"]["coverage"] for key, places in ways.items()}
        others = [key for key in ways if key not in ("quantile ensemble", "quantile", "bootstrap")]
        yield BOOTSTRAP.format(
            simulations=found["bootstrap_simulations"], kept=kept["quantile ensemble"],
            worse=scores["quantile ensemble"] / min(scores.values()) - 1, other=max(kept[key] for key in others),
        )  # fmt: skip


def _way(way: Scores, calibrated: str, places: Scores) -> list[str]:
    home, raw = places["home"][calibrated], calibrated == "raw"
    away = [f"{places[name][calibrated]['coverage']:.3f}" for name in ("expansion", "bottleneck")]
    own = [f"{home[key]:.3f}" for key in ("coverage", "worst_fifth", "width", "score")]
    costs = [f"{way['training']:.0f} s", f"{way['seconds_per_1000']:.2f} s"] if raw else ["", ""]
    return [way["name"] if raw else "", "" if raw else "conformal", *own, *away, *costs]


def _general() -> Iterator[str]:
    for found in results("recombination_general_settings-seed*"):
        one, files = next(iter(found["settings"].values())), found["arguments"]["files"]
        ways, rows = list(one["coverage"]), []
        yield GENERAL.format(n=one["n"], files=files, maps=MAPS if {"quick", "full"} & set(ways) else "")
        for name, row in found["settings"].items():
            r2 = {model["key"]: model["metrics"]["r2"]["value"] for model in row["models"]}
            cells = [f"{r2[way]:.3f} ({row['correlation'][way] ** 2:.3f})" for way in ways]
            rows.append(
                [name, *cells, f"{r2['own, simple']:.3f}", *(f"{row['coverage'][way]['value']:.3f}" for way in ways)]
            )
        yield table(
            ["setting", *(f"{way}, R²" for way in ways), "own, simple", *(f"{way} covers" for way in ways)], rows
        )
        trained = [way for way in ways if way in ("quick", "full")]
        seconds = {way: [row["seconds"][way] for row in found["settings"].values()] for way in trained}
        if trained:
            told = ", ".join(f"{way} {min(own):.0f} to {max(own):.0f}" for way, own in seconds.items())
            yield f"\nSeconds of looking, simulating and training: {told}."
    for found in results("recombination_general_mutation-seed*"):
        yield MUTATION.format(ratios=", ".join(
            f"{row['largest_over_smallest']:.3f} ({way})" for way, row in found["ways"].items()
        ))  # fmt: skip


def _laboratory() -> Iterator[str]:
    for found in results("misspecification"):
        one = next(iter(found["targets"].values()))
        yield LABORATORY.format(
            minutes=found["minutes"] + found["minutes_before"], n=one["n"], seeds=", ".join(map(str, one["seeds"]))
        )
        rows = [
            [name if k == 0 else "", *_arm(arm, row)] for name, target in found["targets"].items()
            for k, (arm, row) in enumerate(target["arms"].items())
        ]  # fmt: skip
        yield table(["target", "arm", "error", "bias", "coverage", "width", "recovered", "boosting's error"], rows)
        yield from _reading(found["targets"])
        refused = [
            f"- {name}, {arm}: {why}" for name, target in found["targets"].items()
            for arm, why in target["refused"].items()
        ]  # fmt: skip
        if refused:
            yield "\nDeclined by the command itself:\n\n" + "\n".join(refused)
        yield SEEN
        head = ["target", *(f"{size} windows" for size in one["support"]["auroc"]), "home outside", "target outside"]
        yield table(head, [_seen(name, target["support"]) for name, target in found["targets"].items()])


def _reading(targets: Scores) -> Iterator[str]:
    """Return what to take from the table: each way at its worst, and what serves where the default does not."""
    yield READING
    rows = []
    for arm in ("resimulate", "randomise", "align", "auto", "general"):
        own = {name: target["arms"][arm] for name, target in targets.items() if arm in target["arms"]}
        asked = [row["recovered"]["value"] for name, row in own.items() if name.startswith(UNKNOWN)]
        covered = [row["coverage"] for row in own.values()]
        worse = max(row["worse_than_naive"] for row in own.values())
        declined = sum(arm in target["refused"] for target in targets.values())
        rows.append([
            arm + (f" (declined in {declined} of {len(targets)} cases)" if declined else ""), f"{min(asked):.2f}",
            f"{min(covered):.3f} to {max(covered):.3f}", f"{worse:+.0%}",
        ])  # fmt: skip
    yield table(["way", "recovered, at least", "coverage", "error above naive, at most"], rows)
    ghosts = [target["arms"] for name, target in targets.items() if name.startswith("ghost")]

    def both(arm: str, key: str) -> str:
        values = [arms[arm][key] for arms in ghosts]
        return " and ".join(f"{value['value'] if isinstance(value, dict) else value:.2f}" for value in values)

    yield GHOST.format(
        default=both("resimulate", "recovered"), covers=both("resimulate", "coverage"),
        randomise=both("randomise", "recovered"), wide=both("randomise", "coverage"),
        price=" and ".join(
            f"{1 + target['arms']['randomise']['worse_than_naive']:.2f} times" for name, target in targets.items()
            if name.startswith("background")
        ),
    )  # fmt: skip


def _arm(arm: str, row: Scores) -> list[str]:
    recovered = words(row["recovered"], 2) if "recovered" in row else ""
    numbers = [f"{row['error']:.3f}", f"{row['bias']:+.3f}", f"{row['coverage']:.3f}", f"{row['width']:.2f}"]
    return [arm, *numbers, recovered, f"{row['simple']['boosting']:.3f}"]


def _seen(name: str, support: Scores) -> list[str]:
    shares = [f"{support['outside'][place]:.3f}" for place in ("home", "away")]
    return [name, *(f"{value:.3f}" for value in support["auroc"].values()), *shares]


if __name__ == "__main__":
    main()
