"""Markup: what comes from a pitch is text, whatever it holds."""

from __future__ import annotations

import pytest

from analyzer.views.html import literal, tag


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        (":red[x] $y$ <b>", "`:red[x] $y$ <b>`"),
        ("a `b` c", "``a `b` c``"),
        ("`b`", "`` `b` ``"),
        ("```", "```` ``` ````"),
        ("one\n\ntwo", "`one`  \n`two`"),
    ],
    ids=["marks", "backtick", "outer backticks", "fence", "lines"],
)
def test_literal_text_is_a_code_span_whatever_it_holds(text: str, markdown: str) -> None:
    assert literal(text) == markdown


def test_markup_escapes_children_and_attributes_but_not_markup() -> None:
    assert tag("p", tag("b", "<i>"), "&", title='"x"') == '<p title="&quot;x&quot;"><b>&lt;i&gt;</b>&amp;</p>'
