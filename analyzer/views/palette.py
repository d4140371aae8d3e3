"""Every color of the project, light and dark: the page, the reports, the portfolio and the comparison draw in these.

Pairs that have to be told apart (for and against, the families of signals, the sides of a comparison) have hues after
Okabe and Ito, which color-blind people tell apart, and words or a line of their own say the same. Streamlit's own
parts are colored by `page/theme.toml`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from analyzer.vocabulary.labels import FAMILIES


@dataclass(frozen=True, slots=True)
class Color:
    """One color on a light and on a dark background, as CSS hex values."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Underline:
    """The line under a mark: a CSS text-decoration style and thickness."""

    style: str = "solid"
    thickness: str = "2px"


INK: Final = Color("#1b2430", "#e7ebf1")
QUIET: Final = Color("#566173", "#a5afbd")
LINE: Final = Color("#d9dee6", "#353d49")
FIELD: Final = Color("#f3f5f8", "#1b222c")
PAPER: Final = Color("#ffffff", "#11161d")
BORDER: Final = Color("#cfd6df", "#404a58")
FOR: Final = Color("#0b5ea8", "#7cc0f5")
AGAINST: Final = Color("#b03f05", "#ff9d66")
BUTTON: Final = Color("#0b5ea8", "#2873b8")
"""Streamlit's buttons: white text must be readable on it, also where the page is dark."""
PLANTED: Final = "planted"
"""The tone of words that address the reader of the pitch."""

COLORS: Final[Mapping[str, Color]] = {
    "ink": INK,
    "quiet": QUIET,
    "line": LINE,
    "field": FIELD,
    "paper": PAPER,
    "border": BORDER,
    "track": Color("#e3e7ed", "#2d3541"),
    "for": FOR,
    "against": AGAINST,
    "open": QUIET,
    "caution": Color("#fdf3e4", "#33270f"),
    "caution-line": Color("#b8770b", "#d99a2b"),
    PLANTED: Color("#fbdccb", "#5a2a12"),
    "side-0": FOR,
    "side-1": AGAINST,
    "side-2": Color("#6b3fa0", "#c3a2f0"),
    "side-3": Color("#0b6e55", "#6fd0b0"),
    "need": Color("#b87400", "#f0b040"),
    "people": Color("#008f68", "#4fd3ad"),
    "product": Color("#4453c4", "#a5b0ff"),
    "rivals": Color("#b0508a", "#e6a5cb"),
    "market": Color("#1f8fc6", "#6cc4f5"),
    "entry": Color("#5c6672", "#aeb8c4"),
}
"""Colors by the name of their CSS variable; the families of signals under their ids."""

UNDERLINES: Final[Mapping[str, Underline]] = {
    "need": Underline(),
    "people": Underline("dashed"),
    "product": Underline("double", "1px"),
    "rivals": Underline("dotted", "3px"),
    "market": Underline(thickness="4px"),
    "entry": Underline(thickness="1px"),
    PLANTED: Underline("wavy"),
}
"""The line under each family's marks, so that no family is told by its color alone."""


def page_css() -> str:
    """The colors for the page: they follow the light or dark theme that the visitor has chosen in Streamlit."""
    variables = (f"  --pa-{name}: light-dark({color.light}, {color.dark});" for name, color in COLORS.items())
    return "\n".join([":root {", *variables, "}", *_mark_rules(".pa ", "--pa-")])


def report_css() -> str:
    """The colors for a file: they follow the reader's system, and are light on paper."""
    light = " ".join(f"--{name}: {color.light};" for name, color in COLORS.items())
    dark = " ".join(f"--{name}: {color.dark};" for name, color in COLORS.items())
    return "\n".join(
        [
            f":root {{ color-scheme: light dark; {light} }}",
            f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}",
            f"@media print {{ :root {{ color-scheme: light; {light} }} }}",
            *_mark_rules("", "--"),
        ]
    )


def _mark_rules(scope: str, prefix: str) -> Iterable[str]:
    """How marked words look, the same wherever a pitch is shown; labels and keys take `own`, their family's color."""
    own, paper = f"var({prefix}own)", f"var({prefix}paper)"
    yield (
        f"{scope}mark {{ color: inherit; border-radius: 2px; text-underline-offset: 3px; "
        f"background: color-mix(in srgb, {own} 18%, {paper}); text-decoration: underline 2px {own}; "
        "print-color-adjust: exact; -webkit-print-color-adjust: exact; }"
    )
    for name in FAMILIES:
        yield f"{scope}.{name} {{ {prefix}own: var({prefix}{name}); }}"
    yield f"{scope}.{PLANTED} {{ {prefix}own: var({prefix}against); }}"
    for name, line in UNDERLINES.items():
        look = f"text-decoration-style: {line.style}; text-decoration-thickness: {line.thickness};"
        yield f"{scope}mark.{name} {{ {look} }}"
    yield f"{scope}mark.{PLANTED} {{ background: var({prefix}{PLANTED}); }}"
