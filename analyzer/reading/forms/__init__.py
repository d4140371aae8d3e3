"""The forms in which a model is asked: what it writes down about a pitch, and how that becomes a quotes document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.errors import ConfigurationError
from analyzer.reading.forms.form import Form
from analyzer.reading.forms.quotes import QUOTES

FORMS: Final[Mapping[str, Form]] = {QUOTES.name: QUOTES}
"""Every form, by the name that `--form` and PITCH_FORM take."""


def form(name: str) -> Form:
    """The form of this name. Raises ConfigurationError."""
    if name not in FORMS:
        raise ConfigurationError(f"{name!r} is not a form; use one of: {', '.join(FORMS)}")
    return FORMS[name]


__all__ = ["FORMS", "Form", "form"]
