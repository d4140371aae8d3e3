"""A question whose schema and words disagree: only a server that enforces the schema answers by it."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from analyzer.reading.pitch import Pitch
from analyzer.reading.unwrapping import unwrapped

_FIELD: Final = "k7"
_VALUE: Final = "q4-19"


class SchemaProbe:
    """Asks for one word, with a schema that allows only another answer. It is sent like any form of asking."""

    name: Final = "probe"

    def instructions(self, *, rules: bool) -> str:
        return 'Answer every message with the JSON object {"word": "hello"}.'

    def schema(self, pitch: Pitch) -> dict[str, Any]:
        value = {"type": "string", "enum": [_VALUE]}
        return {
            "type": "object",
            "properties": {_FIELD: value},
            "required": [_FIELD],
            "additionalProperties": False,
        }

    def message(self, pitch: Pitch) -> str:
        return pitch.text

    def document(self, text: str, pitch: Pitch) -> str:
        return text

    def again(self, faults: list[str]) -> str:
        return "\n".join(faults)

    def prompt_sha256(self, *, rules: bool) -> str:
        return hashlib.sha256(self.instructions(rules=rules).encode()).hexdigest()

    @staticmethod
    def kept(text: str) -> bool:
        """Whether an answer follows the schema."""
        try:
            return bool(unwrapped(text, (_FIELD,)) == {_FIELD: _VALUE})
        except ValueError:
            return False
