"""Shapes a request for each way of asking (mode) and each kind of API.

Hidden here: where rules, schema and settings go. Every mode has the rules as text, once, and a short schema,
with temperature 0 and a seed where the server takes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, Final, Self

import pydantic
from instructor import ResponseSchema

from analyzer.reading import prompts
from analyzer.reading.forms import Form, Tool
from analyzer.reading.pitch import Pitch
from analyzer.reading.profiles import Mode, Profile

Messages = list[dict[str, str]]

SEED: Final = 7
_CODES: Final = "codes"


class Answer(ResponseSchema):
    """The answer of a model, as text: whoever asks decides which parts of it are valid."""

    _text: str = pydantic.PrivateAttr(default="")

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Only the name: the schema is added to the body as it is, because the SDK copies its arguments."""
        return {"title": cls.__name__, "type": "object", "properties": {}}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        answer = cls()
        answer._text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8", "replace")
        return answer

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """SDKs that parse the answer themselves pass an object instead of a text."""
        return cls.model_validate_json(json.dumps(obj, ensure_ascii=False))

    @property
    def text(self) -> str:
        return self._text


@cache
def answer_to(tool: Tool) -> type[Answer]:
    """The answer under the name by which a form asks for it."""
    return type(tool.name, (Answer,), {"__doc__": tool.description, "__module__": __name__})


def with_schema(question: ModelQuestion) -> type[Answer]:
    """The same with the answer's schema, for SDKs whose requests cannot be added to."""
    return _with_schema(question.form.tool, json.dumps(question.schema(), sort_keys=True))


@lru_cache(maxsize=64)
def _with_schema(tool: Tool, schema: str) -> type[Answer]:
    content = {"title": tool.name, "description": tool.description, **json.loads(schema)}

    class WithSchema(Answer):
        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return content

    WithSchema.__name__ = tool.name
    WithSchema.__doc__ = tool.description
    return WithSchema


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """What is asked about a text, before a mode shapes it.

    `said`: the answers so far and what was said about them. `codes`: the two numbers around a prompt that its server
    may cut; an answer that returns them saw all of it. `reading`: which reading of the pitch it is, from 1.
    `settings`: whether temperature, seed and the like are sent. `rendered`: the message of the pitch, if it was made
    before.
    """

    form: Form
    pitch: Pitch
    said: Messages = field(default_factory=list)
    codes: tuple[int, int] | None = None
    reading: int = 1
    settings: bool = True
    rendered: str | None = None

    @property
    def message(self) -> str:
        """The pitch as it is sent."""
        return self.form.message(self.pitch) if self.rendered is None else self.rendered

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the answer."""
        properties: Mapping[str, Any] = self.schema()["properties"]
        return properties

    def schema(self) -> dict[str, Any]:
        """The short schema of the answer."""
        schema = self.form.schema(self.pitch)
        if self.codes is None:
            return schema
        number = {"type": "integer"}
        codes = _closed({"first": number, "second": number})
        return _closed({_CODES: codes, **schema["properties"]})

    def messages(self, *, schema: bool = False, left_out: tuple[str, ...] = ()) -> Messages:
        """The system message with the rules, the pitch, and what was said since. `schema`: whether the system message
        has the schema as text."""
        system, user = self.form.instructions(rules=True), self.message
        if schema:
            text = json.dumps(without(self.schema(), left_out), ensure_ascii=False, separators=(",", ":"))
            system = f"{system}\n\n{prompts.as_json(text)}"
        if self.codes is not None:
            first, second = prompts.codes(*self.codes)
            system, user = f"{first}\n\n{system}", f"{user}\n\n{second}"
        return [{"role": "system", "content": system}, {"role": "user", "content": user}, *self.said]


def codes_for(pitch: Pitch) -> tuple[int, int]:
    """Two numbers of four digits that follow from the pitch's fingerprint, so that stored answers are found again."""
    digest = hashlib.sha256(f"codes {pitch.ref.sha256}".encode()).digest()
    return 1000 + int.from_bytes(digest[:4], "big") % 9000, 1000 + int.from_bytes(digest[4:8], "big") % 9000


def returned_codes(document: object) -> tuple[int, int] | None:
    """The codes that an answer returns; None if it does not."""
    codes = document.get(_CODES) if isinstance(document, Mapping) else None
    try:
        return (int(codes["first"]), int(codes["second"])) if isinstance(codes, Mapping) else None
    except (KeyError, TypeError, ValueError):
        return None


# ---------------------------------------------------------------- shapes


@dataclass(frozen=True, slots=True)
class Shape:
    """A request. `body`: its body; for other SDKs than OpenAI's, parts that go into it as they are. `arguments`: of the
    SDK's call."""

    body: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)


def shape(question: ModelQuestion, mode: Mode, profile: Profile, name: str) -> Shape:
    """Shape a question for `name`, the model without its provider, in this mode."""
    if profile.api == "anthropic":
        return _anthropic(question, mode, profile)
    if profile.api == "google":
        return _google(question, mode, profile)
    if mode == "native":
        return Shape(_ollama(question, profile, name))
    if mode == "responses":
        return _responses(question, profile)
    return _chat(question, mode, profile)


def whole_request(question: ModelQuestion, mode: Mode, profile: Profile, name: str) -> tuple[str, dict[str, Any]]:
    """The same request for whoever sends it as it is: the end of its address, and the whole body."""
    body = {key: part for key, part in shape(question, mode, profile, name).body.items() if part is not _absent()}
    if profile.api == "anthropic":
        return "/messages", {"model": name, **body}
    if mode == "responses":
        return "/responses", {"model": name, **body}
    if mode == "tools":
        body["tool_choice"] = {"type": "function", "function": {"name": question.form.tool.name}}
    return "/chat/completions", {"model": name, **body}


def _chat(question: ModelQuestion, mode: Mode, profile: Profile) -> Shape:
    left_out = profile.parameters.left_out
    body: dict[str, Any] = {"messages": question.messages(schema=mode in ("json", "text"), left_out=left_out)}
    if mode in ("tools", "tools_required", "tools_auto"):
        body["tools"] = _tool(question, profile)
        one = {"type": "function", "function": {"name": question.form.tool.name}}
        body["tool_choice"] = one if mode == "tools" else "required" if mode == "tools_required" else "auto"
    elif mode == "json_schema":
        schema = without(question.schema(), left_out)
        named = {"name": question.form.tool.name, "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif mode == "json":
        body["response_format"] = {"type": "json_object"}
    return Shape({**body, **_settings(question, profile)})


def _responses(question: ModelQuestion, profile: Profile) -> Shape:
    """OpenAI's Responses API, with a schema and without tools; OpenAI is asked not to store the answer."""
    schema = without(question.schema(), profile.parameters.left_out)
    body = {
        "input": question.messages(),
        "text": {"format": {"type": "json_schema", "name": question.form.tool.name, "strict": True, "schema": schema}},
        "store": False,
        **_extra(question, profile),
    }
    if question.settings:
        body |= _sampling(question, profile.parameters.temperature)
    return Shape(body)


def _anthropic(question: ModelQuestion, mode: Mode, profile: Profile) -> Shape:
    parameters = profile.parameters
    system, *others = question.messages(schema=mode == "text", left_out=parameters.left_out)
    schema = without(question.schema(), parameters.left_out)
    body: dict[str, Any] = {
        "max_tokens": parameters.answer_tokens,
        "system": [{"type": "text", "text": system["content"], "cache_control": {"type": "ephemeral"}}],
        "messages": others,
        **_extra(question, profile),
    }
    if question.settings:
        body |= _sampling(question, parameters.temperature)
    if mode in ("tools", "tools_auto"):
        tool = {"name": question.form.tool.name, "description": question.form.tool.description, "input_schema": schema}
        forced = {"type": "tool", "name": question.form.tool.name, "disable_parallel_tool_use": True}
        body |= {"tools": [tool], "tool_choice": forced if mode == "tools" else {"type": "auto"}}
    else:
        body |= dict.fromkeys(("tools", "tool_choice"), _absent())
    if mode == "native":
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    arguments = {"max_tokens": parameters.answer_tokens}  # the SDK refuses a call without it
    return Shape(body, arguments)


@cache
def _absent() -> Any:
    """Takes a part that instructor adds out of the body again, for Anthropic's SDK."""
    try:
        anthropic: Any = import_module("anthropic")
    except ImportError:  # in a batch, which needs no SDK
        return object()
    return anthropic.Omit()


def _google(question: ModelQuestion, mode: Mode, profile: Profile) -> Shape:
    """Google's SDK has a typed configuration in place of a body."""
    parameters = profile.parameters
    schema = without(question.schema(), parameters.left_out)
    config: dict[str, Any] = dict(_extra(question, profile))
    if question.settings:
        config |= _sampling(question, parameters.temperature, parameters.seed)
    if mode == "native":
        config |= {"response_mime_type": "application/json", "response_json_schema": schema}
    elif mode == "tools":
        name = question.form.tool.name
        declared = {"name": name, "description": question.form.tool.description, "parameters_json_schema": schema}
        config["tools"] = [{"function_declarations": [declared]}]
        config["tool_config"] = {"function_calling_config": {"mode": "ANY", "allowed_function_names": [name]}}
    messages = [
        {**message, "role": "model" if message["role"] == "assistant" else message["role"]}
        for message in question.messages(schema=mode == "text", left_out=parameters.left_out)
    ]
    return Shape({}, {"messages": messages, "config": config})


def _ollama(question: ModelQuestion, profile: Profile, name: str) -> dict[str, Any]:
    """Ollama's /api/chat; `num_ctx` is added where the window is known."""
    options: dict[str, Any] = {"num_predict": profile.parameters.answer_tokens}
    options |= _sampling(question, temperature=True, seed=True)
    return {
        "model": name,
        "messages": question.messages(),
        "format": question.schema(),
        "options": options,
        "stream": False,
        **({"think": False} if question.settings else {}),
    }


# ---------------------------------------------------------------- parts


def _tool(question: ModelQuestion, profile: Profile) -> list[dict[str, Any]]:
    tool = _function(question, profile)
    if profile.parameters.strict_tools:
        tool["function"]["strict"] = True
    return [tool]


def _function(question: ModelQuestion, profile: Profile) -> dict[str, Any]:
    tool, schema = question.form.tool, without(question.schema(), profile.parameters.left_out)
    return {"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": schema}}


def _settings(question: ModelQuestion, profile: Profile) -> dict[str, Any]:
    """Temperature, seed and the longest answer."""
    parameters = profile.parameters
    if not question.settings:
        return {}
    settings = _extra(question, profile)
    if parameters.max_tokens:
        settings[parameters.max_tokens] = parameters.answer_tokens
    return settings | _sampling(question, parameters.temperature, parameters.seed)


def _sampling(question: ModelQuestion, temperature: bool, seed: bool = False) -> dict[str, int]:
    """Temperature and seed, where the server takes them. A second reading is meant to differ from the first: it has the
    server's own temperature, and its number as the seed, so that it can be repeated."""
    if question.reading > 1:
        return {"seed": question.reading} if seed else {}
    return ({"temperature": 0} if temperature else {}) | ({"seed": SEED} if seed else {})


def _extra(question: ModelQuestion, profile: Profile) -> dict[str, Any]:
    return dict(profile.parameters.extra) if question.settings else {}


def without(schema: dict[str, Any], keywords: tuple[str, ...]) -> dict[str, Any]:
    """The schema without some keywords of JSON Schema; names of fields are not keywords."""
    if not keywords:
        return schema

    def cut(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        left = {key: value for key, value in part.items() if key not in keywords}
        for key, value in left.items():
            if key in ("properties", "$defs") and isinstance(value, dict):
                left[key] = {name: cut(field) for name, field in value.items()}
            elif key in ("items", "anyOf", "additionalProperties"):
                left[key] = [cut(each) for each in value] if isinstance(value, list) else cut(value)
        return left

    shorter: dict[str, Any] = cut(schema)
    return shorter


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
