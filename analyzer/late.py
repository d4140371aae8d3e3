"""What values look like is decided in `views`, which are above them: they are looked up when something is shown."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_NOTEBOOK: Final = "analyzer.views.notebook"


class ShownInNotebooks:
    """A value that notebooks show as a small piece of HTML (`views.notebook`)."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(import_module(_NOTEBOOK).html_of(self))


def live_progress() -> Any:
    """A `views.notebook.LiveProgress` for a run that starts now."""
    return import_module(_NOTEBOOK).LiveProgress()
