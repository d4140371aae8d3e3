"""Which requests the page answers: those that came to one of its own names, from a page of its own.

A server on this machine can be reached by every web page that its user opens. Two tricks use that: a domain that is
pointed at 127.0.0.1 after its page was loaded (DNS rebinding; the Host header then holds that domain), and a page of
another server on this machine, which shares the host but not the port (the Origin header holds its address). Both are
refused before anything of the page runs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from analyzer.errors import InputError

HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Names of this machine for itself."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LONGEST_LOGGED: Final = 200
_log = logging.getLogger(__name__)


def host_names(named: Iterable[str]) -> frozenset[str]:
    """The names that somebody gave the page, in lower case. Raises InputError for what is not a host name."""
    names = {name.strip().lower().rstrip(".") for name in named}
    for name in sorted(names):
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} is not a host name; write --host-name pitch.example.com, without scheme or port"
            )
    return frozenset(names)


def refusal(host: str | None, origin: str | None, names: frozenset[str]) -> str | None:
    """Why a request with these headers is refused; None if the page answers it. `names`: beyond this machine's own."""
    if _hostname(host) not in HERE | names:
        return "This page does not answer to this host name. Start it with: pitch app --host-name NAME"
    if origin is None or _place(origin) == (host or "").lower() or _hostname(_place(origin)) in names:
        return None
    return "This page answers to its own pages only. Behind a proxy, start it with: pitch app --host-name NAME"


class OwnHostsOnly:
    """ASGI middleware that refuses all requests for other hosts and from other pages.

    A proxy may put its own Host header in the place of the visitor's; the visitor's origin then says which of the
    page's names was meant, and stands in for it.
    """

    def __init__(self, app: ASGIApp, names: frozenset[str]):
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            host, origin = headers.get("host"), headers.get("origin")
            reason = refusal(host, origin, self._names)
            if reason is not None:
                logged = f"host {host!r:.{_LONGEST_LOGGED}}, origin {origin!r:.{_LONGEST_LOGGED}}"
                _log.warning("Refused a request (%s). %s", logged, reason)
                await _refuse(scope, receive, send, reason)
                return
            if origin is not None and _hostname(_place(origin)) in self._names:
                scope = {**scope, "headers": list(scope["headers"])}
                MutableHeaders(scope=scope)["host"] = _place(origin)
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)


def _place(origin: str) -> str:
    """Host and port of an origin; empty for `null` and for what is not an origin."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return ""
    return found.netloc.lower() if found.scheme in ("http", "https") else ""


def _hostname(place: str | None) -> str | None:
    try:
        return (urlsplit(f"//{place or ''}").hostname or "").rstrip(".") or None
    except ValueError:
        return None
