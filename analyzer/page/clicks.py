"""Markup of our own in which a click tells the script what was clicked.

A table of hundreds of rows with a Streamlit button each is slow and looks like a form. Here the whole piece is one
element: `Html` (so every text in it is escaped), in which a part with `data_pick` reports that value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from analyzer.views.html import Html

_SCRIPT: Final = """
export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pa-clicks");
  if (root.markup !== data.markup) {
    root.innerHTML = data.markup;
    root.markup = data.markup;
  }
  if (data.back && root.back !== data.back) {
    const last = root.querySelector(`button[data-pick="${CSS.escape(data.back)}"]`);
    if (last) { last.focus({ preventScroll: true }); last.scrollIntoView({ block: "center" }); }
  }
  root.back = data.back;
  root.onclick = (event) => {
    const picked = event.target.closest("[data-pick]");
    if (!picked) return;
    if (picked.hasAttribute("data-top")) document.querySelector("[data-testid=stMain]").scrollTo(0, 0);
    setTriggerValue("picked", picked.dataset.pick);
  };
}
"""


def clickable(markup: Html, key: str, picked: Callable[[str], None], back: str = "") -> None:
    """Shows the markup; `picked` gets the value of a part that was clicked, before the script runs anew.

    `back`: the part to lead the visitor back to, as if it had just been clicked.
    """

    def report() -> None:
        value = st.session_state[key]["picked"]
        if value is not None:
            picked(str(value))

    component = st.components.v2.component(
        "pitch_analyzer_clicks", html='<div class="pa-clicks"></div>', js=_SCRIPT, isolate_styles=False
    )
    component(data={"markup": str(markup), "back": back}, key=key, on_picked_change=report)
