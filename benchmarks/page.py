"""How long the page takes in a browser, next to an empty Streamlit page that is measured in the same run.

    python benchmarks/page.py [ROUNDS]
    python benchmarks/page.py runs [PITCHES]

Serves the page on this machine, reads the samples from their recordings and drives Chromium. Prints for each step the
median, the slowest of nine in ten and the slowest of all in milliseconds, how many times as long as the empty page
takes for the same (opening it, or a click that draws it anew), and the seconds that the page's server computed. A busy
machine shows in the first three and hardly in the last two. Five minutes at most on two quiet cores.

`runs` measures what watching costs: seconds for reading so many pitches by cue phrases, and for opening five times as
many results, without a page, on the page, and on the page where Streamlit collects all garbage after each look at the
run (its default, which `pitch app` turns off).
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from analyzer.files.pitches import uploaded_table
from analyzer.page.portfolio_export import export
from analyzer.page.portfolio_run import open_results, read_many
from analyzer.page.portfolio_work import RunChoices
from analyzer.resources import resource
from analyzer.runs.many import analyze_many
from analyzer.settings import KEYWORDS, RECORDED, Settings

ROOT = Path(__file__).parents[1]
MANY = 1_000
WAIT = 300_000
"""Milliseconds after which a step counts as stuck."""
DRAWN = """
([selector, wanted, limit]) => new Promise((resolve, reject) => {
  const begun = performance.now();
  const look = () => {
    const found = document.querySelector(selector);
    if (found && (wanted ? found.textContent.includes(wanted) : found.textContent.trim())) {
      requestAnimationFrame(() => resolve(performance.now() - begun));
    } else if (performance.now() - begun > limit) reject(new Error(`${selector} never said ${wanted}`));
    else requestAnimationFrame(look);
  };
  window.pressed.click();
  look();
})
"""
"""Clicks what was chosen and waits, frame by frame, until the page shows the text (or, without one, any)."""
EMPTY = """
import streamlit as st
st.session_state.clicks = st.session_state.get("clicks", 0)
if st.button("Again"):
    st.session_state.clicks += 1
st.html(f"<p class=pa>Drawn {st.session_state.clicks} times</p>")
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A page that is served, and the process that serves it."""

    address: str
    process: int

    def cpu(self) -> float | None:
        """Seconds that the process has computed; None where the system does not say."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Table:
    """What was measured, step by step, printed as it comes."""

    def __init__(self) -> None:
        self._base: dict[str, float] = {}

    def head(self) -> None:
        print("| step | median | 9 in 10 below | slowest | times an empty page | server computed |")
        print("| --- | --- | --- | --- | --- | --- |")

    def base(self, kind: str, times: list[float]) -> None:
        """What an empty page takes."""
        self._base[kind] = median(times)

    def row(self, name: str, kind: str, server: Server, steps: Callable[[], list[float]]) -> None:
        """Measures a step, or says why that was not possible; the others are measured all the same."""
        before = server.cpu()
        try:
            times = steps()
        except Exception as error:  # noqa: BLE001  # a browser's
            print(f"| {name} | not measured: {str(error).splitlines()[0]} | | | | |", flush=True)
            return
        after = server.cpu()
        computed = "" if before is None or after is None else f"{(after - before) / len(times):.2f} s"
        ordered = sorted(times)
        nine = ordered[ceil(0.9 * len(ordered)) - 1]
        ratio = f"{median(times) / self._base[kind]:.1f}" if kind in self._base else "1"
        figures = (f"{median(times):,.0f} ms", f"{nine:,.0f} ms", f"{ordered[-1]:,.0f} ms", ratio, computed)
        print(f"| {name} | {' | '.join(figures)} |", flush=True)
        self._base.setdefault(kind, median(times))


def main() -> None:
    if sys.argv[1:2] == ["runs"]:
        _runs(int(sys.argv[2]) if len(sys.argv) > 2 else 200)
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    tools, table = _harness(), Table()
    table.head()
    with tempfile.TemporaryDirectory() as folder, tools.chromium() as browser:
        _measure_empty(browser, tools, table, Path(folder), rounds)
        variables = {"PITCH_MODEL": RECORDED, "PITCH_STORE": f"sqlite:///{folder}/store.db"}
        with _served(tools, variables) as server:
            first = f"{server.address}/?sample=cabstand"
            table.row("first answer of a server", "visit", server, lambda: [_visit(browser, first, ".pa .provenance")])
            table.row(
                "a sample, opened", "visit", server, _times(rounds, lambda _: _visit(browser, first, ".pa .provenance"))
            )
            with _page(browser) as page:
                _measure_one(page, server, table, rounds)
            with _page(browser) as page:
                _measure_many(page, server, table, rounds)
            with _page(browser) as page:
                tools.upload(page, server.address, tools.many_pitches(MANY))
                page.get_by_role("button", name="Stop").wait_for()
                under_way = f"a sample, while {MANY:,} are read"
                table.row(
                    under_way, "visit", server, _times(rounds, lambda _: _visit(browser, first, ".pa .provenance"))
                )
                if page.get_by_role("button", name="Stop").count():
                    page.get_by_role("button", name="Stop").click()
                else:
                    print("(The run was over before the last visit; ask for fewer rounds.)")
    print(f"\n{rounds} rounds, load {' '.join(f'{each:.1f}' for each in os.getloadavg())} on {os.cpu_count()} cores")


def _measure_empty(browser: Any, tools: ModuleType, table: Table, folder: Path, rounds: int) -> None:
    """What Streamlit itself takes to open a page, and to draw it anew after a click."""
    script = folder / "empty.py"
    script.write_text(EMPTY, encoding="utf-8")
    arguments = ("-m", "streamlit", "run", str(script), "--server.port={port}", "--server.headless=true")
    with _served(tools, {}, arguments) as server:
        _visit(browser, server.address, ".pa")
        table.row(
            "an empty page, opened", "visit", server, _times(rounds, lambda _: _visit(browser, server.address, ".pa"))
        )
        with _page(browser) as page:
            page.goto(server.address)
            page.get_by_role("button", name="Again").wait_for()

            def again(number: int) -> float:
                return _press(page, page.get_by_role("button", name="Again"), ".pa", f"Drawn {number + 1} times")

            table.row("an empty page, a click", "click", server, _times(rounds, again))


def _measure_one(page: Any, server: Server, table: Table, rounds: int) -> None:
    """Analyze and What if."""
    pitches = [path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/pitches").glob("*.txt"))]
    page.goto(server.address)
    page.get_by_role("button", name="Analyze", exact=True).wait_for()
    table.row("Analyze", "click", server, _times(rounds, lambda number: _analyze(page, pitches[number % len(pitches)])))
    page.goto(f"{server.address}/?sample=cabstand&tab=What+if")
    page.get_by_role("combobox", name="Who signs").wait_for()
    table.row("What if, an edit", "click", server, _times(rounds, lambda number: _edit(page, number)))


def _measure_many(page: Any, server: Server, table: Table, rounds: int) -> None:
    """A portfolio of many results: opening it, its filters, its pages and one pitch of it."""
    results = _many_results()
    table.row(f"{MANY:,} results, opened", "click", server, lambda: [_open_results(page, server, results)])
    table.row(f"of {MANY:,}: a filter", "click", server, _times(rounds, lambda number: _filter(page, number)))
    _choose(page, "Verdict", "all")
    page.get_by_text("Shown: all").wait_for()
    table.row(f"of {MANY:,}: the next page", "click", server, _times(rounds, lambda number: _turn(page, number)))
    table.row(f"of {MANY:,}: one pitch", "click", server, _times(rounds, lambda number: _open(page, number)))


# ---------------------------------------------------------------- steps; each gives its milliseconds


def _times(rounds: int, step: Callable[[int], float]) -> Callable[[], list[float]]:
    return lambda: [step(number) for number in range(rounds)]


def _press(page: Any, target: Any, selector: str, wanted: str) -> float:
    """From a click on the target to the drawn text."""
    target.evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [selector, wanted, WAIT])
    _settled(page)
    return took


def _settled(page: Any) -> None:
    """Waits until the page's script has ended and nothing is drawn any more."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(150)


def _visit(browser: Any, address: str, selector: str) -> float:
    """From opening the page, as a new visitor, until it is drawn."""
    with _page(browser) as page:
        begun = time.monotonic()
        page.goto(address)
        page.locator(selector).first.wait_for(state="attached")
        return 1_000 * (time.monotonic() - begun)


def _analyze(page: Any, text: str) -> float:
    """From the click on Analyze to the drawn answer."""
    box = page.get_by_role("textbox", name="The pitch")
    if not box.is_visible():
        page.get_by_text("Edit this pitch or analyze another").click()
        box.wait_for()
    box.fill(text)
    box.blur()
    _settled(page)
    page.evaluate("document.querySelectorAll('.pa.head').forEach(old => { old.textContent = '' })")
    return _press(page, page.get_by_role("button", name="Analyze", exact=True), ".pa.head h1", "")


def _edit(page: Any, number: int) -> float:
    """From the choice of a value to the list of edits that names it."""
    wanted = ("engineering leadership", "business leadership", "data science leadership")[number % 3]
    return _press(page, _option(page, "Who signs", wanted), ".st-key-changed", wanted)


def _filter(page: Any, number: int) -> float:
    """From the choice of a verdict to the ranking of those that have it."""
    wanted = ("Favorable", "Balanced", "Open")[number % 3]
    option = _option(page, "Verdict", wanted)
    page.evaluate("document.querySelectorAll('.pa .ranking tbody').forEach(old => { old.textContent = '' })")
    return _press(page, option, ".pa .ranking tbody .verdict-cell", wanted)


def _turn(page: Any, number: int) -> float:
    """From the click on Next, or Previous, to the other page of the ranking."""
    label, wanted = (("Next", "51 to 100"), ("Previous", "1 to 50"))[number % 2]
    return _press(page, page.locator(".pa .pages button", has_text=label), ".pa .pages", wanted)


def _open(page: Any, number: int) -> float:
    """From the click on a title to the pitch's assessment; the way back is not counted."""
    row = page.locator(".pa .ranking tbody th button").nth(number)
    took = _press(page, row, ".pa.head h1", "")
    page.get_by_role("button", name=re.compile("^Back")).first.click()
    page.locator(".pa .ranking tbody").wait_for()
    _settled(page)
    return took


def _open_results(page: Any, server: Server, results: bytes) -> float:
    """From the click on Open file to the ranking."""
    page.goto(f"{server.address}/portfolio")
    page.get_by_text("Open results").click()
    page.get_by_text("A file of results").wait_for()
    file = {"name": "results.jsonl", "mimeType": "application/jsonl", "buffer": results}
    page.locator("input[type=file]").set_input_files(file)
    page.locator("button:not([disabled])", has_text="Open file").wait_for()  # the file has arrived
    _settled(page)
    return _press(page, page.get_by_role("button", name="Open file"), ".pa .ranking tbody", "")


def _option(page: Any, field: str, value: str) -> Any:
    """The option of an open list. A list closes when the page scrolls, so it is opened until it stays so."""
    box, option = page.get_by_role("combobox", name=field), page.get_by_role("option", name=value).first
    box.scroll_into_view_if_needed()
    while not option.is_visible():
        box.press("ArrowDown")
        page.evaluate("() => new Promise(requestAnimationFrame)")
    return option


def _choose(page: Any, field: str, value: str) -> None:
    _option(page, field, value).evaluate("found => found.click()")
    _settled(page)


def _many_results() -> bytes:
    """Results as `pitch bulk` writes them: the samples again and again, each under an id of its own."""
    pitches = [path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/pitches").glob("*.txt"))]
    read = [result.assessment for result in analyze_many(pitches, model=RECORDED, store=False)]
    documents = [json.loads(each.to_json(indent=None)) for each in read if each is not None]
    lines = []
    for number in range(MANY):
        document = documents[number % len(documents)]
        pitch = {**document["pitch"], "id": f"p{number}", "title": f"{document['pitch']['title']} ({number})"}
        lines.append(json.dumps({**document, "pitch": pitch}))
    return "\n".join(lines).encode()


# ---------------------------------------------------------------- servers and browsers


@contextmanager
def _served(tools: ModuleType, variables: dict[str, str], arguments: tuple[str, ...] | None = None) -> Iterator[Server]:
    given = {} if arguments is None else {"arguments": arguments}
    with tools.served(variables, **given) as (address, process):
        yield Server(address, process)


@contextmanager
def _page(browser: Any) -> Iterator[Any]:
    """A page of a visitor of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT)
    try:
        yield context.new_page()
    finally:
        context.close()


def _runs(count: int) -> None:
    """Prints seconds for reading pitches and for opening results: without a page, on it, and with its collector on."""
    tools = _harness()
    table = uploaded_table("pitches.csv", tools.many_pitches(count).encode())
    bare = time.monotonic()
    run = read_many(table, table.count(), table.name, settings=Settings(), options=RunChoices(KEYWORDS))
    run.work.done.wait()
    read = [time.monotonic() - bare]
    results = export(run.work, ".jsonl") * 5
    bare = time.monotonic()
    run = open_results("results.jsonl", results)
    run.work.done.wait()
    opened = [time.monotonic() - bare]
    for collects in ("false", "true"):
        server = ("-m", "streamlit", "run", str(resource("app.py")), "--server.port={port}", "--server.headless=true")
        option = f"--runner.postScriptGC={collects}"
        with tools.served_page({}, arguments=(*server, option)) as address, tools.chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            tools.upload(page, address, tools.many_pitches(count))
            read.append(_until_ranked(page))
            page.get_by_text("Analyze other pitches").click()
            page.get_by_text("Open results").click()
            page.get_by_text("A file of results").wait_for()
            file = {"name": "results.jsonl", "mimeType": "application/jsonl", "buffer": results}
            page.locator("input[type=file]").set_input_files(file)
            page.get_by_text("results.jsonl").first.wait_for()
            page.get_by_role("button", name="Open file").click()
            page.get_by_text("Opening results.jsonl").wait_for()
            opened.append(_until_ranked(page))
    for name, number, seconds in (("read", count, read), ("opened", 5 * count, opened)):
        without, page_, collected = seconds
        print(f"{number:,} {name}: {without:.1f} s without a page, {page_:.1f} s on it, {collected:.1f} s with GC on")


def _until_ranked(page: Any) -> float:
    begun = time.monotonic()
    page.get_by_role("heading", name="Ranking").wait_for(timeout=1_800_000)
    return time.monotonic() - begun


def _harness() -> ModuleType:
    """The harness of the browser tests, which serves the page and drives a browser."""
    sys.path.insert(0, str(ROOT))
    return import_module("tests.browser.harness")


if __name__ == "__main__":
    main()
