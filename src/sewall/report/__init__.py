"""One offline HTML page per run, made from the files of its directory alone."""

from __future__ import annotations

from pathlib import Path


def write_report(run_dir: str | Path) -> Path:
    """Write ``report.html`` into a run directory and return its path.

    The page is made from ``run.json``, ``predictions.tsv``, ``evaluation.json``, ``match_report.tsv`` and
    ``bundle/bundle.json`` alone. It is one file that loads nothing from anywhere. Of these files only ``run.json`` must
    be there: what a run did not make is left out of the page or said to be absent.

    Args:
        run_dir: directory of a finished run.

    Raises:
        SewallError: no run directory, a damaged file in it, a job without a page, or no room on disk.
    """
    from sewall.report.page import render_page
    from sewall.rundir import write_text

    path = Path(run_dir) / "report.html"
    write_text(path, render_page(path.parent))
    return path
