"""Serves the page on this machine; `pitch app` and `make app` come through here.

The server runs in this process, so whatever ends the process ends the server: there is no child that could live on and
hold the port.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread, Timer
from types import FrameType
from typing import Any, Final

import click
import uvicorn
from starlette.middleware import Middleware
from streamlit import App
from streamlit.web import bootstrap

from analyzer.errors import InputError
from analyzer.page.hosts import HERE, OwnHostsOnly, host_names
from analyzer.resources import resource
from analyzer.screen import say

HERE_ONLY: Final = "127.0.0.1"
LARGEST_UPLOAD: Final = 100
"""Megabytes of the largest file that any field of the page takes; a field may take less."""
OPTIONS: Final[Mapping[str, Any]] = {
    "server.address": HERE_ONLY,
    "server.headless": True,  # the browser is opened here
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": LARGEST_UPLOAD,
    "server.allowedHosts": sorted(HERE),
    "runner.postScriptGC": False,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
}
"""Served to this machine only, no usage figures sent, no prompt for an e-mail address, no file beyond what is read.

`runner.postScriptGC`: Streamlit would collect all garbage after each look at a run under way, twice a second for each
visitor; with a run's results in memory that takes longer than the work itself. Python collects by itself when needed.
"""
_MESSAGE: Final = 200 * 1024 * 1024
"""Bytes of the largest message to the browser, as Streamlit's own server has it."""
_TURN: Final = 0.0005
"""Seconds that one thread computes before another gets its turn: reading for one visitor leaves room for others."""
_NEEDED: Final = ("analyzer.page", "analyzer.reading.conversation")
_COLLECTED: Final = (10_000, 20, 20)
"""How often Python looks for garbage, as `gc.set_threshold` takes it: drawing a page makes much that lives short."""
_GRACE: Final = 3.0
"""Seconds that open connections, and then the threads of visitors, have to end once the server is told to."""


def serve(port: int, open_browser: bool, named: Iterable[str] = (), address: str = HERE_ONLY) -> int:
    """Serves the page until the process is told to end; the exit code. `named`: host names beside this machine's own.

    `address`: the IPv4 address of this machine to listen at; another than 127.0.0.1 lets other machines reach the page.
    Raises InputError if the port is taken, or a name or the address is not one.
    """
    names = host_names(named)
    listener = _listen(address, port)
    port = listener.getsockname()[1]
    server_options = {"server.address": address, "server.port": port, "server.allowedHosts": sorted(HERE | names)}
    theme = {"theme.base": str(Path(__file__).with_name("theme.toml"))}
    bootstrap.load_config_options({**OPTIONS, **theme, **server_options})
    app = App(
        resource("app.py"),
        middleware=[Middleware(OwnHostsOnly, names=names)],
        lifespan=_announced(f"http://{_shown(address)}:{port}", open_browser),
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=int(_GRACE),
            ws_max_size=_MESSAGE,
            ws_per_message_deflate=False,
        )
    )
    sys.setswitchinterval(_TURN)
    signal.signal(signal.SIGTERM, _terminated)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    code = 0 if server.started else 1
    _end_soon(code)
    return code


def _listen(address: str, port: int) -> socket.socket:
    """The port, taken before anything is started."""
    listener = socket.socket(socket.AF_INET)
    try:
        if os.name != "nt":  # there it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "in use" if error.errno == errno.EADDRINUSE else "reserved by the system"
            raise InputError(f"port {port} is {why}; choose another one: pitch app --port NUMBER") from error
        raise InputError(
            f"{address} is not an IPv4 address of this machine; leave --address out, or use 0.0.0.0 for all of them"
        ) from error
    return listener


def _shown(address: str) -> str:
    """The address to write: a server that listens everywhere is reached here too."""
    return HERE_ONLY if address.startswith("0.") else address


def _announced(address: str, open_browser: bool) -> Callable[[App], AbstractAsyncContextManager[None]]:
    """Says where the page is once it can be served, and opens it."""

    @asynccontextmanager
    async def announce(_: App) -> AsyncIterator[None]:
        say(f"The page is at {address} (Ctrl-C ends it).")
        Thread(target=_get_ready, name="pitch-analyzer-ready", daemon=True).start()
        if open_browser:
            click.launch(address)
        yield

    return announce


def _get_ready() -> None:
    """Loads what every visitor needs while the first one's browser still starts, and tells Python's collector that it
    stays: it would look through all of it again and again, for a tenth of a second each time, while a page is drawn."""
    for name in _NEEDED:
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED)


def _terminated(number: int, _: FrameType | None) -> None:
    """Ends the process as a signal asked, with the usual exit code for it."""
    _end_soon(128 + number)
    sys.exit(128 + number)


def _end_soon(code: int) -> None:
    """Ends the process even if a visitor's thread does not."""
    last = Timer(_GRACE, os._exit, (code,))
    last.daemon = True
    last.start()
