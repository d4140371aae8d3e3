"""How makers wrap an answer: bodies of chat completions, Responses, Anthropic, Google and Ollama's own protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

TOOL: Final = "RecordSignals"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """What is sent back. `body`: an object, sent as JSON, or text, sent as HTML."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    @property
    def content_type(self) -> str:
        return "text/html" if isinstance(self.body, str) else "application/json"


def tokens(request: Body) -> int:
    """About how many tokens a request has: a quarter of its characters, without parameters that are not templated."""
    parts = ("messages", "tools", "system", "input", "instructions", "contents", "systemInstruction")
    return sum(len(json.dumps(request[name], ensure_ascii=False)) for name in parts if name in request) // 4


def said(request: Body) -> str:
    """All that a request says to the model, whatever protocol it is in."""
    parts = ("messages", "system", "input", "instructions", "contents", "systemInstruction")
    return "\n".join(_texts(request.get(name)) for name in parts)


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(_texts(part) for name, part in value.items() if name not in ("role", "type"))
    if isinstance(value, list):
        return "\n".join(map(_texts, value))
    return ""


# ---------------------------------------------------------------- chat completions


def completed(request: Body, message: Body, finish: str = "stop", **fields: Any) -> Response:
    """A chat completion with this message. `fields` replace parts of the body."""
    taken = tokens(request)
    made = len(json.dumps(message)) // 4
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": request.get("model"),
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": taken, "completion_tokens": made, "total_tokens": taken + made},
    }
    return Response(body | fields)


def text(request: Body, content: Any, finish: str = "stop", **fields: Any) -> Response:
    return completed(request, {"content": content}, finish, **fields)


def call(arguments: Any, name: str = TOOL, id: str = "call_1") -> Body:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(request: Body, *made: Body, finish: str = "tool_calls", **fields: Any) -> Response:
    return completed(request, {"content": None, "tool_calls": list(made)}, finish, **fields)


def refusal(status: int, message: str, **fields: Any) -> Response:
    """An error object as OpenAI and most others send it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Response({"error": error | fields}, status)


# ---------------------------------------------------------------- other protocols


def responded(request: Body, answer: str) -> Response:
    """A body of OpenAI's Responses API: reasoning first, then a call if tools were sent, else text."""
    shared = {"id": "item_1", "status": "completed"}
    if request.get("tools"):
        item: Body = {**shared, "type": "function_call", "call_id": "call_1", "name": TOOL, "arguments": answer}
    else:
        content = [{"type": "output_text", "text": answer, "annotations": []}]
        item = {**shared, "type": "message", "role": "assistant", "content": content}
    taken, made = tokens(request), len(answer) // 4
    return Response(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "model": request.get("model"),
            "output": [{"type": "reasoning", "id": "rs_1", "summary": []}, item],
            "parallel_tool_calls": True,
            "tool_choice": request.get("tool_choice", "auto"),
            "tools": request.get("tools", []),
            "usage": {
                "input_tokens": taken,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": made,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": taken + made,
            },
        }
    )


def anthropic_message(request: Body, answer: str) -> Response:
    """A message of Anthropic's own API: a tool's input if tools were sent, else text."""
    block: Body = {"type": "text", "text": answer}
    if request.get("tools"):
        block = {"type": "tool_use", "id": "toolu_1", "name": request["tools"][0]["name"], "input": json.loads(answer)}
    return Response(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": request.get("model"),
            "content": [block],
            "stop_reason": "tool_use" if request.get("tools") else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": tokens(request), "output_tokens": len(answer) // 4},
        }
    )


def google_content(request: Body, answer: str) -> Response:
    """A response of Gemini's own API: a function call if tools were sent, else text."""
    part: Body = {"text": answer}
    if request.get("tools"):
        declared = request["tools"][0].get("functionDeclarations") or request["tools"][0]["function_declarations"]
        part = {"functionCall": {"name": declared[0]["name"], "args": json.loads(answer)}}
    taken, made = tokens(request), len(answer) // 4
    return Response(
        {
            "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}}],
            "modelVersion": "gemini",
            "usageMetadata": {
                "promptTokenCount": taken,
                "candidatesTokenCount": made,
                "totalTokenCount": taken + made,
            },
        }
    )


def ollama_chat(request: Body, answer: str, *, room: int) -> Response:
    """Ollama's own chat. Over `room` tokens (num_ctx, if the request sets it) half of the room is left of the prompt,
    without an error, and the model sums up what it sees."""
    room = (request.get("options") or {}).get("num_ctx") or room
    fits = tokens(request) <= room
    shown = answer if fits else "The pitch describes a product for teams."
    return Response(
        {
            "model": request.get("model"),
            "created_at": "2026-11-27T00:00:00Z",
            "message": {"role": "assistant", "content": shown},
            "done": True,
            "done_reason": "stop",
            "total_duration": 1,
            "prompt_eval_count": tokens(request) if fits else room // 2 + 2,
            "eval_count": len(shown) // 4,
        }
    )
