"""The page as a process of its own, a Chromium to look at it, and what a visitor does there."""

from __future__ import annotations

import csv
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from analyzer.resources import resource

CHROMIUM: Final = Path("/usr/bin/chromium")
APP: Final = ("-m", "analyzer", "app", "--port", "{port}", "--no-browser")
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_START_UP: Final = 240.0
"""Seconds after which a page that does not answer counts as broken."""
POOR_CONTRAST: Final = """
() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => colour.startsWith("rgb") ? v / 255 : v)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (/^(rgb|color)\\((?!.*\\/)/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = new Set();
  for (const element of document.querySelectorAll("[data-testid=stMain] *, [data-testid=stHeader] *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || !element.checkVisibility() || style.clipPath !== "none" || !style.color.startsWith("rgb(")) continue;
    const [one, other] = [light(style.color), light(paper(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.add(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return [...poor];
}
"""
"""Texts on the page whose contrast with what they stand on is below 4.5 (WCAG 2.2, AA); half-transparent ones left out."""


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served_page(
    environment: Mapping[str, str],
    log: Path = Path(os.devnull),
    arguments: Sequence[str] = APP,
    port: int | None = None,
) -> Iterator[str]:
    """The page on a free port of this machine, with these variables changed; its address. Raises TimeoutError.

    `log`: where everything goes that the server says; `arguments`: Python's, with {port} for the port.
    """
    with served(environment, log, arguments, port) as (address, _):
        yield address


@contextmanager
def served(
    environment: Mapping[str, str],
    log: Path = Path(os.devnull),
    arguments: Sequence[str] = APP,
    port: int | None = None,
) -> Iterator[tuple[str, int]]:
    """As `served_page`: the address, and the id of the server's process."""
    port = free_port() if port is None else port
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, *(argument.format(port=port) for argument in arguments)],
            cwd=tempfile.gettempdir(),  # as from anywhere: nothing may hang on the folder
            env={**os.environ, **environment},
            stdout=said,
            stderr=said,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(server, address)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_UP
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the page's server does not answer")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks nothing of the network by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def analyze(page: Page, text: str) -> None:
    """Pastes the pitch and presses the button."""
    page.get_by_role("textbox", name="The pitch").fill(text)
    page.get_by_role("button", name="Analyze").click()


def many_pitches(count: int) -> str:
    """The samples again and again, each with a number in its first line, as CSV; every hundredth is empty."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/pitches").glob("*.txt"))]
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["id", "pitch"])
    for number in range(count):
        title, _, rest = texts[number % len(texts)].partition("\n")
        writer.writerow([f"p{number}", f"{title} ({number})\n{rest}" if number % 100 != 99 else ""])
    return rows.getvalue()


def upload(page: Page, address: str, table: str, name: str = "pitches.csv") -> None:
    """Opens the portfolio, gives it the table, and has it read by cue phrases."""
    page.goto(f"{address}/portfolio")
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": table.encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text(name).first.wait_for()
    pick(page, "Read by", "Keywords")
    page.get_by_role("button", name="Start").click()


def pick(page: Page, field: str, value: str) -> None:
    """Chooses a value. An open list closes when the page scrolls, so it is opened until it stays so, and clicked in
    place."""
    box, option = page.get_by_role("combobox", name=field), page.get_by_role("option", name=value)
    box.scroll_into_view_if_needed()
    for _ in range(1000):
        if option.is_visible():
            break
        box.press("ArrowDown")
        page.evaluate("() => new Promise(requestAnimationFrame)")
    option.evaluate("found => found.click()")
