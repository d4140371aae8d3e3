"""Text of pitches and models in HTML, never as anything but text: on the page and in the files that people download.

Streamlit reads Markdown, LaTeX, emoji names and color marks nearly everywhere, and a pitch is hostile until shown
otherwise. So whatever is not the program's own words goes one of three ways: as `Html`, in which every plain string was
escaped; through a template, which escapes all but `Html`; or as `literal`, for the few Streamlit elements that only
take Markdown.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from analyzer.views.numbers import number, shown, shown_points
from analyzer.views.palette import report_css
from analyzer.views.terminal import plain
from analyzer.vocabulary.labels import in_words, title, value_word, word

_ACTS = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|\$(?!\d)")
"""Characters that Markdown gives a meaning wherever they stand; parentheses, hyphens and the like have none."""
_BEGINS = re.compile(r"(#{1,6}|[-+>=]+|\d{1,9}(?=[.)]))")
"""What begins a block at the start of a line: escaped there, and nowhere else."""


class Html(str):
    """Markup that may be shown. Only `tag` and `together` make it; a plain string is not markup and gets escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        """What a template shows: the markup as it is."""
        return str(self)


def tag(name: str, *children: str, **attributes: str) -> Html:
    """One element. Children that are not `Html` are escaped, and so are attribute values.

    A trailing underscore is dropped from an attribute's name and the others become hyphens (`class_`, `aria_label`).
    """
    written = "".join(
        f' {attribute.rstrip("_").replace("_", "-")}="{escape(value)}"' for attribute, value in attributes.items()
    )
    return Html(f"<{name}{written}>{together(*children)}</{name}>")


def together(*children: str) -> Html:
    """Several pieces after one another, what is not `Html` escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def literal(text: str) -> str:
    """Markdown that shows this text as it is, line by line.

    A code span is the one construct in which Streamlit interprets nothing (backslashes do not stop its emoji names and
    links). The page's style sheet makes it look like the text around it.
    """
    return "  \n".join(_code_span(line.strip()) for line in text.splitlines() if line.strip())


def render_page(template: str, **values: Any) -> str:
    """One of the templates, filled in. In HTML all values but `Html` are escaped; in Markdown, the `md` filter does."""
    return _environment().get_template(template).render(**values)


def template_text(name: str) -> str:
    """A file next to the templates, as it is."""
    return Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")


def _code_span(line: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    return f"{fence} {line} {fence}" if line.startswith("`") or line.endswith("`") else f"{fence}{line}{fence}"


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is: one line, nothing in it acts, and few backslashes where it is pasted as it
    is, into a mail for example."""
    line = _ACTS.sub(r"\\\g<0>", plain(text).replace("://", ":\u200b//"))
    begins = _BEGINS.match(line)
    if begins is None:
        return line
    return f"{begins[0]}\\{line[begins.end() :]}" if begins[0][0].isdigit() else f"\\{line}"


@cache
def _environment() -> Environment:
    environment = Environment(  # HTML is escaped by autoescape, Markdown by the `md` filter
        loader=PackageLoader("analyzer.views", "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "shown": shown,
        "points": shown_points,
        "plain": plain,
        "md": _markdown,
        "word": word,
        "value_word": value_word,
        "title_of": title,
        "in_words": in_words,
    }
    environment.globals["colors"] = Html(report_css())
    return environment
