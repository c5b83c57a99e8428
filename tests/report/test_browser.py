"""The page in headless Chromium: nothing in the console, every figure has a size, a phone need not scroll sideways."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sewall.report import write_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
    "--window-size=1280,900",
]
COLLECT = """<script>
window.problems = [];
addEventListener("error", (event) => problems.push(String(event.message || event.target.outerHTML)), true);
addEventListener("securitypolicyviolation", (event) => problems.push("blocked: " + event.blockedURI));
for (const level of ["error", "warn"]) console[level] = (...words) => problems.push(words.join(" "));
</script>"""
PROBE = """<script>
addEventListener("load", () => {
  const page = document.querySelector("iframe")?.contentDocument ?? document;
  const figures = [...page.querySelectorAll("figure")].map((figure) => {
    const shown = [...figure.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().width > 0);
    const box = shown[0]?.getBoundingClientRect();
    const texts = shown[0] ? [...shown[0].querySelectorAll("text")] : [];
    const outside = texts.filter((text) => {
      const own = text.getBoundingClientRect();
      const beside = own.left < box.left - 1 || own.right > box.right + 1;
      return beside || own.top < box.top - 1 || own.bottom > box.bottom + 1;
    });
    return {
      name: figure.dataset.name, shown: shown.length, width: box?.width ?? 0, height: box?.height ?? 0,
      marks: shown[0]?.querySelectorAll("path").length ?? 0, outside: outside.map((text) => text.textContent),
    };
  });
  const result = document.createElement("script");
  result.type = "application/json";
  result.id = "probe";
  result.textContent = JSON.stringify({
    figures, problems: page.defaultView.problems, buttons: page.querySelectorAll("figure button").length,
    width: page.documentElement.clientWidth, needed: page.documentElement.scrollWidth,
  });
  document.body.append(result);
});
</script>"""


def look(page: str, folder: Path) -> dict[str, Any]:
    """Open a page and return what the probe in it saw."""
    path = folder / "probed.html"
    path.write_text(page)
    command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r'<script type="application/json" id="probe">(.*?)</script>', done.stdout, re.DOTALL)
    assert found, "the probe did not run"
    return json.loads(found[1]) | {"console": re.findall(r"CONSOLE.*", done.stderr)}


def desk(page: str) -> str:
    return page.replace("<style>", COLLECT + "<style>", 1).replace("</body>", PROBE + "</body>")


def phone(page: str, width: int = 390) -> str:
    # A headless window has a least width of 500 px; a frame has none and is what the page's media queries see.
    inner = html.escape(page.replace("<style>", COLLECT + "<style>", 1))
    return (
        f'<!doctype html><body><iframe width="{width}" height="800" style="border:0" srcdoc="{inner}"></iframe>{PROBE}'
    )


@pytest.fixture(params=["one contig", "five contigs", "outside", "training", "prediction"])
def page(request, make_run) -> str:
    if request.param in ("training", "prediction"):
        return write_report(request.getfixturevalue(request.param)).read_text()
    fly = {"2L": (0, 40), "2R": (0, 45), "3L": (100_000, 40), "3R": (0, 50), "X": (50_000, 30)}
    options = {"one contig": {}, "five contigs": {"contigs": fly}, "outside": {"outside": 0.93}}
    return write_report(make_run(**options[request.param])).read_text()


def check_figures(seen: dict[str, Any], page: str) -> None:
    assert seen["problems"] == []
    assert seen["console"] == []
    assert len(seen["figures"]) == page.count("<figure ") >= 7
    for figure in seen["figures"]:
        assert figure["shown"] == 1, figure
        assert min(figure["width"], figure["height"]) > 80, figure
        assert figure["marks"] > 2, figure
        assert figure["outside"] == [], figure


def test_desk(page, tmp_path):
    seen = look(desk(page), tmp_path)
    check_figures(seen, page)
    assert seen["buttons"] == len(seen["figures"])
    assert seen["needed"] <= seen["width"]


@pytest.mark.parametrize("width", [390, 320])
def test_phone_needs_no_sideways_scrolling(page, tmp_path, width):
    seen = look(phone(page, width), tmp_path)
    check_figures(seen, page)
    assert seen["width"] == width
    assert seen["needed"] <= width


def test_the_probe_sees_errors_and_wide_pages(make_run, tmp_path):
    page = write_report(make_run()).read_text()
    broken = page.replace("</main>", '<div style="width:900px">wide</div><img src="https://example.org/x.png"></main>')
    seen = look(phone(broken), tmp_path)
    assert any("example.org" in problem for problem in seen["problems"])
    assert seen["console"]
    assert seen["needed"] > 390
