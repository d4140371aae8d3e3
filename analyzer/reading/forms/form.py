"""What every form of asking provides."""

from __future__ import annotations

from typing import Any, Protocol

from analyzer.reading.pitch import Pitch


class Form(Protocol):
    """One way to write down what a pitch says. Every form leads to the same document of quotes."""

    @property
    def name(self) -> str: ...

    def instructions(self, *, rules: bool) -> str:
        """The system message; with `rules`, the rules of every field follow as plain text."""

    def schema(self, pitch: Pitch) -> dict[str, Any]:
        """The answer's JSON schema without descriptions: closed objects, all required, every list and text bounded."""

    def message(self, pitch: Pitch) -> str:
        """The user message."""

    def document(self, text: str, pitch: Pitch) -> str:
        """The answer's text as the JSON text that `reading.answers.check_answer` takes. Raises NotAnAnswer."""
