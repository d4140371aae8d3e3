"""A model's service in a process of its own that fails on purpose, by a seed, and keeps a ledger of what it answered.

    python -m tests.soak.server LEDGER PLAN [PORT]      # prints its port; ends with its standard input

Every pitch of the soak test carries its number, so the server knows which one it is asked about, and which fault is
that pitch's lot: the same seed gives the same faults. POST /weather with a name of `Weather` changes what it does to
everybody. Its answers hold for every pitch of `pitch_text`, so a client asks again only because of a fault.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from tests.completions import PITCH, answer, completion
from tests.soak.ledger import Entry, Event, Ledger

Weather = Literal["fair", "storm", "unavailable"]
"""storm: nearly everybody is refused with HTTP 429. unavailable: everybody is, with HTTP 503."""

KINDS: Final[dict[str, Sequence[str]]] = {
    "rate limits": ("429", "429 seconds", "429 milliseconds", "429 date"),
    "server errors": ("500", "503"),
    "dropped connections": ("hang up", "reset"),
    "slow answers": ("dribble", "no answer"),
    "malformed answers": ("not json", "cut off", "twice", "broken arguments"),
    "content filter": ("filtered", "filtered with HTTP 400"),
}
"""Six kinds of faults, and the ways in which each is met."""
FILTERED: Final = KINDS["content filter"]
ONCE: Final = ("no answer", "broken arguments")
"""Faults that no pitch meets twice: one costs a time-out, the other one of few questions."""
_STORM: Final = 0.97
_PITCH: Final = re.compile(rb"Soak pitch (\d+)\.")
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server behaves. `latency` in seconds; `faults`: share of pitches that meet one; `waits`: what a storm's
    Retry-After says ("" = nothing, "date" = a date in two seconds)."""

    seed: int = 0
    latency: float = 0.02
    faults: float = 0.0
    waits: tuple[str, ...] = ("", "1")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        fields = json.loads(text)
        return cls(**{**fields, "waits": tuple(fields["waits"])})


def pitch_text(number: int) -> str:
    return f"{PITCH}\nSoak pitch {number}."


def lot(plan: Plan, pitch: int) -> tuple[str, int]:
    """The fault that a pitch meets ("" = none), and how often. Filtered pitches are never answered."""
    rng = random.Random(f"{plan.seed} {pitch}")
    if rng.random() >= plan.faults:
        return "", 0
    fault = rng.choice(KINDS[rng.choice(list(KINDS))])
    if fault in FILTERED:
        return fault, 1_000_000
    return fault, 1 if fault in ONCE else rng.randint(1, 2)


# ---------------------------------------------------------------- answers


@cache
def _answer(fault: str, tool: bool) -> bytes:
    """A complete answer, or one that is complete and of no use."""
    if fault == "filtered":
        body = completion(None, plain=True, finish="content_filter")
    elif fault == "broken arguments":
        body = completion(
            '{"in_scope": true, "product": "Watt', plain=not tool, finish="tool_calls" if tool else "stop"
        )
    else:
        body = completion(answer(), plain=not tool, finish="tool_calls" if tool else "stop")
    return body.content


def _http(status: int, body: bytes, **headers: str) -> bytes:
    named = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _error(status: int, code: str | None = None, **headers: str) -> bytes:
    body = {"error": {"message": "no", "type": "error", "code": code, "param": None}}
    return _http(status, json.dumps(body).encode(), **headers)


def _refusal(fault: str) -> bytes | None:
    """The HTTP error that a fault is; None for those that are something else."""
    match fault:
        case "429" | "500" | "503":
            return _error(int(fault))
        case "429 seconds":
            return _error(429, retry_after="1")
        case "429 milliseconds":
            return _error(429, retry_after_ms="200")
        case "429 date":
            return _error(429, retry_after=formatdate(time.time() + 1, usegmt=True))
        case "filtered with HTTP 400":
            return _error(400, "content_filter")
        case _:
            return None


# ---------------------------------------------------------------- serving


class _Service:
    """What all connections share."""

    def __init__(self, plan: Plan, ledger: Ledger):
        self.plan = plan
        self.ledger = ledger
        self.weather: Weather = "fair"
        self.asked: Counter[int] = Counter()
        self._requests = 0
        self._dice = random.Random(plan.seed)

    def begin(self, pitch: int) -> tuple[str, str]:
        """A name for the request, and the fault that it meets."""
        self._requests += 1
        self.asked[pitch] += 1
        request = f"{os.getpid()}-{self._requests}"
        self.note(request, pitch, "asked")
        if self.weather == "unavailable":
            return request, "503"
        if self.weather == "storm" and self._dice.random() < _STORM:
            return request, "storm"
        fault, times = lot(self.plan, pitch)
        return request, fault if self.asked[pitch] <= times else ""

    def note(self, request: str, pitch: int, event: Event) -> None:
        self.ledger.write(Entry(time.time(), request, pitch, event))

    def storm(self) -> bytes:
        wait = self._dice.choice(self.plan.waits)
        if wait == "date":
            wait = formatdate(time.time() + 2, usegmt=True)
        return _error(429, **({"retry_after": wait} if wait else {}))


class _Connection(asyncio.Protocol):
    """Answers one request after the other, and parses no more of it than it must."""

    def __init__(self, service: _Service):
        self._service = service
        self._seen = bytearray()
        self._under_way: tuple[str, int] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._under_way is not None:
            self._end("left")

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head = self._seen.find(b"\r\n\r\n")
        if head < 0 or self._under_way is not None:
            return
        length = _LENGTH.search(self._seen, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._seen) < end:
            return
        path, body = bytes(self._seen[: self._seen.find(b"\r\n")]), bytes(self._seen[head + 4 : end])
        del self._seen[:end]
        if b"/weather" in path:
            self._service.weather = cast(Weather, body.decode())
            self._transport.write(_http(200, b"{}"))
            return
        if path.startswith(b"GET "):  # what servers are asked about themselves
            self._transport.write(_http(404, b"{}"))
            return
        number = _PITCH.search(body)
        pitch = int(number[1]) if number else -1
        request, fault = self._service.begin(pitch)
        self._under_way = request, pitch
        self._later(self._service.plan.latency, self._reply, fault, b'"tools"' in body)

    def _later(self, seconds: float, call: Any, *arguments: Any) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, call, *arguments)

    def _reply(self, fault: str, tool: bool) -> None:
        refusal = self._service.storm() if fault == "storm" else _refusal(fault)
        if refusal is not None:
            self._send(refusal, "refused")
        elif fault == "hang up":
            self._end("spoiled")
            self._transport.close()
        elif fault in ("reset", "cut off"):
            whole = _http(200, _answer("", tool))
            self._send(whole[: len(whole) // 2], "spoiled")
            (self._transport.abort if fault == "reset" else self._transport.close)()
        elif fault == "not json":
            self._send(_http(200, b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'), "spoiled")
        elif fault == "twice":
            self._send(_http(200, _answer("", tool) * 2), "spoiled")
        elif fault == "dribble":
            self._dribble(_http(200, _answer("", tool)))
        elif fault in ("filtered", "broken arguments"):
            self._send(_http(200, _answer(fault, tool)), "unusable")
        elif fault != "no answer":
            self._send(_http(200, _answer("", tool)), "good")

    def _dribble(self, rest: bytes) -> None:
        part, rest = rest[:800], rest[800:]
        if rest:
            self._transport.write(part)
            self._later(0.1, self._dribble, rest)
        else:
            self._send(part, "good")

    def _send(self, reply: bytes, event: Event) -> None:
        if self._transport.is_closing():
            self._end("left")
            return
        self._transport.write(reply)
        self._end(event)

    def _end(self, event: Event) -> None:
        assert self._under_way is not None
        self._service.note(*self._under_way, event)
        self._under_way = None


async def _serve(ledger: Path, plan: Plan, port: int) -> None:
    service = _Service(plan, Ledger(ledger))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(service), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve(Path(sys.argv[1]), Plan.from_json(sys.argv[2]), int((sys.argv[3:] or ["0"])[0])))
