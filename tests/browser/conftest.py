"""What the tests in a browser share: one Chromium, a page's server, and a model that never answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import harness

PATIENCE = 60_000.0
"""Milliseconds after which a state of the page counts as never coming. No test waits for time to pass."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder; those of a file share a server, so they go to one process."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not harness.CHROMIUM.exists():
        pytest.skip(f"there is no {harness.CHROMIUM}")
    expect.set_options(timeout=PATIENCE)
    with harness.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def silent_model() -> Iterator[tuple[int, Event]]:
    """A model's service that takes requests and never answers: its port, and whether a caller has hung up."""
    hung_up = Event()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                while caller.recv(65_536):
                    pass
                hung_up.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], hung_up


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page in a window of a width; `hosts` of the page is everyone whom it asked for anything."""
    contexts = []

    def open_page(
        width: int = 1280,
        path: str = "",
        scheme: Literal["light", "dark"] = "light",
        hosts: set[str] | None = None,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        if hosts is not None:
            page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))
        page.goto(f"{address}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
