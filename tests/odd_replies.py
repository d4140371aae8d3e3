"""Odd replies of servers that call themselves OpenAI-compatible, each as it was reported, for tests/model_server.py.

A quirk says what has to become of a pitch whose every question is answered like this, while others are answered well:

- `read`: there is an answer in it; the pitch is assessed.
- `fails`: this pitch has a row with an error, and the run goes on.
- `waits`: it is asked for again until there is an answer.
- `ends`: no other pitch would fare better; the run ends with one error.

`paid`: whether it counts as a request that the provider may charge for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from tests.completions import answer, completion
from tests.model_server import Reply

Outcome = Literal["read", "fails", "waits", "ends"]


@dataclass(frozen=True, slots=True)
class Quirk:
    reply: Reply
    outcome: Outcome
    paid: bool = False


def _good(change: Callable[[dict[str, Any]], object] | None = None, **options: Any) -> Reply:
    """A sound answer whose body was changed in place."""
    body = json.loads(completion(answer(), **options).content)
    if change is not None:
        change(body)
    return Reply(json.dumps(body).encode())


def _error(status: int, message: str, code: Any = None, **fields: Any) -> Reply:
    return Reply(json.dumps({"error": {"message": message, "code": code, **fields}}).encode(), status)


def _usage(**usage: Any) -> Quirk:
    return Quirk(_good(lambda body: body.update(usage=usage)), "read", paid=True)


def _message(**changes: Any) -> Reply:
    return _good(lambda body: body["choices"][0].update(changes))


def _arguments(change: Callable[[str], str]) -> Reply:
    def replace(body: dict[str, Any]) -> None:
        function = body["choices"][0]["message"]["tool_calls"][0]["function"]
        function["arguments"] = change(function["arguments"])

    return _good(replace)


_TOO_LARGE: Final = "Request too large on tokens per min (TPM): Limit 30000, Requested 45411"

QUIRKS: Final[dict[str, Quirk]] = {
    # HTTP 200, and no answer in it
    "an error object": Quirk(_error(200, "Provider returned error", 502), "fails", paid=True),
    "an error object that says HTTP 429": Quirk(_error(200, "Rate limit exceeded: free-models-per-min", 429), "waits"),
    "choices are empty": Quirk(_good(lambda body: body.update(choices=[])), "fails", paid=True),
    "choices are null": Quirk(_good(lambda body: body.update(choices=None)), "fails", paid=True),
    "the message is null": Quirk(_message(message=None), "fails", paid=True),
    "an empty body": Quirk(Reply(b""), "fails", paid=True),
    "a sign-in page": Quirk(
        Reply(b"<html>Please sign in</html>", headers={"Content-Type": "text/html"}), "fails", paid=True
    ),
    "filtered by a guardrail": Quirk(_message(finish_reason="guardrail_intervened"), "fails", paid=True),
    "filtered": Quirk(Reply(completion(None, plain=True, finish="content_filter").content), "fails", paid=True),
    "refused": Quirk(Reply(completion(None, refusal="I can't.").content), "fails", paid=True),
    "cut off at the length limit": Quirk(
        Reply(completion('{"in_scope": true, "prod', finish="length").content), "fails", paid=True
    ),
    "an empty object": Quirk(Reply(completion("{}").content), "fails", paid=True),
    # HTTP 200, and an answer in an odd frame
    "usage is null": Quirk(_good(lambda body: body.update(usage=None)), "read", paid=True),
    "usage is missing": Quirk(_good(lambda body: body.pop("usage")), "read", paid=True),
    "counts are null": _usage(prompt_tokens=None, completion_tokens=None, total_tokens=None),
    "counts are text": _usage(prompt_tokens="5000", completion_tokens="900", total_tokens="5900"),
    "counts are fractions": _usage(prompt_tokens=5000.5, completion_tokens=900.0, total_tokens=5900.5),
    "counts are negative": _usage(prompt_tokens=-1, completion_tokens=-1, total_tokens=-2),
    "a count no database holds": _usage(prompt_tokens=2**63, completion_tokens=900, total_tokens=2**63 + 900),
    "more cached than sent": _usage(
        prompt_tokens=5, completion_tokens=900, total_tokens=905, prompt_tokens_details={"cached_tokens": 4735}
    ),
    "the reason to finish is null": Quirk(_message(finish_reason=None), "read", paid=True),
    "an unknown reason to finish": Quirk(_message(finish_reason="eos"), "read", paid=True),
    "a number that is none": Quirk(_arguments(lambda text: text[:-1] + ', "score": NaN}'), "read", paid=True),
    "half a character": Quirk(
        _arguments(lambda text: text.replace("Finds idle", "Finds \\ud83d idle")), "read", paid=True
    ),
    # HTTP errors that say something about this pitch
    "HTTP 400, filtered": Quirk(_error(400, "The response was filtered", "content_filter"), "fails"),
    "HTTP 400, too long for the model": Quirk(
        _error(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"), "fails"
    ),
    "HTTP 413": Quirk(_error(413, "Request body too large for model", "tokens_limit_reached"), "fails"),
    "HTTP 429, larger than the limit": Quirk(_error(429, _TOO_LARGE, "rate_limit_exceeded", type="tokens"), "fails"),
    # HTTP errors that say something about the account
    "HTTP 402": Quirk(_error(402, "Insufficient credits", 402), "ends"),
    "HTTP 429, no quota": Quirk(_error(429, "You exceeded your current quota", "insufficient_quota"), "ends"),
}
"""What was seen in the wild, by what is odd about it."""
