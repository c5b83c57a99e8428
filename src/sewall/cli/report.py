"""``sewall report``: write the page of a run again."""

from __future__ import annotations

from pathlib import Path

import click

from sewall.cli.layout import CONTEXT


@click.command(context_settings=CONTEXT)
@click.argument("path", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def report(path: Path) -> None:
    """Write report.html of the run in DIR again, from the files of the run alone."""
    from sewall.report import write_report

    click.echo(write_report(path))
