"""Takes the picture of the page that the README shows, docs/page.png, and pictures of its states to be looked at.

    python -m tests.browser.pictures [FOLDER [STATE ...]]

Needs Chromium. Without STATE, all of tests/browser/states.py.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Error, Page

from tests.browser.harness import chromium, served_page
from tests.browser.states import NARROW, PATIENCE, STATES

PICTURE: Final = Path(__file__).parents[2] / "docs" / "page.png"
WIDTHS: Final = (1280, NARROW)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_SETTLED: Final = 600.0
"""Milliseconds until fonts and transitions have come to rest."""
_HIGHEST: Final = 9000


def main(folder: Path | None, names: Sequence[str]) -> int:
    """Writes the picture; with a folder, the states there, to be looked at, and without names the picture too. The
    exit code: 1 if a state was not reached."""
    missed = 0
    with (
        tempfile.TemporaryDirectory() as none,
        served_page({"PITCH_MODEL": "", "PITCH_RECORDINGS": none, "PITCH_STORE": f"sqlite:///{none}/s.db"}) as address,
        chromium() as browser,
    ):
        if not names:
            print(_readme(browser, address))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for name in names or STATES:
                try:
                    for path in _pictures(browser, address, name, folder):
                        print(path)
                except Error as error:
                    missed += 1
                    print(f"{name} was not reached: {error.message.splitlines()[0]}", file=sys.stderr)
    return 1 if missed else 0


def _readme(browser: Browser, address: str) -> Path:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page.set_default_timeout(PATIENCE)
    STATES["answer"](page, address)
    page.wait_for_timeout(_SETTLED)
    page.screenshot(path=PICTURE)
    page.close()
    return PICTURE


def _pictures(browser: Browser, address: str, name: str, folder: Path) -> Iterator[Path]:
    """One state in each width and scheme. A wide window is reached once and then looked at in both schemes; what
    unfolds on a phone only is reached there."""
    for width in WIDTHS:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=SCHEMES[0])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        STATES[name](page, address)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            path = folder / f"{name}-{width}-{scheme}.png"
            _shoot(page, width, path)
            yield path
        context.close()


def _shoot(page: Page, width: int, path: Path) -> None:
    """The page as a whole, in a window that is high enough for it."""
    page.set_viewport_size({"width": width, "height": 900})
    page.locator("[data-testid=stSkeleton]").first.wait_for(state="detached")
    page.wait_for_timeout(_SETTLED)
    if page.locator("[data-sheet=open]").count() == 0:
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": max(900, min(height, _HIGHEST))})
        page.wait_for_timeout(_SETTLED)
    page.screenshot(path=path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, sys.argv[2:]))
