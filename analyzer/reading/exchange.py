"""One request to a model: how it is sent, and which part of the reply is the answer.

instructor shapes the request and finds the answer in the response. If it or an SDK raises after a response has arrived,
the paid answer is not lost: it is searched for here, and its cost is already noted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from analyzer.errors import ContentFiltered, ExtractionError, ProviderRejected
from analyzer.reading.clients import Exchange, ModelClient, current_exchange
from analyzer.reading.modes import ModelQuestion, answer_to, shape, whole_request, with_schema
from analyzer.reading.profiles import Mode
from analyzer.reading.provider_errors import error_from, error_of, garbled, report_in
from analyzer.reading.unwrapping import unwrapped

# instructor logs failed calls with the server's message, which may contain the key or the prompt.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)

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


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `fault`: why it has no answer, a key for `fault_of`; None if it has a text."""

    text: str = ""
    fault: str | None = None


def fault_of(fault: str, *, stored: bool = False) -> ExtractionError:
    """Make the error for a reply without an answer. `stored`: the reply is from an earlier run."""
    known = _FAULTS.get(fault) or ExtractionError("the model gave no usable answer; try another model")
    return type(known)(f"{known}{' (a stored answer; nothing was asked)' if stored else ''}")


async def send(
    client: ModelClient, question: ModelQuestion, mode: Mode, exchange: Exchange, *, window: int | None = None
) -> Reply:
    """Ask once, in one mode. Note in `exchange` what comes back, even if this raises. `window`: the context, in tokens,
    that the server is asked to set, where it can be set for a request.

    Raises the errors of `reading.provider_errors`, also for an error object in the body of an HTTP 200.
    """
    text = ""
    raised: Exception | None = None
    token = current_exchange.set(exchange)
    try:
        text = await _call(client, question, mode, exchange, window)
    except Exception as error:  # noqa: BLE001  # whatever they raise, an answer that has arrived is not lost
        raised = error
    finally:
        current_exchange.reset(token)
    said = "\n".join([question.message, *(message["content"] for message in question.said)])
    if isinstance(exchange.completion, str | bytes):  # the SDK returns an HTML page unchanged
        raise garbled()
    if exchange.completion is None and raised is not None:
        mapped = error_of(raised, said)
        if exchange.status == HTTPStatus.OK and isinstance(mapped, ProviderRejected):  # a body the SDK stumbles over
            mapped = garbled()
        raise mapped
    return _reply(exchange, text, said, question)


async def _call(
    client: ModelClient, question: ModelQuestion, mode: Mode, exchange: Exchange, window: int | None
) -> str:
    """Send a request; the text that instructor found in the answer, empty if it looked for none.

    For servers of OpenAI's protocol, the body is whole: instructor and SDK pass it on, and the answer is searched for
    here. Other SDKs copy their arguments at every call but add `extra_body` unchanged, so the long parts go there; they
    also replace what instructor would have put into the body for the mode.
    """
    if client.batch is not None:
        endpoint, body = whole_request(question, mode, client.profile, client.name)
        reply = await client.batch.reply(endpoint, body, settings=question.settings)
        if reply is not None:
            exchange.status, exchange.price = HTTPStatus.OK, client.batch.price
            exchange.arrived(reply)
            return ""
    if client.profile.api == "chat" and mode != "native":
        endpoint, content = client.bodies.encoded(question, mode, client.profile)
        asking = client.through_instructor().chat.completions
        exchange.arrived(await asking.create(response_model=None, messages=[], endpoint=endpoint, content=content))
        return ""
    shaped = shape(question, mode, client.profile, client.name)
    if client.profile.api == "chat":
        if window is not None:
            shaped.body["options"]["num_ctx"] = window
        answer = await client.outside_version().post("/api/chat", cast_to=object, body=shaped.body)
        exchange.arrived(_as_completion(answer) if isinstance(answer, Mapping) else answer)
        return ""
    asking = client.through_instructor().chat.completions
    if client.profile.api == "google":  # its SDK has no body to add to, so instructor only carries the messages
        exchange.arrived(await asking.create(response_model=None, max_retries=0, **shaped.arguments))
        return ""
    if client.profile.api == "sdk":
        model = with_schema(question)
        messages: Any = question.messages()
        found, completion = await asking.create_with_completion(
            response_model=model, messages=messages, model=client.name, max_retries=0
        )
    else:
        found, completion = await asking.create_with_completion(
            response_model=answer_to(question.form.tool),
            messages=[],
            max_retries=0,
            extra_body=shaped.body,
            **shaped.arguments,
        )
    if exchange.completion is None:
        exchange.arrived(completion)
    return str(found.text)


def _as_completion(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of Ollama's /api/chat in the shape of OpenAI's."""
    choice = {"message": answer.get("message"), "finish_reason": answer.get("done_reason")}
    usage = {"prompt_tokens": answer.get("prompt_eval_count"), "completion_tokens": answer.get("eval_count")}
    error = {"error": answer["error"]} if "error" in answer else {}
    return {"model": answer.get("model"), "choices": [choice], "usage": usage, **error}


# ---------------------------------------------------------------- what came back


def _reply(exchange: Exchange, text: str, said: str, question: ModelQuestion) -> Reply:
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
    parts = [part for item in _entries(_get(completion, "output")) for part in _entries(_get(item, "content"))]
    if _get(message, "refusal") or any(_get(part, "refusal") for part in parts):
        return Reply(fault="refused")
    if finish in _LENGTHS:
        return Reply(fault="cut_off")
    # Small models answer in plain text instead of calling the tool, call it by another name, or several times; of
    # several calls instructor takes the first, and of a text what lies between the first brackets.
    candidates = [_text_in(message), _text_elsewhere(completion), _reasoning(message), text]
    text = next((each for each in candidates if holds_answer(each, question)), "") or next(filter(None, candidates), "")
    if not text and message is None:
        return Reply(fault=EMPTY)
    return Reply(_storable(text))


def holds_answer(text: str, question: ModelQuestion) -> bool:
    """Whether a text contains an answer to a question."""
    try:
        return question.form.is_answer(unwrapped(text, question.fields)) if text.strip() else False
    except ValueError:
        return False


def calls_in(completion: object) -> int:
    """How many calls of a tool with arguments a completion has."""
    message = _get(_first(_get(completion, "choices")), "message")
    calls = [_get(_get(call, "function"), "arguments") for call in _entries(_get(message, "tool_calls"))]
    calls.append(_get(_get(message, "function_call"), "arguments"))
    calls += [_get(block, "input") for block in _entries(_get(completion, "content"))]
    return sum(_text(call).strip() not in ("", "{}", "null") for call in calls)


def not_understood(text: str, mode: Mode, completion: object, question: ModelQuestion) -> bool:
    """Whether an answer shows that the mode was not understood: there is no answer in it, and no sign of the mode. JSON
    that is broken off is a fault of the model, not of the mode."""
    if mode == "text" or holds_answer(text, question):
        return False
    if mode.startswith("tools"):
        return not calls_in(completion)
    return not text.lstrip().startswith("{") or document_in(text, question) is not None


def document_in(text: str, question: ModelQuestion) -> object:
    """The document in an answer; None if there is none."""
    try:
        return unwrapped(text, question.fields)
    except ValueError:
        return None


def _finish(completion: object, choice: object) -> str:
    """Why the answer ended, in the provider's word and lower case; empty if it does not say."""
    candidate = _first(_get(completion, "candidates"))
    reasons = [
        _get(choice, "finish_reason"),
        _get(completion, "stop_reason"),
        _get(candidate, "finish_reason"),
        _get(_get(completion, "prompt_feedback"), "block_reason"),
        _get(_get(completion, "incomplete_details"), "reason"),
    ]
    named = next((reason for reason in reasons if reason), "")
    return str(getattr(named, "name", named)).lower()


def _text_in(message: object) -> str:
    """The answer in a message of OpenAI's kind: the arguments of its tool call, else its content."""
    calls = [_get(call, "function") for call in _entries(_get(message, "tool_calls"))]
    arguments = [_text(_get(call, "arguments")) for call in (*calls, _get(message, "function_call"))]
    return _together(arguments) or _content(_get(message, "content"))


def _together(arguments: list[str]) -> str:
    """The arguments of all calls: of one call alone, or of several one after the other, once each."""
    return "\n".join(dict.fromkeys(text for text in arguments if text.strip() not in ("", "{}", "null")))


def _reasoning(message: object) -> str:
    """What a server took for the model's thoughts; some put the whole answer there."""
    return _content(_get(message, "reasoning_content") or _get(message, "reasoning"))


def _text_elsewhere(completion: object) -> str:
    """The same for the shapes of Anthropic, Google and OpenAI's Responses API."""
    content = _get(completion, "content")
    blocks = _entries(content) or _entries(_get(_get(_first(_get(completion, "candidates")), "content"), "parts"))
    output = _entries(_get(completion, "output"))
    blocks += [part for item in output for part in (item, *_entries(_get(item, "content")))]
    inputs = [
        _text(_get(block, "input") or _get(block, "arguments") or _get(_get(block, "function_call"), "args"))
        for block in blocks
    ]
    return _together(inputs) or _content([block for block in blocks if not _get(block, "thought")])


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
