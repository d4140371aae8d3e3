"""Messages of the program in the words of the page: commands and variables are for the command line.

A page's own texts are written where it draws them. Whatever the rest of the program says comes onto a page through
here: the page's visitor connects a model, chooses a reader and checks a key; where a message says how to do that on the
command line, this says how to do it here, or leaves it out.
"""

from __future__ import annotations

import re
from typing import Final

import streamlit as st

from analyzer.views.html import literal

_HERE: Final = (
    (r"To ask a model, set PITCH_MODEL or --model(?: \([^)]*\))?", "To have a model read it, choose Read by: A model"),
    (r"set PITCH_MODEL or --model(?: \([^)]*\))?", "connect a model (Read by: A model)"),
    (r"\w+ is not set; set it to use ([^,]+), or use --model keywords", r"\1 needs a key; type it under "
     "Read by, or choose Keywords"),
    (r"; to begin there: PITCH_MODE=\w+| To begin there: --mode \w+\.", ""),
    (r",? and --max-cost cannot be used", ""),
    (r"\. To see how well it reads: pitch doctor --read", ""),
    (r"\n?(?:Choose another --model, or )?record it with: pitch record FILE --model provider/name",
     "Choose another reader"),
    (r", or (?:set|choose another way with) --mode\b", ""),
    (r"; use --mode auto, or one of [\w, ]+", ""),
    (r", or lower --concurrency", ""),
    (r", or (?:run again with )--debug to see where it failed", ""),
    (r", or a profile of your own that leaves the setting out \(PITCH_PROFILES\)", ""),
    (r", or raise PITCH_TIMEOUT \(seconds\)", ""),
    (r"set SSL_CERT_FILE to your organization's certificates", "whoever runs this page can add its certificates"),
    (r"PITCH_TIMEOUT", "the time limit"),
    (r"check --model and OPENAI_BASE_URL", "check the model's name and the server's address"),
    (r"its address \(OPENAI_BASE_URL\)", "its address"),
    (r", or OPENAI_BASE_URL with openai/NAME for any compatible server", ""),
    (r"OPENAI_BASE_URL", "the server's address"),
    (r"the provider's key variable", "the key"),
    (r"\b[A-Z][A-Z_]*_(?:API_)?KEY\b", "the key"),
    (r"\(?PITCH_PROFILES\)?", "of the profiles"),
    (r"; use: pitch bulk \S+", "; use the command line for more"),
    (r"To read such pages, install the extra `ocr`; pitch doctor says how",
     "Whoever runs this page can have such pages read: with the extra ocr"),
    (r"\(pitch bulk writes the last two\)", "(Portfolio downloads the last two)"),
    (r"Add --pitches FOLDER, or compare", "Compare"),
    (r"use --readings 2", "set Readings to 2"),
    (r"; name a model for it: --verify provider/name", "; connect a model, or turn Second look off"),
    (r"set PITCH_STORE to another", "choose another store"),
    (r"PITCH_STORE: ", "the store: "),
    (r"PITCH_STORE", "the setting for the store"),
)  # fmt: skip
_COMPILED: Final = tuple((re.compile(pattern), words) for pattern, words in _HERE)


def on_the_page(message: object) -> str:
    """A message, or an error's, without words of the command line."""
    said = str(message)
    for pattern, words in _COMPILED:
        said = pattern.sub(words, said)
    return said


def show_error(what: str, error: object) -> None:
    """Says what did not happen, and why."""
    st.error(literal(f"{what}: {on_the_page(error)}"))
