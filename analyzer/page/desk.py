"""The reading desk: what is judged on the left, the pitch always next to it, and the ways between the two.

Hover or focus on a quote lights it on both sides; a click scrolls the other side only, so what was clicked stays where
it is; Previous and Next go through the quotes. On a narrow screen the pitch is a sheet that comes from below. All of
that happens in the browser (desk.js), so nothing is drawn anew. Without the script, marks and quotes are plain links.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import streamlit as st

from analyzer.framework.assessment import Assessment
from analyzer.views.html import Html, tag
from analyzer.views.passages import pitch_text

_SCRIPT: Final = Path(__file__).with_name("desk.js").read_text(encoding="utf-8")
_SUBMIT: Final = Path(__file__).with_name("submit.js").read_text(encoding="utf-8")


@contextmanager
def next_to_pitch(text: str, assessment: Assessment, answer: str) -> Iterator[None]:
    """What is drawn within comes to the left, the pitch to the right. `answer`: another one for each answer, to which
    the focus then goes."""
    with st.container(key="desk"):
        left, right = st.columns([5, 3], gap="large")
        with left:
            yield
        with right, st.container(key="pitch-pane", gap=None):  # last: its script looks for the answer
            component = st.components.v2.component(
                "pitch_analyzer_desk", html=str(_bar()), js=_SCRIPT, isolate_styles=False
            )
            component(data={"answer": answer}, key="desk-keys")
            st.html(pitch_text(text, assessment))


def submit_by_key(button: str) -> None:
    """Ctrl+Enter in the field for the pitch presses the button with this key."""
    component = st.components.v2.component(
        "pitch_analyzer_submit", html='<span class="pa-submit"></span>', js=_SUBMIT, isolate_styles=False
    )
    component(data={"button": f".st-key-{button} button"}, key=f"submit-{button}")


def _bar() -> Html:
    """The head of the pitch: its buttons, and which quote is chosen."""
    return tag(
        "div",
        tag("button", "The pitch", type="button", class_="handle", aria_expanded="false", data_do="toggle"),
        tag("span", class_="count", aria_live="polite"),
        tag("button", "Previous", type="button", data_do="previous", aria_label="Previous quote", title="Key P"),
        tag("button", "Next", type="button", data_do="next", aria_label="Next quote", title="Key N"),
        tag("button", "Close", type="button", class_="close", data_do="close", aria_label="Close the pitch"),
        class_="pa pa-desk",
        role="toolbar",
        aria_label="Quotes of the pitch",
    )
