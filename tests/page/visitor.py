"""What a visitor does on the page, and readers that take the place of every model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from analyzer.framework.assessment import ReaderRef
from analyzer.page.analysis import Analysis
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.session import KEY, Session
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.vocabulary.signals import Signals

ROOT = Path(__file__).parents[2]


TAPERLINE = "Taperline: your p99 is not your p50's big brother"


SAMPLE = (ROOT / "fixtures" / "pitches" / "taperline.txt").read_text(encoding="utf-8")


OWN_PITCH = "Testbed is a tool for data scientists. It finds label errors in training data; pip install testbed."


HOSTILE = """Evilco <script>alert(1)</script> <img src="http://evil.example/i.png"> for machine learning

![x](http://evil.example/m.png) :red[x] $x^2$ :material/home: :smile: [go](http://evil.example/) <b>b</b> `c`
"""


DAY_2_ENGINEERING = {"statement": "s", "stage": "day_2", "focus": "engineering"}


MARKDOWN_TRAPS = ("![x](", ":red[", "$x^2$", ":material/home:", ":smile:", "[go](")


class FixedReader:
    """Reads the same signals from every pitch, or raises, and counts how often it was asked."""

    def __init__(self, signals: Signals, fault: Exception | None = None):
        self.signals = signals
        self.fault = fault
        self.asked = 0

    async def read(self, pitch: Pitch) -> Reading:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return Reading(self.signals, ReaderRef(model="test/fixed"), pitch.warnings)


def analyze(page: AppTest, text: str) -> AppTest:
    page.text_area(key="text").set_value(text)
    return button(page, "Analyze").click().run()


def button(page: AppTest, label: str) -> Button:
    return next(found for found in page.button if found.label == label)


def markup(page: AppTest) -> str:
    """All that the page drew itself, but for its style sheet."""
    return "\n".join(element.value for element in page.html if not element.value.startswith("<style"))


class SlowReader(FixedReader):
    """Never answers; remembers that it was cancelled."""

    def __init__(self) -> None:
        super().__init__(Signals())
        self.ended = Event()

    async def read(self, pitch: Pitch) -> Reading:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError("an event that nobody sets was set")


def what_if(page: AppTest, **changes: str) -> AppTest:
    """Sets signals by hand on the tab for it."""
    page.session_state["tab"] = "What if"
    page.run()
    for name, value in changes.items():
        page.selectbox(key=f"set:{name.replace('__', '.')}").set_value(value).run()
    assert not page.exception
    return page


def opened_at(**query: str) -> AppTest:
    """The page as a link opens it."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    page.query_params.update(query)
    return page.run()


def texts_read_as_markdown(page: AppTest) -> Iterator[str]:
    """Whatever Streamlit would interpret: Markdown elements, alerts and the labels of everything on the page."""
    for element in page.main:
        if element.type != "html":
            proto = getattr(element, "proto", None)
            for name in ("label", "body", "help"):
                text = getattr(proto, name, "")
                if isinstance(text, str):
                    yield text


def visit(page: AppTest) -> Session:
    """What the page keeps for its visitor."""
    state: Session = page.session_state[KEY]
    return state


def analysis(page: AppTest) -> Analysis:
    """The latest analysis of this visit."""
    latest = visit(page).analysis
    assert latest is not None
    return latest


def portfolio_work(page: AppTest) -> PortfolioWork:
    """The portfolio of this visit."""
    run = visit(page).portfolio.run
    assert run is not None
    return run.work
