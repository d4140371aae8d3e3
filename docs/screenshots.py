"""Takes the picture of the page that the README shows: docs/page.png.

    python docs/screenshots.py

Needs Chromium and the Python package playwright. The tests drive the page with `served_page` and `chromium`, too.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from analyzer.page.serve import command
from analyzer.resources import resource

CHROMIUM: Final = Path("/usr/bin/chromium")
PICTURE: Final = Path(__file__).with_name("page.png")
SAMPLE: Final = "fixtures/pitches/cabstand.txt"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_START_UP: Final = 60.0
"""Seconds after which a page that does not answer counts as broken."""
_MARGIN: Final = 10.0
"""Pixels above and below what the picture shows."""


def main() -> None:
    """Writes the picture."""
    text = resource(SAMPLE).read_text(encoding="utf-8")
    with served_page({"PITCH_MODEL": ""}) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 3000}, color_scheme="light")
        page.goto(address)
        analyze(page, text)
        page.locator(".pa.provenance").wait_for()
        page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
        page.screenshot(path=PICTURE, clip=_clip(page))
    print(PICTURE)


def analyze(page: Page, text: str) -> None:
    """Pastes the pitch and presses the button."""
    page.get_by_role("textbox", name="The pitch").fill(text)
    page.get_by_role("button", name="Analyze").click()


def _clip(page: Page) -> FloatRect:
    """From the first line of the answer to the end of the second card."""
    top = _box(page, ".pa.note, .pa.cautions, .pa.head")["y"] - _MARGIN
    card = _box(page, ".pa .card >> nth=1")
    return {"x": 0, "y": top, "width": 1280, "height": card["y"] + card["height"] + _MARGIN - top}


def _box(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, f"{selector} is not on the page"
    return box


@contextmanager
def served_page(environment: Mapping[str, str]) -> Iterator[str]:
    """The page on a free port of this machine, with these variables changed; its address. Raises TimeoutError."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        command(port, False),
        cwd=tempfile.gettempdir(),  # as from anywhere: nothing may hang on the folder
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(server, address)
        yield address
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


if __name__ == "__main__":
    main()
