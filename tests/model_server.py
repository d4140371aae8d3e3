"""A model's service on this machine that behaves, or does not: what a client meets on a bad day, over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from analyzer.settings import Settings
from tests.completions import answer, completion

KEY = "sk-secret-0123456789"
MODEL = "openai/gpt-4.1-mini"
_PITCH = re.compile(r"=====PITCH \w+=====\n(.*?)\n=====PITCH", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """What is sent for one request. `status` and `headers` as they are; `fault` names a way to misbehave."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    after: float = 0.0


def good(content: Any = None, **changes: Any) -> Reply:
    """A sound answer for `tests.completions.PITCH`."""
    return Reply(completion(answer() if content is None else content, **changes).content)


def refused(status: int, code: str | None = None, **headers: str) -> Reply:
    body = json.dumps({"error": {"message": "no", "type": "error", "code": code}}).encode()
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


FAULTS: dict[str, Reply] = {
    "429": refused(429),
    "500": refused(500),
    "503": refused(503),
    "reset": Reply(good().body, fault="reset"),
    "hang up": Reply(fault="hang up"),
    "cut off": Reply(good().body, fault="cut off"),
    "not json": Reply(b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'),
    "twice": Reply(good().body * 2),
    "slow": Reply(good().body, fault="slow"),
    "wrong tool": Reply(good().body.replace(b'"name":"RecordSignals"', b'"name":"Other"')),
    "broken arguments": good('{"in_scope": true, "product": "Watt'),
}
"""What goes wrong in the wild, by name."""


class Service:
    """Serves on a free port of 127.0.0.1 until left. `reply` decides by the pitch and by how often it was asked for.

    `abandoned`: requests whose client closed the connection before the reply was due.
    """

    def __init__(self, reply: Callable[[str, int], Reply]):
        self._reply = reply
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.abandoned = 0
        self.in_flight = 0
        self.most = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self.settings = Settings(openai_base_url=self.url, openai_api_key=KEY, timeout=5.0)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": KEY, "PITCH_MODEL": MODEL}

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply; whether the connection is good for another."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        body = await reader.readexactly(int(length[1]) if length else 0)
        if head.startswith(b"GET "):  # what servers are asked about themselves
            writer.write(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
            return True
        pitch = _PITCH.search(json.loads(body)["messages"][1]["content"])
        name = pitch[1] if pitch else ""
        self.asked[name] += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            reply = self._reply(name, self.asked[name])
            if reply.after and await self._gone(reader, reply.after):
                return False
            return await self._send(writer, reply, name)
        finally:
            self.in_flight -= 1

    async def _gone(self, reader: asyncio.StreamReader, seconds: float) -> bool:
        """Whether the client goes away within this time, in which it has nothing more to send."""
        try:
            async with asyncio.timeout(seconds):
                if await reader.read(1):
                    raise AssertionError("a client sent a second request before the first was answered")
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        self.abandoned += 1
        return True

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Whether a condition on what this service saw becomes true within this time."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.005)
        return condition()

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply, name: str) -> bool:
        if reply.fault == "hang up":
            return False
        head = [f"HTTP/1.1 {reply.status} X", "Content-Type: application/json", f"Content-Length: {len(reply.body)}"]
        head += [f"{key}: {value}" for key, value in reply.headers.items()]
        writer.write("\r\n".join([*head, "", ""]).encode())
        half = len(reply.body) // 2
        if reply.fault == "reset":
            writer.write(reply.body[:half])
            await writer.drain()
            writer.transport.abort()
            return False
        if reply.fault == "cut off":
            writer.write(reply.body[:half])
            await writer.drain()
            return False
        if reply.fault == "slow":
            for at in range(0, len(reply.body), half):
                writer.write(reply.body[at : at + half])
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            writer.write(reply.body)
        await writer.drain()
        if reply.status == 200:
            self.answered[name] += 1
        return True
