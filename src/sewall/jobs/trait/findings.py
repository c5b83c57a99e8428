"""What a geneticist would remark on in the files, and all of it in a dozen lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sewall.data.describing import UNUSABLE
from sewall.data.phenotypes import QUANTITY
from sewall.errors import some_names
from sewall.jobs.trait.people import MOST_MISSING

MANY_MISSING = 0.1
FAR = 5.0  # robust standard deviations: individuals whose heterozygosity is not that of the others

Found = dict[str, str]
_ORDER = ("outside", "warn", "note")


def findings(inspected: dict[str, Any], people: pd.DataFrame, traits: pd.DataFrame) -> list[Found]:
    """Return what deserves attention, each with ``status`` (``outside``: mend it; ``warn``; ``note``) and ``text``.

    Args:
        inspected: the numbers of the run.
        people: the table of individuals.
        traits: the table of traits; empty without one.
    """
    found = [
        *_ids(inspected), *_calls(inspected, people), *_sexes(inspected, people), *_relatives(inspected, people),
        *_build(inspected), *_columns(traits),
    ]  # fmt: skip
    return sorted(found, key=lambda entry: _ORDER.index(entry["status"]))


def _said(status: str, text: str) -> Found:
    return {"status": status, "text": text}


def _names(people: pd.DataFrame, which: Any) -> str:
    return some_names(people.loc[np.asarray(which, bool), "sample_id"].tolist())


def _ids(inspected: dict[str, Any]) -> list[Found]:
    if inspected["traits"] is None:
        return []
    found, table, file = [], inspected["table"], inspected["file"]
    if not inspected["matched"]:
        first = f"{inspected['not_genotyped']['first'][0]} here, {inspected['not_listed']['first'][0]} there"
        return [_said("outside", f"None of the {inspected['listed']} ids of {table} is in {file} ({first}).")]
    for key, said in (("not_genotyped", f"of {table} are not in {file}"), ("not_listed", f"of {file} not in {table}")):
        if inspected[key]["count"]:
            text = f"{inspected[key]['count']} individuals {said} (first: {inspected[key]['first'][0]})"
            found.append(_said("warn", f"{text}; --allow-missing leaves them out."))
    return found


def _calls(inspected: dict[str, Any], people: pd.DataFrame) -> list[Found]:
    found = []
    empty, many = people["missing"] > MOST_MISSING, people["missing"].between(MANY_MISSING, MOST_MISSING, "right")
    if empty.any():
        text = f"{empty.sum()} individuals lack more than half of their calls ({_names(people, empty)})"
        found.append(_said("outside", f"{text}: nothing will be said of them."))
    if many.any():
        text = f"{many.sum()} individuals lack more than a tenth of their calls ({_names(people, many)})."
        found.append(_said("warn", text))
    if inspected["sites_missing_a_tenth"]:
        found.append(
            _said("warn", f"{inspected['sites_missing_a_tenth']:,} sites lack more than a tenth of their calls.")
        )
    if inspected["constant"]:
        found.append(_said("note", f"{inspected['constant']:,} sites do not vary; a training leaves them out."))
    if inspected["inbred"]:
        text = "These are inbred lines: they have next to no heterozygous calls, so dominance cannot be seen."
        return [*found, _said("note", text)]
    centre = people["inbreeding"] - people["inbreeding"].median()
    spread = 1.4826 * centre.abs().median()
    for far, why in ((centre > FAR * spread, "few"), (centre < -FAR * spread, "many")):
        if spread > 0 and far.any():
            means = {"few": "inbred", "many": "mixed with another sample"}[why]
            text = f"{far.sum()} individuals have unusually {why} heterozygous calls ({_names(people, far)})"
            found.append(_said("warn", f"{text}: perhaps {means}."))
    return found


def _sexes(inspected: dict[str, Any], people: pd.DataFrame) -> list[Found]:
    sex, (large, small) = inspected["sex"], inspected["sex_system"]
    found = []
    if sex.get("disagree"):
        wrong = people["sex_disagrees"] == "yes"
        text = f"The reported sex of {sex['disagree']} individuals is not what {large} and {small} tell"
        found.append(_said("warn", f"{text} ({_names(people, wrong)})."))
    for why, (calls, carriers) in sex.get("impossible", {}).items():
        found.append(_said("warn", f"{calls} {why} ({carriers} individuals)."))
    if sex["unknown"] and (sex["males"] or sex["females"] or sex["checked"]):
        unknown = people["sex"] == "NA"
        found.append(_said("warn", f"The sex of {sex['unknown']} individuals is unknown ({_names(people, unknown)})."))
    return found


def _relatives(inspected: dict[str, Any], people: pd.DataFrame) -> list[Found]:
    related = inspected["relatives"]
    if related is None:
        return [_said("note", "There are too few independent sites to tell relatives from strangers.")]
    found = []
    nearest = next(iter(related["pairs"]))
    if related["pairs"][nearest]:
        twice = people["same_as"] != ""
        text = f"{related['pairs'][nearest]} pairs are {nearest} (among them {_names(people, twice)})"
        found.append(_said("warn", f"{text}: one of each is enough to train on, and both must stand in one fold."))
    if related["families"]:
        text = f"{related['in_families']:,} individuals belong to {related['families']} families of close relatives"
        found.append(_said("note", f"{text}: give them as --groups, or accuracy is measured among relatives."))
    return found


def _build(inspected: dict[str, Any]) -> list[Found]:
    build, sexed = inspected["build"], inspected["inheritance"].keys() & {"X", "Y"}
    if build["told"] is None and sexed and inspected["sex_system"][0] == "X":
        text = "The build is not told, so that no pseudo-autosomal region was set apart"
        guess = f" (positions fit {' or '.join(build['fitting'])}: --build)" if build["fitting"] else ""
        return [_said("note", f"{text}{guess}.")]
    return []


def _columns(traits: pd.DataFrame) -> list[Found]:
    found = []
    for row in traits.to_dict("records"):
        if row["kind"] == UNUSABLE:
            found.append(_said("note", f"{row['trait']} cannot be trained on: {row['remark']}."))
        elif row["kind"] == QUANTITY and row["outliers"] > 0:
            text = f"{row['trait']}: {row['outliers']:g} values lie far from the others ({row['first']})."
            found.append(_said("warn", text))
    return found


def in_lines(inspected: dict[str, Any]) -> list[str]:
    """Return the numbers in nine lines at most."""
    return [line for line in (
        _line_of_file(inspected), _line_of_build(inspected), _line_of_calls(inspected), _line_of_sex(inspected),
        _line_of_relatives(inspected), _line_of_linkage(inspected), _line_of_traits(inspected),
        _line_of_findings(inspected),
    ) if line]  # fmt: skip


def _line_of_file(inspected: dict[str, Any]) -> str:
    where = ", ".join(f"{count} {kind}" for kind, count in inspected["inheritance"].items())
    sites = f"{inspected['sites']} sites on {len(inspected['chromosomes'])} chromosomes ({where})"
    return (
        f"{inspected['file']} ({inspected['format']}): {inspected['individuals']} individuals, {sites}, "
        f"{inspected['constant']} that do not vary"
    )


def _line_of_build(inspected: dict[str, Any]) -> str:
    build = inspected["build"]
    guess = f"; positions fit {' or '.join(build['fitting'])}" if build["fitting"] else ""
    return f"build: {build['told'] or 'not told'}{'' if build['told'] else guess}"


def _line_of_calls(inspected: dict[str, Any]) -> str:
    lines = ", inbred lines" if inspected["inbred"] else ""
    return (
        f"calls: {inspected['missing']:.1%} missing, {inspected['heterozygous']:.1%} heterozygous (inbreeding "
        f"{inspected['inbreeding']:.2f}{lines})"
    )


def _line_of_sex(inspected: dict[str, Any]) -> str:
    sex = inspected["sex"]
    if not sex["checked"] and not sex["males"] and not sex["females"]:
        return "sex: not told"
    said = f"sex: {sex['males']} males, {sex['females']} females, {sex['unknown']} unknown"
    if not sex["checked"]:
        return f"{said} (no sex chromosome to check it by)"
    impossible = sum(calls for calls, _ in sex["impossible"].values())
    return f"{said}; {sex['disagree']} reported otherwise than genotypes tell; {impossible} impossible calls"


def _line_of_relatives(inspected: dict[str, Any]) -> str:
    related = inspected["relatives"]
    if related is None:
        return "relatives: not told by so few independent sites"
    pairs = ", ".join(f"{count} {name}" for name, count in related["pairs"].items())
    return f"relatives: {related['total']} pairs ({pairs}), {related['families']} families"


def _line_of_linkage(inspected: dict[str, Any]) -> str:
    linkage = inspected["linkage"]
    return f"linkage: windows of {linkage['sites']} sites" if linkage else "linkage: no two sites vary"


def _line_of_traits(inspected: dict[str, Any]) -> str:
    if inspected["traits"] is None:
        return ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in inspected["traits"].items())
    people = f"{inspected['listed']} individuals, {inspected['matched']} with genotypes"
    return f"{inspected['table']}: {people}; columns: {kinds}"


def _line_of_findings(inspected: dict[str, Any]) -> str:
    grave = [entry for entry in inspected["findings"] if entry["status"] != "note"]
    return f"{len(grave)} things to look at, see the page" if grave else "nothing unusual"
