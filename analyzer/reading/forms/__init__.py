"""The forms of asking: copied quotes, or numbers of sentences. A form owns its prompt, its schema and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.errors import ConfigurationError
from analyzer.reading.forms.form import Form, Tool
from analyzer.reading.forms.ids import Ids
from analyzer.reading.forms.look import Look
from analyzer.reading.forms.quotes import Quotes

__all__ = ["FORMS", "Form", "Tool", "any_form", "form"]

FORMS: Final[Mapping[str, Form]] = {one.name: one for one in (Quotes(), Ids())}
"""Every form of reading by its name."""
_LOOK: Final = Look()


def form(name: str) -> Form:
    """The form of this name. Raises ConfigurationError if there is none."""
    try:
        return FORMS[name]
    except KeyError:
        raise ConfigurationError(f"there is no form {name!r}; choose one of {', '.join(FORMS)}") from None


def any_form(name: str) -> Form:
    """The form of this name, also that of the second look. Raises ConfigurationError if there is none."""
    return _LOOK if name == _LOOK.name else form(name)
