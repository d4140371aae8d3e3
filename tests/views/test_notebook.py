"""Values as notebooks and consoles show them: short, legible on any background, and inert whatever a pitch says."""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer import (
    Assessment,
    MarketMap,
    Rulebook,
    Signals,
    analyze,
    analyze_many,
    analyze_many_async,
    compare,
    rank,
    read_manual,
    score,
    to_frame,
)
from analyzer.errors import ConfigurationError, InputError
from analyzer.framework.assessment import PitchRef, Warning
from analyzer.resources import resource
from tests.completions import PITCH

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> $\\href{javascript:x}{y}$ \x1b[31m \u202egnp.exe & {{ 7*7 }}"
)
OUT_OF_SCOPE = "Fillchair fills empty chairs at hair salons. Nothing to do with models."


class _Elements(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile() -> Assessment:
    signals = Signals.model_validate(
        {
            "product": HOSTILE,
            "problems": [{"statement": HOSTILE, "quote": HOSTILE, "stage": "day_2", "focus": "engineering"}],
            "competitors": [{"name": HOSTILE, "kind": "startup", "quote": HOSTILE}],
            "buyer": {"value": "practitioner", "basis": "stated", "quotes": [HOSTILE]},
        }
    )
    return score(signals, pitch=PitchRef(id="x", title=HOSTILE), warnings=[Warning(kind="x", message=HOSTILE)])


@cache
def values() -> dict[str, Any]:
    assessments = [analyze(PITCH, model="keywords", id="a"), hostile(), analyze(OUT_OF_SCOPE, model="keywords")]
    manual = [{"pitch_id": "a", "rater": HOSTILE, "urgency": "important"}]
    return {
        "assessment": assessments[0],
        "hostile assessment": assessments[1],
        "out of scope": assessments[2],
        "comparison": compare({HOSTILE: assessments[:1]}, manual),
        "ranking": rank(assessments),
        "empty ranking": rank([]),
    }


@pytest.mark.parametrize("name", values().keys())
def test_a_notebook_shows_a_value_in_little_html_that_does_nothing(name: str) -> None:
    html = values()[name]._repr_html_()
    found = _Elements(html)
    assert len(html) < 20_000
    assert not {"script", "img", "link", "iframe", "style", "a", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "src")]
    assert "mathjax_ignore" in html and "\x1b" not in html and "\u202e" not in html
    assert "url(" not in html and "http" not in html


@pytest.mark.parametrize("name", values().keys())
def test_its_text_takes_the_notebooks_own_color_so_that_it_is_legible_in_light_and_dark(name: str) -> None:
    styles = [value or "" for key, value in _Elements(values()[name]._repr_html_()).attributes if key == "style"]
    colors = [color for style in styles for color in re.findall(r"(?:^|;)\s*(?:color|background)\s*:\s*([^;]+)", style)]
    assert set(colors) <= {"inherit", "transparent"}


def test_what_a_pitch_says_is_shown_as_it_is_written() -> None:
    assert "<script>alert(1)</script>" in _Elements(hostile()._repr_html_()).text
    assert "{{ 7*7 }}" in _Elements(hostile()._repr_html_()).text
    text = _Elements(analyze(PITCH, model="keywords")._repr_html_()).text
    assert "Wattwise" in text and "of 100" in text and "Ask first" in text


def test_the_repr_of_every_value_fits_on_a_screen_and_says_what_it_is() -> None:
    shown = [
        *values().values(),
        Rulebook.built_in(),
        MarketMap.built_in(),
        read_manual(resource("fixtures/manual_scores.csv")),
        analyze(PITCH, model="keywords").signals,
        next(analyze_many([PITCH], model="keywords")),
        analyze_many([PITCH], model="keywords"),
        analyze_many_async([PITCH], model="keywords"),
    ]
    for value in shown:
        assert len(repr(value)) < 1000 and repr(value).startswith(f"{type(value).__name__}(")
        assert str(value) and len(str(value)) < 1000
    assert re.fullmatch(
        r"Assessment\(pitch='Wattwise: cut your GPU bill', verdict='draft', overall=[\d.]+, low=[\d.]+, high=[\d.]+, "
        r"questions=\d+\)",
        repr(shown[0]),
    )


# ---------------------------------------------------------------- ranking


def test_results_assessments_and_tables_are_ranked_alike() -> None:
    results = list(analyze_many([("a", PITCH), ("b", " "), ("c", OUT_OF_SCOPE)], model="keywords"))
    ranking = rank(results, draws=50)
    assert [ranking.labels[each.row].id for each in ranking] == ["a"]
    assert ranking.failed == 1 and len(ranking) == 1 and ranking[0].rank == 1
    assert rank(to_frame(results), draws=50) == ranking
    assert rank([each.assessment for each in results if each.assessment], draws=50).ranked == ranking.ranked
    frame = ranking.to_frame()
    assert list(frame.index) == ["a"] and list(frame.columns)[:3] == ["pitch", "rank", "overall"]
    wrongs: list[Any] = ["x", 7, [7]]
    for wrong in wrongs:
        with pytest.raises(InputError, match="pass results, assessments, or a table"):
            rank(wrong)


# ---------------------------------------------------------------- progress


def test_progress_is_shown_on_a_terminals_standard_error_and_nothing_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = list(analyze_many([PITCH, " "], model="keywords", progress=True))
    assert len(results) == 2
    assert capsys.readouterr().out == ""


class _Notebook:
    """What IPython offers where a notebook runs the code."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.display = SimpleNamespace(display=self._display)

    def get_ipython(self) -> Any:
        return SimpleNamespace(kernel=object())

    def _display(self, value: Any, display_id: bool = False) -> Any:
        assert display_id
        self.shown.append(value)
        return SimpleNamespace(update=self.shown.append)


def test_in_a_notebook_one_bar_is_drawn_and_updated_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook: Any = _Notebook()
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    list(analyze_many([PITCH, " ", OUT_OF_SCOPE], model="keywords", progress=True))
    last = notebook.shown[-1]
    assert repr(last).startswith("3 of 3 · 1 failed")
    assert '<progress value="3" max="3">' in last._repr_html_()


def test_progress_is_true_or_false() -> None:
    with pytest.raises(ConfigurationError, match="progress is a str; pass True or False"):
        analyze_many([PITCH], model="keywords", progress="yes")  # type: ignore[arg-type]
