"""How long the page takes in a browser: from Analyze to the drawn answer, from a signal set by hand to the scores, and,
with a thousand pitches in the portfolio, from a click on a filter, a page and a pitch to what it shows.

    python benchmarks/page.py [ROUNDS]
    python benchmarks/page.py runs [PITCHES]

Serves the page on this machine, reads the samples from their recordings and drives Chromium. Prints milliseconds: the
median and the slowest, and first of all the very first answer of a server that has just been started.

`runs` measures what watching costs: seconds for reading so many pitches by cue phrases, and for opening five times as
many results, without a page, on the page, and on the page where Streamlit collects all garbage after each look at the
run (its default, which `pitch app` turns off).
"""

from __future__ import annotations

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from analyzer.files.pitches import uploaded_table
from analyzer.page.portfolio_export import export
from analyzer.page.portfolio_run import open_results, read_many
from analyzer.page.portfolio_work import ReadingOptions
from analyzer.resources import resource
from analyzer.settings import KEYWORDS, Settings

ROOT = Path(__file__).parents[1]
MANY = 1_000
DRAWN = """
([selector, wanted]) => new Promise((resolve, reject) => {
  const begun = performance.now();
  const look = () => {
    const found = document.querySelector(selector);
    if (found && found.textContent.includes(wanted)) requestAnimationFrame(() => resolve(performance.now() - begun));
    else if (performance.now() - begun > 20000) reject(new Error(`${selector} never said ${wanted}`));
    else requestAnimationFrame(look);
  };
  (window.pressed ?? document.querySelector("body")).click();
  look();
})
"""
"""Clicks what was chosen and waits, frame by frame, until the page shows the text."""


def main() -> None:
    if sys.argv[1:2] == ["runs"]:
        _runs(int(sys.argv[2]) if len(sys.argv) > 2 else 200)
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    tools = _harness()
    pitches = [path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/pitches").glob("*.txt"))]
    with tools.served_page({"PITCH_MODEL": "recorded"}) as address, tools.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.get_by_role("button", name="Analyze").wait_for()
        page.wait_for_timeout(3000)  # as long as somebody takes to paste a pitch
        times = [_analyze(page, pitches[number % len(pitches)]) for number in range(rounds + 1)]
        print(f"Analyze, the first of all:   {times[0]:5.0f} ms")
        print(f"Analyze, {rounds} more:           {median(times[1:]):5.0f} ms, slowest {max(times[1:]):.0f} ms")
        page.goto(f"{address}/?sample=cabstand&tab=What+if")
        page.get_by_role("combobox", name="Who signs").wait_for()
        page.wait_for_timeout(1000)
        times = [_set(page, number) for number in range(rounds)]
        print(f"What if, {rounds} changes:        {median(times):5.0f} ms, slowest {max(times):.0f} ms")
        tools.upload(page, address, tools.many_pitches(MANY))
        page.get_by_role("heading", name="Ranking").wait_for(timeout=180_000)
        page.wait_for_timeout(1000)
        for name, measure in (("filter", _filter), ("next page", _turn), ("one pitch", _open), ("and back", _back)):
            times = [measure(page, number) for number in range(rounds)]
            label = f"Of {MANY:,}, {name}:"
            print(f"{label:<28} {median(times):5.0f} ms, slowest {max(times):.0f} ms")
        _others(browser, address, tools, rounds)


def _analyze(page: Any, text: str) -> float:
    """Milliseconds from the click to the drawn answer for this pitch."""
    if page.get_by_text("Another pitch, or a change").count():
        page.get_by_text("Another pitch, or a change").click()
    page.get_by_role("textbox", name="The pitch").fill(text)
    page.get_by_role("textbox", name="The pitch").blur()
    page.wait_for_timeout(500)
    page.evaluate("window.pressed = [...document.querySelectorAll('button')].find(b => b.innerText === 'Analyze')")
    title = next(line for line in text.splitlines() if line.strip()).strip().lstrip("# ")
    page.evaluate("document.querySelectorAll('.pa.head h2').forEach(old => old.textContent = '')")
    took: float = page.evaluate(DRAWN, [".pa.head h2", title[:40]])
    page.locator(".pa .provenance").wait_for()
    page.wait_for_timeout(500)
    return took


def _set(page: Any, number: int) -> float:
    """Milliseconds from the choice of a value to the assessment that says so."""
    field = page.get_by_role("combobox", name="Who signs")
    field.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # an open list closes when the page scrolls
    field.click()
    wanted = ("engineering leadership", "business leadership", "data science leadership")[number % 3]
    option = page.get_by_role("option", name=wanted)
    option.wait_for()
    option.evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [".st-key-changed", wanted])
    page.wait_for_timeout(300)
    return took


def _filter(page: Any, number: int) -> float:
    """Milliseconds from the choice of a verdict to the ranking of those that have it."""
    wanted = ("Favorable", "Open", "Balanced", "Unfavorable")[number % 4]
    page.get_by_role("combobox", name="Verdict").click()
    option = page.get_by_role("option", name=wanted, exact=True)
    option.wait_for()
    option.evaluate("found => { window.pressed = found }")
    page.evaluate("document.querySelectorAll('.pa .ranking tbody').forEach(old => old.textContent = '')")
    took: float = page.evaluate(DRAWN, [".pa .ranking tbody .verdict-cell", wanted])
    page.wait_for_timeout(500)
    return took


def _turn(page: Any, number: int) -> float:
    """Milliseconds from the click on Next, or Previous, to the other page of the ranking."""
    if not number:
        page.get_by_role("combobox", name="Verdict").click()
        page.get_by_role("option", name="all", exact=True).click()
        page.wait_for_timeout(1000)
    wanted, label = (("1 to 50", "Previous"), ("51 to 100", "Next"))[number % 2 == 0]
    page.locator(".pa .pages button", has_text=label).evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [".pa .pages", wanted])
    page.wait_for_timeout(500)
    return took


def _open(page: Any, number: int) -> float:
    """Milliseconds from the click on a pitch to its assessment; of all but the last, the way back is not counted."""
    if number:
        _back(page, number)
    row = page.locator(".pa .ranking tbody th button").nth(number)
    title = row.inner_text()
    row.evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [".pa.head h2", title[:40]])
    page.locator(".pa .provenance").wait_for()
    page.wait_for_timeout(500)
    return took


def _back(page: Any, number: int) -> float:
    """Milliseconds from the click on Back to the ranking."""
    if not page.get_by_role("button", name="Back to the portfolio").count():
        _open(page, 0)
    page.get_by_role("button", name="Back to the portfolio").evaluate("found => { window.pressed = found }")
    took: float = page.evaluate(DRAWN, [".pa .ranking", "Ranking"])
    page.wait_for_timeout(500)
    return took


def _others(browser: Any, address: str, tools: ModuleType, rounds: int) -> None:
    """Prints how long a page takes for another visitor, alone and while a run of many pitches goes on, and how many
    times as long as an empty Streamlit page: so the figures of two machines can be compared."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text('import streamlit as st\nst.html("<p class=pa>Empty</p>")\n', encoding="utf-8")
        server = ("-m", "streamlit", "run", str(empty), "--server.port={port}", "--server.headless=true")
        with tools.served_page({}, arguments=server) as bare:
            least = [_visit(browser, bare, ".pa") for _ in range(rounds)]
    sample = f"{address}/?sample=cabstand"
    alone = [_visit(browser, sample, ".pa .provenance") for _ in range(rounds)]
    page = browser.new_page()
    tools.upload(page, address, tools.many_pitches(MANY))
    page.get_by_role("button", name="Stop").wait_for()
    beside = [_visit(browser, sample, ".pa .provenance") for _ in range(rounds)]
    if not page.get_by_role("button", name="Stop").count():
        print("The run was over before the last visit; ask for fewer rounds.")
    page.close()
    for name, times in (
        ("An empty page", least),
        ("A sample, alone", alone),
        (f"A sample, {MANY:,} under way", beside),
    ):
        ratio = median(times) / median(least)
        print(f"{name + ':':<28} {median(times):5.0f} ms, slowest {max(times):.0f} ms, {ratio:.1f} times an empty page")


def _visit(browser: Any, address: str, selector: str) -> float:
    """Milliseconds from opening the page, as a new visitor, until it is drawn."""
    context = browser.new_context()
    page = context.new_page()
    begun = time.monotonic()
    page.goto(address)
    page.locator(selector).first.wait_for(state="attached", timeout=60_000)
    took = 1_000 * (time.monotonic() - begun)
    context.close()
    return took


def _runs(count: int) -> None:
    """Prints seconds for reading pitches and for opening results: without a page, on it, and with its collector on."""
    tools = _harness()
    table = uploaded_table("pitches.csv", tools.many_pitches(count).encode())
    bare = time.monotonic()
    run = read_many(table, table.count(), table.name, settings=Settings(), options=ReadingOptions(KEYWORDS))
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
