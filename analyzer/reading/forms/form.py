"""What a form of asking has to offer, and what forms share: the short schema and the rules as text.

Both follow from the vocabulary's schema of the answer, so a new signal or value needs nothing here. Instructions, rules
and schema are the same for every pitch: servers can cache the prompt up to the pitch, and compile the schema once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.signals import MAX_COMPETITORS, MAX_PERSONAS, MAX_PROBLEMS, answer_schema

Schema = dict[str, Any]

_MOST_ENTRIES: Final = {"problems": MAX_PROBLEMS, "personas": MAX_PERSONAS, "competitors": MAX_COMPETITORS}
_LONGEST: Final = {"product": 120, "name": 120, "statement": 240}
_LONGEST_ELSE: Final = 400
_BOUNDS: Final = ("maxItems", "maxLength", "minimum", "maximum")


class Tool(NamedTuple):
    """What an answer is called where it is the call of a tool or a named schema."""

    name: str
    description: str


RECORD_SIGNALS: Final = Tool("RecordSignals", "Record what the pitch says, with the words it says it in.")


class Form(Protocol):
    """A way of asking: for the signals of a pitch, or whether quotes support their values."""

    @property
    def name(self) -> str:
        """The form's name, as users choose it and as recordings and stored answers keep it."""
        ...

    @property
    def purpose(self) -> str:
        """What is asked: `read` or `verify`."""
        ...

    @property
    def version(self) -> int:
        """Raised when what is asked changes."""
        ...

    @property
    def vocabulary_sha256(self) -> str:
        """Fingerprint of the words from the vocabulary that its requests hold."""
        ...

    @property
    def tool(self) -> Tool:
        """What the answer is called."""
        ...

    def instructions(self, *, rules: bool) -> str:
        """The system message. `rules`: with the rules of every field, for requests whose schema does not hold them."""
        ...

    def schema(self, pitch: Pitch) -> Schema:
        """The answer's JSON schema without descriptions: closed objects, every field required, evidence before value,
        every list and text bounded. Treat it as read-only."""
        ...

    def message(self, pitch: Pitch) -> str:
        """The user's message: the pitch between two marker lines."""
        ...

    def document(self, text: str, pitch: Pitch) -> str:
        """The model's answer as the JSON text that `answers.check_answer` takes. Raises NotAnAnswer."""
        ...

    def is_answer(self, document: object) -> bool:
        """Whether a document from a reply is an answer, though parts may be missing."""
        ...

    def again(self, faults: list[str]) -> str:
        """The message that asks once more about what cannot be used of an answer."""
        ...

    def prompt_sha256(self, *, rules: bool) -> str:
        """Fingerprint of all texts of the form without pitch and vocabulary."""
        ...


def closed(properties: Schema) -> Schema:
    """An object with exactly these fields."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def text_of_length(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def list_of(items: Schema, most: int) -> Schema:
    return {"type": "array", "items": items, "maxItems": most}


def short_schema(*, entry: Schema, single: Schema, instructions: Schema) -> Schema:
    """The answer's schema with these properties as the evidence of a list's entry and of a single value."""
    properties: Schema = {}
    for name, part in answer_schema()["properties"].items():
        if name == "instructions":
            properties[name] = instructions
        elif part["type"] == "array":
            fields = {key: _bare(key, field) for key, field in part["items"]["properties"].items() if key != "quote"}
            properties[name] = list_of(closed({**entry, **fields}), _MOST_ENTRIES.get(name, MAX_COMPETITORS))
        elif part["type"] == "object":
            fields = {key: _bare(key, field) for key, field in part["properties"].items() if key != "quotes"}
            properties[name] = closed({**single, **fields})
        else:
            properties[name] = _bare(name, part)
    return closed(properties)


def without_bounds(schema: Schema) -> Schema:
    """The schema without limits on lists, texts and numbers, for servers that refuse these keywords."""

    def stripped(part: Any, named: bool = False) -> Any:
        if isinstance(part, dict):  # the names of properties are not keywords
            return {
                key: stripped(value, key == "properties" and not named)
                for key, value in part.items()
                if named or key not in _BOUNDS
            }
        return [stripped(one) for one in part] if isinstance(part, list) else part

    bare: Schema = stripped(schema)
    return bare


def rules_text(*, entry: str, instructions: str) -> str:
    """The rule of every field as plain text, in the vocabulary's words. `entry`: the fields that are the evidence of a
    list's entry, as they are named in its shape."""
    return "\n".join(_rules(entry, instructions))


def _rules(entry: str, instructions: str) -> Iterator[str]:
    for name, part in answer_schema()["properties"].items():
        if name == "instructions":
            yield f"- {name}: {instructions}"
        elif part["type"] == "array":
            fields = {key: field for key, field in part["items"]["properties"].items() if key != "quote"}
            shape = ", ".join([entry, *fields])
            yield f"- {name} (list of {{{shape}}}, at most {_MOST_ENTRIES.get(name)}): {part['description']}"
            for key, field in fields.items():
                if rule := _field_rule(field, part["description"]):
                    yield f"  - {key}: {rule}"
        else:
            yield f"- {name}: {part['description']}"


def _field_rule(field: Mapping[str, Any], of_list: str) -> str:
    """The rule of an entry's field, with its values unless this rule or that of the list names them all."""
    rule, values = str(field.get("description", "")), field.get("enum", ())
    if any(all(value in text for value in values) for text in (rule, of_list)):
        return rule
    return f"One of {', '.join(values)}. {rule}".strip()


def _bare(name: str, field: Mapping[str, Any]) -> Schema:
    """A field without its description, bounded."""
    bare = {key: value for key, value in field.items() if key != "description"}
    if bare["type"] == "string" and "enum" not in bare:
        bare["maxLength"] = _LONGEST.get(name, _LONGEST_ELSE)
    return bare
