"""A model's service for tests: completions as an OpenAI-compatible server sends them, and answers that fit a pitch."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from analyzer.vocabulary.signals import SIGNALS

PITCH = (
    "Wattwise: cut your GPU bill\n\n"
    "Platform teams pay for GPUs that stand idle. Wattwise finds them and hands them to the next job.\n"
    "Your CTO signs once; unlike AWS, we charge by what you save. Helm users start in ten minutes.\n"
    "Acme cut its bill from $90,000 to $61,000 a month."
)
URL = "https://models.test/v1"
CHAT = f"{URL}/chat/completions"


def answer(**changes: Any) -> dict[str, Any]:
    """A complete answer for PITCH, with some fields replaced."""
    unknown = {name: {"quotes": [], "basis": "absent", "value": "unknown"} for name in SIGNALS}
    given: dict[str, Any] = {
        "instructions": [],
        "in_scope": True,
        "product": "Wattwise",
        "summary": "Finds idle GPUs and gives them to waiting jobs.",
        "problems": [
            {
                "statement": "GPUs stand idle and cost money",
                "quote": "Platform teams pay for GPUs that stand idle.",
                "stage": "day_2",
                "focus": "engineering",
                "primary": True,
            }
        ],
        "personas": [{"quote": "Platform teams", "role": "platform_engineer"}],
        "competitors": [{"quote": "unlike AWS", "name": "AWS", "kind": "cloud_vendor"}],
        **unknown,
        "buyer": single("engineering_leadership", "Your CTO signs once"),
        "category": single("cost_optimization", "cut your GPU bill"),
    }
    return given | changes


def single(value: str, *quotes: str, basis: str = "stated") -> dict[str, Any]:
    return {"quotes": list(quotes), "basis": basis, "value": value}


def completion(content: dict[str, Any] | str | None, **changes: Any) -> httpx.Response:
    """A response with the answer as a tool call. `finish`, `refusal` and `plain` (content without a call) may be set."""
    text = content if isinstance(content, str) else json.dumps(content)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": changes.get("refusal")}
    if changes.get("plain"):
        message["content"] = "" if content is None else text
    elif not changes.get("refusal"):
        call = {"id": "call_1", "type": "function", "function": {"name": "RecordSignals", "arguments": text}}
        message["tool_calls"] = [call]
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1-mini",
        "choices": [
            {"index": 0, "message": message, "finish_reason": changes.get("finish", "tool_calls"), "logprobs": None}
        ],
        "usage": {
            "prompt_tokens": 5000,
            "completion_tokens": 900,
            "total_tokens": 5900,
            "prompt_tokens_details": {"cached_tokens": 4000},
        },
    }
    return httpx.Response(200, json=body)


def failure(status: int, code: str | None = None, message: str = "no", **headers: str) -> httpx.Response:
    error = {"message": message, "type": "error", "code": code, "param": None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": error}, headers=named)


def pitch_as_sent(message: str) -> str:
    """The pitch in a user's message of numbered sentences, its white space as single blanks."""
    lines = message.splitlines()
    marker = lines[-1]
    between = lines[lines.index(marker) + 1 : -1]
    return " ".join(re.sub(r"^\[\d+\] ", "", line) for line in between)


def in_one_line(text: str) -> str:
    return " ".join(text.split())
