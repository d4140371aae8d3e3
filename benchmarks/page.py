"""How long the page takes in a browser, next to an empty Streamlit page that is measured in the same run.

    python benchmarks/page.py [--rounds 10] [--many 1000] [--minutes 6]
    python benchmarks/page.py runs [--many 200]

Serves the page on this machine, reads the samples from their recordings and drives Chromium. Prints for each step the
median, the slowest of nine in ten and the slowest of all in milliseconds, how many times as long as the empty page
takes for the same (opening it, or a click that draws it anew), and the seconds of processor time that each took: of the
page's process, and of those that work for it. A busy machine shows in the first three and hardly in the last two. Three
minutes on two quiet cores. No step begins after `--minutes`, and none may take more than a sixth of them: a step that
fails or finds no time left says so, and the others go on. More minutes make it more patient with a busy machine.

`runs` measures what watching costs: seconds for reading so many pitches by cue phrases, and for opening five times as
many results, without a page, on the page, and on the page where Streamlit collects all garbage after each look at the
run (its default, which `pitch app` turns off).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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
from analyzer.version import __version__
from analyzer.views.assessment_content import SHOWN_VERDICTS
from analyzer.vocabulary.labels import value_word
from analyzer.vocabulary.signals import SIGNALS

ROOT = Path(__file__).parents[1]
SAMPLE = "cabstand"
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
NEW_LINE = b"\n"
EMPTY = """
import streamlit as st
st.session_state.clicks = st.session_state.get("clicks", 0)
if st.button("Again"):
    st.session_state.clicks += 1
st.html(f"<p class=pa>Drawn {st.session_state.clicks} times</p>")
"""


@dataclass(slots=True)
class Patience:
    """Seconds after which a wait counts as stuck, and a step with several rounds is content with those it has."""

    seconds: float


PATIENCE = Patience(60.0)


@dataclass(frozen=True, slots=True)
class Server:
    """A page that is served, and the process that serves it."""

    address: str
    process: int

    def cpu(self) -> tuple[float, float] | None:
        """Seconds that the process has computed, and those that work for it; None where the system does not say."""
        try:
            found = Path(f"/proc/{self.process}/task").glob("*/children")
            others = [int(child) for children in found for child in children.read_text(encoding="ascii").split()]
            return _computed(self.process), sum(map(_computed, others))
        except OSError:
            return None


def _computed(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Table:
    """What was measured, step by step, printed as it comes; nothing is begun after `minutes`."""

    def __init__(self, minutes: float) -> None:
        self._until = time.monotonic() + 60 * minutes
        self._base: dict[str, float] = {}

    def head(self) -> None:
        print("| step | median | 9 in 10 below | slowest | times an empty page | computed, each time |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)

    def row(self, name: str, kind: str, server: Server, rounds: int, step: Callable[[int], float]) -> None:
        """Measures a step, or says why that was not possible; the others are measured all the same."""
        before, times, fault = server.cpu(), list[float](), ""
        begun = time.monotonic()
        try:
            for number in range(rounds):
                if time.monotonic() > self._until:
                    raise TimeoutError("no time left")
                if number and time.monotonic() - begun > PATIENCE.seconds:
                    raise TimeoutError("the others would take too long")
                times.append(step(number))
        except Exception as error:  # noqa: BLE001  # a browser's
            fault = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        if not times:
            print(f"| {name} | not measured: {fault} | | | | |", flush=True)
            return
        after = server.cpu()
        computed = ""
        if before is not None and after is not None:
            own, others = ((now - then) / len(times) for then, now in zip(before, after, strict=True))
            computed = f"{own:.2f} s" + (f" + {others:.2f} s" if others > 0.005 else "")
        ordered = sorted(times)
        nine = ordered[ceil(0.9 * len(ordered)) - 1]
        base = self._base.setdefault(kind, median(times))
        figures = (f"{median(times):,.0f} ms", f"{nine:,.0f} ms", f"{ordered[-1]:,.0f} ms")
        short = f" ({len(times)} of {rounds} times: {fault})" if fault else ""
        print(f"| {name}{short} | {' | '.join(figures)} | {median(times) / base:.1f} | {computed} |", flush=True)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Some steps; if what they need cannot be made ready, a line says so."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # a browser's
            print(f"| {name} | not measured: {str(error).splitlines()[0][:100]} | | | | |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("visit", "runs"), default="visit")
    parser.add_argument(
        "--rounds", type=int, default=10, help="how often each step is measured; What if twice as often"
    )
    parser.add_argument("--many", type=int, help="pitches of the portfolio: 1,000, at least 60; of `runs` 200")
    parser.add_argument("--minutes", type=float, default=6.0, help="after which no step begins any more")
    chosen = parser.parse_args()
    if chosen.what == "runs":
        _runs(chosen.many or 200)
    else:
        _visits(chosen.rounds, max(60, chosen.many or 1_000), chosen.minutes)


def _visits(rounds: int, many: int, minutes: float) -> None:
    tools, begun = _harness(), time.monotonic()
    PATIENCE.seconds = 10 * minutes
    samples = Samples.read(many)
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    table = Table(minutes)
    table.head()
    with tempfile.TemporaryDirectory() as folder, tools.chromium() as browser:
        with table.part("an empty page"):
            _measure_empty(browser, tools, table, Path(folder), rounds)
        variables = {"PITCH_MODEL": RECORDED, "PITCH_STORE": f"sqlite:///{folder}/store.db"}
        with table.part("the page"), _served(tools, variables) as server:
            first = f"{server.address}/?sample={SAMPLE}"

            def visit(_: int) -> float:
                return _visit(browser, first, ".pa .provenance")

            table.row("the first answer of a server", "visit", server, 1, visit)
            table.row("a sample, opened", "visit", server, rounds, visit)
            with table.part("Analyze and What if"), _page(browser) as page:
                _measure_one(page, server, table, rounds, samples)
            with table.part(f"{many:,} results"), _page(browser) as page:
                _measure_many(page, server, table, rounds, samples)
            with table.part(f"while {many:,} are read"), _page(browser) as page:
                tools.upload(page, server.address, tools.many_pitches(many))
                stop = page.get_by_role("button", name="Stop")
                stop.wait_for()
                table.row(f"a sample, opened by another while {many:,} are read", "visit", server, rounds, visit)
                if stop.count():
                    stop.click()
                else:
                    print("(The run was over before the last visit; take fewer rounds.)")
    when = datetime.now(UTC)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    print(
        f"\nVersion {__version__}, {when:%B} {when.day}, {when.year}, {machine}; {rounds} rounds; load {load} before, "
        f"{' '.join(f'{each:.1f}' for each in os.getloadavg())} after; {time.monotonic() - begun:.0f} s in all."
    )


@dataclass(frozen=True, slots=True)
class Samples:
    """The sample pitches, what their recordings say, and as many results as asked for. `verdicts`: those that occur;
    `signers`: who may sign instead of who does in SAMPLE."""

    pitches: tuple[str, ...]
    results: bytes
    verdicts: tuple[str, ...]
    signers: tuple[str, ...]

    @classmethod
    def read(cls, many: int) -> Samples:
        """Results as `pitch bulk` writes them: the samples again and again, each under an id of its own."""
        paths = sorted(resource("fixtures/pitches").glob("*.txt"))
        pitches = tuple(path.read_text(encoding="utf-8") for path in paths)
        entries = [(path.stem, text) for path, text in zip(paths, pitches, strict=True)]
        found = {each.id: each.assessment for each in analyze_many(entries, model=RECORDED, store=False)}
        read = {name: each for name, each in found.items() if each is not None}
        documents = [json.loads(each.to_json(indent=None)) for each in read.values()]
        lines = []
        for number in range(many):
            document = documents[number % len(documents)]
            pitch = {**document["pitch"], "id": f"p{number}", "title": f"{document['pitch']['title']} ({number})"}
            lines.append(json.dumps({**document, "pitch": pitch}))
        words = dict.fromkeys(each.verdict.word for each in read.values() if each.verdict is not None)
        signs = read[SAMPLE].signals.buyer.value
        return cls(
            pitches,
            "\n".join(lines).encode(),
            tuple(SHOWN_VERDICTS[word] for word in words),
            tuple(value_word("buyer", value) for value in SIGNALS["buyer"].values if value != signs),
        )


def _measure_empty(browser: Any, tools: ModuleType, table: Table, folder: Path, rounds: int) -> None:
    """What Streamlit itself takes to open a page, and to draw it anew after a click."""
    script = folder / "empty.py"
    script.write_text(EMPTY, encoding="utf-8")
    arguments = ("-m", "streamlit", "run", str(script), "--server.port={port}", "--server.headless=true")
    with _served(tools, {}, arguments) as server:
        _visit(browser, server.address, ".pa")
        table.row("an empty page, opened", "visit", server, rounds, lambda _: _visit(browser, server.address, ".pa"))
        with _page(browser) as page:
            page.goto(server.address)
            button = page.get_by_role("button", name="Again")
            button.wait_for()
            _settled(page)
            table.row(
                "an empty page, a click",
                "click",
                server,
                rounds,
                lambda number: _press(page, button, ".pa", f"Drawn {number + 1} times"),
            )


def _measure_one(page: Any, server: Server, table: Table, rounds: int, samples: Samples) -> None:
    """Analyze and What if."""
    page.goto(server.address)
    page.get_by_role("button", name="Analyze", exact=True).wait_for()
    _settled(page)
    table.row(
        "Analyze",
        "click",
        server,
        rounds,
        lambda number: _analyze(page, samples.pitches[number % len(samples.pitches)]),
    )
    page.goto(f"{server.address}/?sample={SAMPLE}&tab=What+if")
    page.get_by_role("combobox", name="Who signs").wait_for()
    _settled(page)
    table.row(
        "What if, an edit",
        "click",
        server,
        2 * rounds,
        lambda number: _edit(page, samples.signers[number % len(samples.signers)]),
    )


def _measure_many(page: Any, server: Server, table: Table, rounds: int, samples: Samples) -> None:
    """A portfolio of many results: opening it, its filters, its pages and one pitch of it."""
    many = f"{samples.results.count(NEW_LINE) + 1:,}"
    button = _upload_results(page, server, samples.results)
    table.row(f"{many} results, opened", "click", server, 1, lambda _: _press(page, button, ".pa .ranking tbody", ""))
    words = samples.verdicts
    table.row(f"of {many}: a filter", "click", server, rounds, lambda number: _filter(page, words[number % len(words)]))
    with suppress(Exception):  # the next steps say what is wrong
        _press(page, _option(page, "Verdict", "all"), ".pa .overview", "Shown: all")
    table.row(f"of {many}: the next page", "click", server, rounds, lambda number: _turn(page, number))
    table.row(f"of {many}: one pitch", "click", server, rounds, lambda number: _open(page, number))


# ---------------------------------------------------------------- steps; each gives its milliseconds


def _press(page: Any, target: Any, selector: str, wanted: str) -> float:
    """From a click on the target to the drawn text."""
    target.evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [selector, wanted, 1_000 * PATIENCE.seconds])
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


def _edit(page: Any, wanted: str) -> float:
    """From the choice of a value to the list of edits that names it."""
    return _press(page, _option(page, "Who signs", wanted), ".st-key-changed", wanted)


def _filter(page: Any, wanted: str) -> float:
    """From the choice of a verdict to the ranking of those that have it."""
    option = _option(page, "Verdict", wanted)
    page.evaluate("document.querySelectorAll('.pa .ranking tbody').forEach(old => { old.textContent = '' })")
    return _press(page, option, ".pa .ranking tbody .verdict-cell", wanted)


def _turn(page: Any, number: int) -> float:
    """From the click on Next, or Previous, to the other page of the ranking."""
    label, wanted = (("Next", "51 to "), ("Previous", "1 to 50"))[number % 2]
    return _press(page, page.locator(".pa .pages button", has_text=label), ".pa .pages", wanted)


def _open(page: Any, number: int) -> float:
    """From the click on a title to the pitch's assessment; the way back is not counted."""
    row = page.locator(".pa .ranking tbody th button").nth(number)
    took = _press(page, row, ".pa.head h1", "")
    page.get_by_role("button", name=re.compile("^Back")).first.click()
    page.locator(".pa .ranking tbody").wait_for()
    _settled(page)
    return took


def _upload_results(page: Any, server: Server, results: bytes) -> Any:
    """Chooses the file; the button that opens it."""
    page.goto(f"{server.address}/portfolio")
    page.get_by_text("Open results").click()
    page.get_by_text("A file of results").wait_for()
    file = {"name": "results.jsonl", "mimeType": "application/jsonl", "buffer": results}
    page.locator("input[type=file]").set_input_files(file)
    page.locator("button:not([disabled])", has_text="Open file").wait_for()  # the file has arrived
    _settled(page)
    return page.get_by_role("button", name="Open file")


def _option(page: Any, field: str, value: str) -> Any:
    """The option of an open list. A list closes when the page scrolls, so it is opened until it stays so."""
    box, option = page.get_by_role("combobox", name=field), page.get_by_role("option", name=value, exact=True).first
    box.scroll_into_view_if_needed()
    until = time.monotonic() + PATIENCE.seconds
    while not option.is_visible():
        if time.monotonic() > until:
            raise TimeoutError(f"{field} does not offer {value}")
        box.press("ArrowDown")
        page.evaluate("() => new Promise(requestAnimationFrame)")
    return option


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
    context.set_default_timeout(1_000 * PATIENCE.seconds)
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
    run.watch(lambda: True)
    run.work.done.wait()
    read = [time.monotonic() - bare]
    results = export(run.work, ".jsonl") * 5
    bare = time.monotonic()
    run = open_results("results.jsonl", results)
    run.watch(lambda: True)
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
