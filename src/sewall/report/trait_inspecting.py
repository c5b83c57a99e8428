"""The page of an inspection: what is in the files, and what deserves attention."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sewall.report import trait_linkage, words
from sewall.report.blocks import Answer, Block, Facts, Figure, Figures, Notice, Points, Section, Table, Text, Tile
from sewall.report.drawing import WIDE, drawing
from sewall.report.files import RunFiles, part, parts
from sewall.report.inspection_figures import draw_frequencies, draw_sexes, draw_shares
from sewall.tables import read_table

MOST_ROWS, FEW_ROWS = 100, 10
MOST_FINDINGS = 30


def answer(files: RunFiles) -> Answer:
    """Return what the page says of an inspection."""
    seen = part(files.evaluation, "inspected")
    people, sites = int(seen.get("individuals") or 0), int(seen.get("sites") or 0)
    chromosomes = words.counted(len(parts(seen, "chromosomes")), "chromosome")
    tables = {name: _table(files, name) for name in ("individuals", "sites", "relatives")}
    more = [
        _calls(seen, tables), _sexes(seen, tables["individuals"]), _relatives(seen, tables["relatives"]),
        _linkage(files), _traits(seen, files.traits),
    ]  # fmt: skip
    return Answer(
        title=f"What is in {seen.get('file', 'the files')}",
        subtitle=f"{words.counted(people, 'individual')} · {words.counted(sites, 'site')} · {chromosomes}",
        sentence=_sentence(seen),
        tile=_tiles(seen)[0],
        asked=[],
        section=_first(seen),
        doubts=[],
        more=[section for section in more if section is not None],
        tiles=_tiles(seen),
        predicts=False,
    )


def _table(files: RunFiles, name: str) -> pd.DataFrame:
    path = files.directory / f"{name}.tsv"
    return read_table(path) if path.is_file() else pd.DataFrame()


def _sentence(seen: dict[str, Any]) -> str:
    grave = [entry for entry in parts(seen, "findings") if entry.get("status") == "outside"]
    doubtful = [entry for entry in parts(seen, "findings") if entry.get("status") == "warn"]
    if grave:
        return str(grave[0].get("text"))
    if doubtful:
        return f"{words.counted(len(doubtful), 'thing')} to look at before anything is learnt from these files."
    return "Nothing unusual was found."


def _tiles(seen: dict[str, Any]) -> list[Tile]:
    sites, sex, related = int(seen.get("sites") or 0), part(seen, "sex"), part(seen, "relatives")
    varying = sites - int(seen.get("constant") or 0)
    checked = f"{words.count(sex.get('disagree'))} not as X tells" if sex.get("checked") else "nothing to check it by"
    mixed = f"{words.percent(seen.get('heterozygous'))} heterozygous"
    families = int(related.get("families") or 0)
    kin = f"{families:,} {'family' if families == 1 else 'families'}" if related else "too few independent sites"
    return [
        Tile("Sites that vary", words.count(varying), f"of {words.count(sites)}"),
        Tile("Missing calls", words.percent(seen.get("missing")), mixed),
        Tile("Males, females", f"{words.count(sex.get('males'))}, {words.count(sex.get('females'))}", checked),
        Tile("Pairs of relatives", words.count(related.get("total")) if related else words.MISSING, kin),
    ]


def _first(seen: dict[str, Any]) -> Section:
    found = [(str(entry.get("status")), str(entry.get("text"))) for entry in parts(seen, "findings")]
    blocks: list[Block] = [Notice(status, text) for status, text in found if status == "outside"]
    rest = [entry for entry in found if entry[0] != "outside"]
    items = rest[:MOST_FINDINGS] or [("ok", "Nothing unusual was found.")]
    return Section(
        "asked", "What is in the files?", [*blocks, Facts(_facts(seen)), Points("What deserves attention", items)]
    )


def _facts(seen: dict[str, Any]) -> list[tuple[str, str]]:
    build = part(seen, "build")
    fitting = " or ".join(build.get("fitting") or [])
    where = ", ".join(f"{words.count(number)} {kind}" for kind, number in part(seen, "inheritance").items())
    names = [f"{entry.get('name')} ({words.count(entry.get('sites'))})" for entry in parts(seen, "chromosomes")]
    guess = f"not told; positions fit {fitting}" if fitting else "not told"
    return [
        ("File", f"{seen.get('file')}, {seen.get('format')}"),
        ("Build", str(build.get("told") or guess)),
        ("Sites", f"{words.count(seen.get('sites'))}: {where}; {words.count(seen.get('constant'))} do not vary"),
        ("By chromosome", ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")),
    ]


def _calls(seen: dict[str, Any], tables: dict[str, pd.DataFrame]) -> Section | None:
    people, sites = tables["individuals"], tables["sites"]
    if people.empty or sites.empty:
        return None
    name = "heterozygous" if seen.get("inbred") else "inbreeding"
    title = "Heterozygous calls" if seen.get("inbred") else "Inbreeding, by heterozygous calls"
    shares = drawing(
        "missing", "Missing calls by individual", lambda w: draw_shares(people["missing"], w, "Missing calls")
    )
    mixed = drawing("mixed", f"{title} by individual", lambda w: draw_shares(people[name], w, title))
    common = drawing("frequency", "Sites by the frequency of their rarer allele", lambda w: draw_frequencies(sites, w))
    shown = {
        "missing": ("Missing calls, by individual", shares, "Share of the calls that an individual lacks."),
        "mixed": (f"{title}, by individual", mixed,
                  "Inbreeding: one less observed over expected heterozygous calls; about 0 under random mating."),
        "frequency": ("How common the rarer alleles are", common, "Sites that do not vary are left out."),
    }  # fmt: skip
    if not people["missing"].any():
        del shown["missing"]
    figures = [Figure(key, *rest) for key, rest in shown.items()]
    return Section("calls", "How good are the calls?", [Figures(figures), _worst(people, seen)])


def _worst(table: pd.DataFrame, seen: dict[str, Any]) -> Table:
    worst = table.sort_values("missing", ascending=False, kind="stable").head(MOST_ROWS)
    rows = [
        [
            str(row["sample_id"]),
            words.percent(row["missing"]),
            words.percent(row["heterozygous"]),
            words.decimal(row["inbreeding"]),
        ]
        for row in worst.to_dict("records")
    ]
    people = words.count(seen.get("individuals"))
    note = f"The {len(rows)} with the most missing calls, of {people}; individuals.tsv holds all."
    return Table(
        ["individual", "missing", "heterozygous", "inbreeding"], rows, (0,), folded="Individuals as a table", note=note
    )


def _sexes(seen: dict[str, Any], people: pd.DataFrame) -> Section | None:
    sex = part(seen, "sex")
    if not sex.get("checked") or "x_inbreeding" not in people:
        return None
    large, small = seen.get("sex_system") or ["X", "Y"]
    alt = f"Heterozygosity on {large} by individual and sex"
    picture = drawing("sex", alt, lambda width: draw_sexes(people, width, str(large)), WIDE)
    caption = f"Inbreeding on {large}: about 0 with two copies, 1 with one. Diamonds: not as reported."
    blocks: list[Block] = [Figures([Figure("sex", f"Sex by {large}", picture, caption)], columns=1)]
    wrong = people[people["sex_disagrees"] == "yes"]
    if len(wrong):
        rows = [
            [str(row["sample_id"]), row["sex_reported"], row["sex_inferred"], words.decimal(row["x_inbreeding"], 2),
             words.percent(row["y_called"]), words.count(row["impossible_calls"])]
            for row in wrong.head(MOST_ROWS).to_dict("records")
        ]  # fmt: skip
        columns = ["individual", "reported", f"by {large} and {small}", f"inbreeding on {large}", f"{small} called",
                   "impossible calls"]  # fmt: skip
        folded = "Who they are" if len(rows) > FEW_ROWS else ""
        note = "What is reported is believed; mend it with --sex."
        blocks.append(Table(columns, rows, (0, 1, 2), folded=folded, note=note))
    return Section("sex", "Are the sexes as reported?", blocks)


def _relatives(seen: dict[str, Any], pairs: pd.DataFrame) -> Section | None:
    related = part(seen, "relatives")
    if not related:
        return None
    told = [
        (name[:1].upper() + name[1:], f"{words.count(count)} pairs") for name, count in part(related, "pairs").items()
    ]
    number, inside, largest = (words.count(related.get(key)) for key in ("families", "in_families", "largest"))
    families = f"{number}, of {inside} individuals; the largest of {largest}"
    blocks: list[Block] = [Facts([*told, ("Families", families)])]
    if len(pairs):
        rows = [
            [
                str(row["first"]),
                str(row["second"]),
                str(row["relation"]),
                words.decimal(row["kinship"]),
                words.percent(row["same"]),
            ]
            for row in pairs.head(MOST_ROWS).to_dict("records")
        ]
        total, kept = words.count(related.get("total")), words.count(related.get("kept"))
        note = f"The closest {len(rows)} of {total}; relatives.tsv holds {kept}."
        columns = ["individual", "individual", "relation", "kinship", "equal calls"]
        blocks.append(Table(columns, rows, (0, 1, 2), folded="Closest pairs as a table", note=note))
    how = "the coancestry of inbred lines" if related.get("inbred") else "KING's kinship"
    text = f"By {how} over {words.count(related.get('sites'))} common sites. Families are chains of close relatives."
    return Section("relatives", "Who is related?", [Text([text]), *blocks])


def _linkage(files: RunFiles) -> Section | None:
    size = words.counted(int(files.linkage.get("sites") or 0), "site")
    return trait_linkage.section(files.linkage, f"A network would read windows of {size}.")


def _traits(seen: dict[str, Any], traits: pd.DataFrame) -> Section | None:
    if traits.empty:
        return None
    counts, numbers = ("n", "missing", "genotyped"), ("mean", "sd", "lowest", "highest")
    rows = [
        [str(row["trait"]), str(row["kind"]), *(words.count(row[key]) for key in counts),
         *(words.number(row[key]) for key in numbers), words.count(row["outliers"]), _word(row["remark"])]
        for row in traits.to_dict("records")
    ]  # fmt: skip
    columns = [
        "column",
        "kind",
        "n",
        "missing",
        "with genotypes",
        "mean",
        "SD",
        "lowest",
        "highest",
        "outliers",
        "remark",
    ]
    note = "Outliers lie more than five robust standard deviations from the median."
    return Section("traits", f"What is in {seen.get('table')}?", [Table(columns, rows, (0, 1, 10), note=note)])


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
