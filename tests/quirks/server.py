"""A server over real sockets whose behavior the model's name chooses; it also speaks the protocols of single makers.

with QuirkyServer() as server:
    analyze(PITCH, model="openai/code-fence", settings=server.settings)
server.requests  # what was sent, in order
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from analyzer.settings import Settings
from tests.completions import answer
from tests.quirks.behaviors import BEHAVIORS
from tests.quirks.shapes import (
    Body,
    Response,
    anthropic_message,
    google_content,
    ollama_chat,
    refusal,
    responded,
)

KEY = "sk-secret-0123456789"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    path: str
    body: Body
    headers: dict[str, str] = field(repr=False)


class QuirkyServer:
    """Serves on a free port of 127.0.0.1 until left.

    `good` makes the sound answer to a request; by default one that fits `tests.completions.PITCH`. `context`: the
    tokens that Ollama's own protocol has room for if a request does not set them.
    """

    def __init__(self, good: Callable[[Body], str] | None = None, *, context: int = 4096):
        self.good = good or (lambda _: json.dumps(answer()))
        self.context = context
        self.requests: list[Request] = []
        handler = type("_Handler", (_QuirkyHandler,), {"quirky": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> Settings:
        return Settings(openai_base_url=f"{self.origin}/v1", openai_api_key=KEY, timeout=5.0)

    @property
    def asked(self) -> list[Body]:
        """The bodies of requests that a maker would charge for, in order."""
        return [one.body for one in self.requests if one.path in _PAID or ":generateContent" in one.path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def looked_up(self, path: str) -> Response:
        """The response to a GET."""
        if path == "/v1/models":
            return Response({"object": "list", "data": [_model(name) for name in BEHAVIORS]})
        if path == "/api/version":
            return Response({"version": "0.33.0"})
        if path == "/api/tags":
            return Response({"models": [{"name": "llama3.1:latest", "model": "llama3.1:latest"}]})
        if path == "/api/ps":
            return Response({"models": [{"name": "llama3.1:latest", "context_length": self.context}]})
        return refusal(404, "not found")

    def answered(self, path: str, request: Body) -> Response:
        """The response to a POST."""
        name = str(request.get("model")).rpartition("/")[2]
        if path == "/v1/chat/completions":
            behavior = BEHAVIORS.get(name)
            return behavior.answer(request, self.good(request)) if behavior else refusal(404, f"no model {name}")
        if path == "/v1/responses":
            return responded(request, self.good(request))
        if path == "/v1/messages":
            return anthropic_message(request, self.good(request))
        if ":generateContent" in path:
            return google_content(request, self.good(request))
        if path == "/api/chat":
            return ollama_chat(request, self.good(request), room=self.context)
        if path == "/api/show":
            info = {"general.architecture": "llama", "llama.context_length": 131072}
            return Response({"capabilities": ["completion", "tools"], "model_info": info, "parameters": ""})
        return refusal(404, "not found")


_PAID = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat")


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1, "owned_by": "quirks"}


class _QuirkyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    quirky: QuirkyServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._send(self.quirky.looked_up(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.quirky.requests.append(Request(self.path, body, dict(self.headers)))
        self._send(self.quirky.answered(self.path, body))

    def _send(self, response: Response) -> None:
        self.close_connection = True
        content = response.content
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # no socket is left open for the next test to be blamed for
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
