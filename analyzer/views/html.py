"""Text of pitches and models on the page, never as anything but text.

Streamlit reads Markdown, LaTeX, emoji names and colour marks nearly everywhere, and a pitch is hostile until shown
otherwise. So whatever is not the page's own words goes one of two ways: as `Html`, in which every plain string was
escaped, or as `literal`, for the few Streamlit elements that only take Markdown.
"""

from __future__ import annotations

import re
from html import escape


class Html(str):
    """Markup that may be shown. Only `tag` and `together` make it; a plain string is not markup and gets escaped."""

    __slots__ = ()


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
    """Markdown that shows this text as it stands, line by line.

    A code span is the one construct in which Streamlit interprets nothing (backslashes do not stop its emoji names and
    links). The page's style sheet makes it look like the text around it.
    """
    return "  \n".join(_code_span(line.strip()) for line in text.splitlines() if line.strip())


def _code_span(line: str) -> str:
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    return f"{fence} {line} {fence}" if line.startswith("`") or line.endswith("`") else f"{fence}{line}{fence}"
