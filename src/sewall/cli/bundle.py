"""``sewall bundle``: look into trained bundles."""

from __future__ import annotations

from pathlib import Path

import click

from sewall.cli.layout import CONTEXT, SectionedGroup


@click.group(cls=SectionedGroup, context_settings=CONTEXT)
def bundle() -> None:
    """Look into a trained bundle."""


@bundle.command(context_settings=CONTEXT)
@click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def show(path: Path) -> None:
    """Say what BUNDLE was trained on, what it predicts, and how well it did.

    Reading a bundle runs no code from it.
    """
    from sewall.bundle import describe

    click.echo(describe(path))
