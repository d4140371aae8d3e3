"""One request to a model: how it is sent, and which part of the reply is the answer.

instructor shapes the request and finds the answer in the response. If it or an SDK raises after a response has arrived,
the paid answer is not lost: it is searched for here, and its cost is already noted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final, Self

import instructor
import openai
import pydantic
from instructor import ResponseSchema

from analyzer.errors import ContentFiltered, ExtractionError, ProviderRejected
from analyzer.reading.clients import Exchange, current_exchange
from analyzer.reading.provider_errors import error_from, error_of, garbled, report_in
from analyzer.vocabulary.signals import answer_schema

# instructor logs failed calls with the server's message, which may contain the key or the prompt.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)

Messages = list[dict[str, str]]

FILTERED: Final = "filtered"
EMPTY: Final = "empty"
_FAULTS: Final[Mapping[str, ExtractionError]] = {
    FILTERED: ContentFiltered(
        "the provider's content filter blocked the answer about this pitch; use another model or provider for it"
    ),
    "refused": ExtractionError("the model refused to read this pitch; try another model"),
    "cut_off": ExtractionError(
        "the model's answer was cut off at its length limit; use a model that can write longer answers"
    ),
    EMPTY: ExtractionError(
        "the model gave no usable answer, even when asked again: the answer is empty; try another model"
    ),
}
_FILTERS: Final = frozenset(
    {
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "sensitive",
        "refusal",
        "safety",
        "blocklist",
        "prohibited_content",
        "recitation",
        "spii",
        "model_armor",
    }
)
"""Words for a filter that ended the answer: OpenAI, Bedrock, Zhipu, Anthropic, Google."""
_LENGTHS: Final = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"}
)


class RecordSignals(ResponseSchema):
    """Record what the pitch says, with the words it says it in."""

    # The answer stays text here: `reading.answers` decides which parts are valid.
    _text: str = pydantic.PrivateAttr(default="")

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return {"title": cls.__name__, "description": cls.__doc__, **answer_schema()}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        answer = cls()
        answer._text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8", "replace")
        return answer

    @property
    def text(self) -> str:
        return self._text


class _Named(RecordSignals):
    """The same without its schema, for clients that also get the prepared tool of `_tool`."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return {"title": RecordSignals.__name__, "type": "object", "properties": {}}


@cache
def _tool() -> list[dict[str, Any]]:
    """The tool as it is sent. The SDK adds it to the body unchanged; it would copy a schema among its arguments at
    every call."""
    schema = RecordSignals.model_json_schema()
    parameters = {name: part for name, part in schema.items() if name not in ("title", "description")}
    function = {"name": RecordSignals.__name__, "description": RecordSignals.__doc__, "parameters": parameters}
    return [{"type": "function", "function": function}]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `fault`: why it has no answer, a key for `fault_of`; None if it has a text."""

    text: str = ""
    fault: str | None = None


def fault_of(fault: str, *, stored: bool = False) -> ExtractionError:
    """Make the error for a reply without an answer. `stored`: the reply is from an earlier run."""
    known = _FAULTS.get(fault) or ExtractionError("the model gave no usable answer; try another model")
    return type(known)(f"{known}{' (a stored answer; nothing was asked)' if stored else ''}")


async def send(client: instructor.AsyncInstructor, messages: Messages, exchange: Exchange) -> Reply:
    """Ask once. Note in `exchange` what comes back, even if this raises.

    Raises the errors of `reading.provider_errors`, also for an error object in the body of an HTTP 200.
    """
    text = ""
    raised: Exception | None = None
    token = current_exchange.set(exchange)
    try:
        answer, completion = await client.chat.completions.create_with_completion(
            max_retries=0,
            **_shape(client, messages),
        )
        text = answer.text
        if exchange.completion is None:
            exchange.arrived(completion)
    except Exception as error:  # noqa: BLE001  # whatever they raise, an answer that has arrived is not lost
        raised = error
    finally:
        current_exchange.reset(token)
    said = "\n".join(message["content"] for message in messages[1:])
    if isinstance(exchange.completion, str | bytes):  # the SDK returns an HTML page unchanged
        raise garbled()
    if exchange.completion is None and raised is not None:
        mapped = error_of(raised, said)
        if exchange.status == HTTPStatus.OK and isinstance(mapped, ProviderRejected):  # a body the SDK stumbles over
            mapped = garbled()
        raise mapped
    return _reply(exchange, text, said)


def _shape(client: instructor.AsyncInstructor, messages: Messages) -> dict[str, Any]:
    """The messages, and the shape of the answer. OpenAI's SDK copies its arguments at every call but adds `extra_body`
    unchanged, so the long parts go there."""
    if isinstance(client.client, openai.AsyncOpenAI) and client.mode == instructor.Mode.TOOLS:
        return {
            "messages": [],
            "response_model": _Named,
            "extra_body": {"messages": messages, "tools": _tool()},
        }
    return {"messages": messages, "response_model": RecordSignals}


# ---------------------------------------------------------------- what came back


def _reply(exchange: Exchange, text: str, said: str) -> Reply:
    completion = exchange.completion
    choice = _first(_get(completion, "choices"))
    error = _get(completion, "error") or _get(choice, "error")
    if error:
        report = report_in(error, said)
        if report.status is not None and report.status < 500:
            exchange.status = report.status  # refused before anything was generated
        raise error_from(report)
    finish = _finish(completion, choice)
    if finish in _FILTERS:
        return Reply(fault=FILTERED)
    message = _get(choice, "message")
    if _get(message, "refusal"):
        return Reply(fault="refused")
    if finish in _LENGTHS:
        return Reply(fault="cut_off")
    # Small models sometimes answer in plain text instead of calling the tool, or call it by another name.
    if not text or len(_entries(_get(message, "tool_calls"))) > 1:  # of several calls instructor takes the first
        text = _text_in(message) or _text_elsewhere(completion)
    if not text and message is None:
        return Reply(fault=EMPTY)
    return Reply(_storable(text))


def _finish(completion: object, choice: object) -> str:
    """Why the answer ended, in the provider's word and lower case; empty if it does not say."""
    candidate = _first(_get(completion, "candidates"))
    reasons = [
        _get(choice, "finish_reason"),
        _get(completion, "stop_reason"),
        _get(candidate, "finish_reason"),
        _get(_get(completion, "prompt_feedback"), "block_reason"),
    ]
    named = next((reason for reason in reasons if reason), "")
    return str(getattr(named, "name", named)).lower()


def _text_in(message: object) -> str:
    """The answer in a message of OpenAI's kind: the arguments of its tool call, else its content."""
    calls = [_get(call, "function") for call in _entries(_get(message, "tool_calls"))]
    arguments = [_text(_get(call, "arguments")) for call in (*calls, _get(message, "function_call"))]
    return max(arguments, key=len) or _content(_get(message, "content"))


def _text_elsewhere(completion: object) -> str:
    """The same for Anthropic's and Google's shapes."""
    content = _get(completion, "content")
    blocks = _entries(content) or _entries(_get(_get(_first(_get(completion, "candidates")), "content"), "parts"))
    inputs = [_text(_get(block, "input") or _get(_get(block, "function_call"), "args")) for block in blocks]
    return max(inputs, key=len, default="") or _content(blocks)


def _content(content: object) -> str:
    """A text, or a list of parts with texts."""
    if isinstance(content, str):
        return content
    return "".join(text for part in _entries(content) if isinstance(text := _get(part, "text"), str))


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def _get(holder: object, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _entries(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _first(value: object) -> Any:
    return next(iter(_entries(value)), None)


def _storable(text: str) -> str:
    """The text without characters that no database or file accepts: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
