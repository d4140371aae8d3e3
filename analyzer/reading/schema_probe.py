"""A question whose schema and words disagree: only a server that enforces the schema answers by it."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

from analyzer.reading.clients import Exchange, ModelClient
from analyzer.reading.exchange import send
from analyzer.reading.fallback import Way
from analyzer.reading.forms import Tool
from analyzer.reading.modes import ModelQuestion
from analyzer.reading.pitch import Pitch
from analyzer.reading.unwrapping import unwrapped
from analyzer.reading.windows import Window

_FIELD: Final = "k7"
_VALUE: Final = "q4-19"


class SchemaProbe:
    """Asks for one word, with a schema that allows only another answer. It is sent like any form of asking."""

    name: Final = "probe"
    tool: Final = Tool("Answer", "Answer the message.")
    purpose: Final = "probe"
    version: Final = 1
    vocabulary_sha256: Final = ""

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

    def is_answer(self, document: object) -> bool:
        return isinstance(document, dict) and bool(document)

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


class ProbedConnection(NamedTuple):
    """Through what and how a model is asked. `window`: its context; None before the first request."""

    client: ModelClient
    way: Way
    window: Window | None


async def keeps_schema(connection: ProbedConnection) -> bool | None:
    """Whether the server holds the model to a schema when it is asked in this way; None where no schema is sent. Sends
    one request. Raises the errors of `reading.provider_errors`."""
    client, way, _ = connection
    if way.mode in ("json", "text"):
        return None
    question = ModelQuestion(SchemaProbe(), Pitch.from_text("Hello."), settings=way.settings)
    reply = await send(client, question, way.mode, Exchange(client.model))
    return SchemaProbe.kept(reply.text)
