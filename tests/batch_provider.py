"""A provider of batches for tests, written from the documentation of OpenAI's and Anthropic's protocols (2026-11-28).

In memory; reached over real sockets (`serving`), or through respx with `handle` as the side effect. Nothing is answered
until `finish` says what becomes of each request. `paid` counts the answers of each request, `batches` what was created.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from analyzer.settings import Settings
from tests.completions import answer, completion

KEY = "sk-secret-0123456789"
Answer = Callable[[dict[str, Any]], dict[str, Any] | str]


@dataclass
class ProvidedBatch:
    id: str
    requests: dict[str, dict[str, Any]]
    created: int
    endpoint: str = ""
    file: str = ""
    metadata: dict[str, str] | None = None
    status: str = "in_progress"
    cancelling: bool = False
    output: str | None = None
    errors: str | None = None
    reasons: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def over(self) -> bool:
        return self.status in ("completed", "expired", "cancelled", "failed")


@dataclass
class Provider:
    """`content`: what the model answers to a body. `trouble`: what happens to the next requests that create a batch, or
    upload a file: `lost` is carried out and answered with HTTP 500, `broken` is only answered so, `unreachable` gets no
    connection. `on_look`: called before a batch is shown. `broken`: batches that cannot be shown."""

    content: Answer = lambda body: answer()
    batches: dict[str, ProvidedBatch] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    live: int = 0
    trouble: deque[str] = field(default_factory=deque)
    has_batches: bool = True
    broken: set[str] = field(default_factory=set)
    on_look: Callable[[], None] = lambda: None
    seen: list[tuple[str, str]] = field(default_factory=list)

    # ------------------------------------------------------------ what the test decides

    def finish(
        self,
        fate: Callable[[str, dict[str, Any]], str] = lambda key, body: "ok",
        *,
        ended: str = "completed",
        damage: str = "",
        seed: int = 0,
    ) -> None:
        """End every open batch. `fate` of each request: ok, twice (two lines), expired, cancelled, missing (no line), an
        HTTP status such as 429, or `400 code`. `ended`: the batch's status. `damage`: cut (the last line is cut), lost
        (no file), strangers (lines about others)."""
        for batch in self.batches.values():
            if not batch.over:
                self._end(batch, fate, ended, damage, random.Random(seed))

    def refuse(self, code: str) -> None:
        """Have every open batch fail before it begins."""
        for batch in self.batches.values():
            if not batch.over:
                batch.status, batch.reasons = "failed", [code]

    def repair(self) -> None:
        """Have complete files of results where they were damaged."""
        for batch in self.batches.values():
            for name in (batch.output, batch.errors):
                if name and f"{name} whole" in self.files:
                    self.files[name] = self.files[f"{name} whole"]

    def _end(self, batch: ProvidedBatch, fate: Any, ended: str, damage: str, order: random.Random) -> None:
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        anthropic = not batch.endpoint
        for key, body in batch.requests.items():
            what = fate(key, body)
            if what in ("ok", "twice", "missing"):
                self.paid[key] += 1
                batch.counts["ok"] += 1
                if what != "missing":
                    line = _good_line(key, self.reply(body, anthropic), anthropic)
                    good += [line] * (2 if what == "twice" else 1)
            else:
                batch.counts[what if what in ("expired", "cancelled") else "failed"] += 1
                bad.append(_bad_line(key, what, anthropic))
        if damage == "strangers":
            good.append(_good_line("f" * 64, self.reply({"messages": []}, anthropic), anthropic))
        order.shuffle(good)
        order.shuffle(bad)
        batch.status = ended
        batch.output, batch.errors = (f"file-{batch.id}-output", f"file-{batch.id}-errors")
        if anthropic:
            good, bad = [*good, *bad], []
        for name, lines in ((batch.output, good), (batch.errors, bad)):
            whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            self.files[name] = self.files[f"{name} whole"] = whole
            if damage == "cut" and whole:
                self.files[name] = whole[:-40]
            if damage == "lost":
                del self.files[name]
        if not bad and not anthropic:
            batch.errors = None

    def reply(self, body: dict[str, Any], anthropic: bool = False) -> dict[str, Any]:
        said = self.content(body)
        if anthropic:
            text = said if isinstance(said, str) else json.dumps(said)
            usage = {"input_tokens": 5000, "output_tokens": 900}
            block = {"type": "text", "text": text}
            return {"type": "message", "content": [block], "stop_reason": "end_turn", "usage": usage}
        made: dict[str, Any] = completion(said, plain="response_format" in body).json()
        return made

    # ------------------------------------------------------------ the protocols

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.seen.append((request.method, path))
        if KEY not in (request.headers.get("authorization", "") + request.headers.get("x-api-key", "")):
            return _error(401, "invalid_api_key")
        if path == "/v1/chat/completions":
            self.live += 1
            return httpx.Response(200, json=self.reply(json.loads(request.content)))
        if not self.has_batches:
            return _error(404, None)
        content = request.read()
        if request.method == "POST" and path in ("/v1/files", "/v1/batches", "/v1/messages/batches"):
            trouble = self.trouble.popleft() if self.trouble else ""
            if trouble == "broken":
                return _error(500, None)
            if trouble == "unreachable":
                raise httpx.ConnectError("no")
            if trouble.isdigit():
                return _error(int(trouble), None)
            made = self._create(path, content)
            return _error(500, None) if trouble == "lost" else made
        return self._look(request)

    def _create(self, path: str, content: bytes) -> httpx.Response:
        number = f"{len(self.files) + len(self.batches)}"
        if path == "/v1/files":
            lines = re.search(rb"application/jsonl\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--", content, re.DOTALL)
            assert lines is not None
            self.files[f"file-{number}"] = lines[1]
            return httpx.Response(200, json={"id": f"file-{number}", "object": "file", "purpose": "batch"})
        document = json.loads(content)
        if path == "/v1/batches":
            lines_of = self.files[document["input_file_id"]].decode().splitlines()
            requests = [json.loads(line) for line in lines_of]
            assert {request["url"] for request in requests} == {document["endpoint"]}
            bodies = {request["custom_id"]: request["body"] for request in requests}
            where = {"endpoint": document["endpoint"], "file": document["input_file_id"]}
            batch = ProvidedBatch(
                f"batch_{number}", bodies, int(time.time()), **where, metadata=document.get("metadata")
            )
        else:
            requests = document["requests"]
            bodies = {request["custom_id"]: request["params"] for request in requests}
            batch = ProvidedBatch(f"msgbatch_{number}", bodies, int(time.time()))
        assert len(bodies) == len(requests), "an id appears twice"
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", key) for key in bodies)
        self.batches[batch.id] = batch
        return httpx.Response(200, json=_shown(batch))

    def _look(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, parse_qs(urlsplit(str(request.url)).query)
        if path in ("/v1/batches", "/v1/messages/batches"):
            newest = [one for one in reversed(self.batches.values()) if bool(one.endpoint) == (path == "/v1/batches")]
            after = query.get("after", query.get("after_id", [""]))[0]
            if after:
                newest = newest[[one.id for one in newest].index(after) + 1 :]
            return httpx.Response(200, json={"data": [_shown(one) for one in newest[:2]], "has_more": len(newest) > 2})
        if path.startswith("/v1/files/"):
            return self._file(path.split("/")[3])
        parts = path.removeprefix("/v1/messages").removeprefix("/v1").split("/")
        if request.method == "GET":
            self.on_look()
        batch = self.batches.get(parts[2])
        if batch is None:
            return _error(404, None)
        if batch.id in self.broken:
            return _error(500, None)
        if parts[-1] == "results":
            return self._file(batch.output or "")
        if parts[-1] == "cancel":
            batch.cancelling = True
        return httpx.Response(200, json=_shown(batch))

    def _file(self, name: str) -> httpx.Response:
        return httpx.Response(200, content=self.files[name]) if name in self.files else _error(404, None)


def _shown(batch: ProvidedBatch) -> dict[str, Any]:
    if batch.endpoint:
        status = batch.status if batch.over or not batch.cancelling else "cancelling"
        counts = {"total": len(batch.requests), "completed": batch.counts["ok"], "failed": batch.counts["failed"]}
        known = {"id": batch.id, "object": "batch", "endpoint": batch.endpoint, "input_file_id": batch.file}
        why: list[dict[str, str | None]] = [{"code": code, "message": "no"} for code in batch.reasons]
        why += [{"code": None, "message": message} for message in batch.messages]
        return {
            **known,
            "status": status,
            "completion_window": "24h",
            "created_at": batch.created,
            "metadata": batch.metadata,
            "output_file_id": batch.output,
            "error_file_id": batch.errors,
            "request_counts": counts,
            "errors": {"object": "list", "data": why} if why else None,
        }
    over = batch.over
    counts = {"succeeded": batch.counts["ok"], "errored": batch.counts["failed"]}
    counts |= {"expired": batch.counts["expired"], "canceled": batch.counts["cancelled"]}
    counts |= {"processing": len(batch.requests) - sum(counts.values())}
    created = datetime.fromtimestamp(batch.created, UTC).isoformat().replace("+00:00", "Z")
    status = "ended" if over else "canceling" if batch.cancelling else "in_progress"
    return {"id": batch.id, "processing_status": status, "request_counts": counts, "created_at": created}


def _good_line(key: str, reply: dict[str, Any], anthropic: bool) -> dict[str, Any]:
    if anthropic:
        return {"custom_id": key, "result": {"type": "succeeded", "message": reply}}
    return {"id": "r", "custom_id": key, "response": {"status_code": 200, "body": reply}, "error": None}


_KINDS = {"429": "rate_limit_error", "500": "api_error", "400": "invalid_request_error"}


def _bad_line(key: str, what: str, anthropic: bool) -> dict[str, Any]:
    status, _, code = what.partition(" ")
    if anthropic:
        if what in ("expired", "cancelled"):
            return {"custom_id": key, "result": {"type": what.replace("cancelled", "canceled")}}
        error = {"type": "error", "error": {"type": _KINDS[status], "message": code or "no"}}
        return {"custom_id": key, "result": {"type": "errored", "error": error}}
    if what in ("expired", "cancelled"):
        return {"id": "r", "custom_id": key, "response": None, "error": {"code": f"batch_{what}", "message": "no"}}
    body = {"error": {"message": "no", "type": "error", "code": code or None}}
    return {"id": "r", "custom_id": key, "response": {"status_code": int(status), "body": body}, "error": None}


def _error(status: int, code: str | None) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "no", "type": "error", "code": code}})


# ---------------------------------------------------------------- reached

PROFILES = """
[[profile]]
name = "test-openai"
title = "a provider for tests"
checked = 2026-11-28
source = ["tests"]
tried = "mock"
hosts = ["127.0.0.1", "models.test"]
key = "OPENAI_API_KEY"
modes = ["tools", "json"]
batches = {{ protocol = "openai", requests = {requests}, megabytes = {megabytes}, source = "tests", checked = 2026-11-28 }}

[[profile]]
name = "test-anthropic"
title = "another provider for tests"
checked = 2026-11-28
source = ["tests"]
tried = "mock"
api = "anthropic"
providers = ["anthropic"]
url = "{url}"
key = "ANTHROPIC_API_KEY"
modes = ["native", "text"]
parameters = {{ temperature = false, seed = false, max_tokens = "max_tokens", answer_tokens = 16000 }}
batches = {{ protocol = "anthropic", requests = {requests}, megabytes = {megabytes}, source = "tests", checked = 2026-11-28 }}
"""


def settings_for(folder: Path, url: str, requests: int = 50_000, megabytes: int = 200, **more: Any) -> Settings:
    """Settings under which both kinds of models are asked at the provider."""
    own = folder / f"profiles-{requests}-{megabytes}-{httpx.URL(url).port}.toml"
    own.write_text(PROFILES.format(requests=requests, megabytes=megabytes, url=url))
    keys = {"anthropic": KEY}
    return Settings(openai_base_url=url, openai_api_key=KEY, keys=keys, profiles=own, timeout=5.0, **more)


@contextmanager
def serving(provider: Provider) -> Iterator[str]:
    """The provider over real sockets; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            if self.headers.get("transfer-encoding") == "chunked":
                content = b""
                while size := int(self.rfile.readline(), 16):
                    content += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                content = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = httpx.Request(
                self.command, f"http://127.0.0.1{self.path}", headers=dict(self.headers), content=content
            )
            with lock:
                response = provider.handle(asked)
            self.send_response(response.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = _serve  # noqa: N815  # the names that the library calls

        def log_message(self, *_: Any) -> None:
            pass

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
