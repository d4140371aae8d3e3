"""`pitch app` as a process: who ends it, what it says of a taken port, and whom it answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from analyzer.errors import InputError
from analyzer.files.documents import MAX_BYTES
from analyzer.page import manual_scoring_files, portfolio_input
from analyzer.page.hosts import HERE, host_names, refusal
from analyzer.page.serve import LARGEST_UPLOAD, OPTIONS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NAMED = frozenset({"pitch.example.com"})
_LONG = 60.0
"""Seconds after which a server that does nothing counts as broken."""


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`pitch app` on a free port, answering: the process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "analyzer", "app", "--port", str(port), "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tempfile.gettempdir(),
        start_new_session=True,
    )
    try:
        until(lambda: answers(port))
        yield process, port
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def until(true: object) -> None:
    deadline = time.monotonic() + _LONG
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        return ask(port, "/_stcore/health", Host=f"127.0.0.1:{port}") == 200
    except OSError:
        return False


def ask(port: int, path: str, **headers: str) -> int:
    """The status of the answer to a request with these headers."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", port), timeout=_LONG) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        return int(connection.recv(4096).split()[1])


def open_socket(port: int, host: str, origin: str) -> int:
    """The status of the answer to somebody who opens the page's web socket; 101 = open."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    return ask(port, "/_stcore/stream", Host=host, Origin=origin, **upgrade)


# ---------------------------------------------------------------- its end


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGINT", 0), ("SIGHUP", -1), ("SIGKILL", -9)])
def test_whoever_ends_pitch_app_frees_its_port(number: str, code: int) -> None:
    with served() as (process, port), socket.create_connection(("127.0.0.1", port)):
        process.send_signal(getattr(signal, number))

        assert process.wait(_LONG) == code
        with socket.socket() as next_:
            next_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            next_.bind(("127.0.0.1", port))
            next_.listen()


def test_a_port_in_use_is_said_with_the_option_that_helps() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "app", "--port", str(port)], capture_output=True, text=True, check=False
        )

    assert done.returncode == 2
    assert done.stderr == f"pitch: port {port} is in use; choose another one: pitch app --port NUMBER\n"


@pytest.mark.parametrize("address", ["203.0.113.1", "somewhere", "1.2.3.4.5"])
def test_an_address_that_this_machine_does_not_have_is_named(address: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "app", "--port", "0", "--no-browser", "--address", address],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"pitch: {address} is not an IPv4 address of this machine")
    assert done.stdout == ""


# ---------------------------------------------------------------- whom it answers


def test_the_page_answers_to_its_own_names_and_pages_only() -> None:
    with served("--host-name", "pitch.example.com") as (process, port):
        here = f"127.0.0.1:{port}"
        assert ask(port, "/", Host=here) == 200
        assert ask(port, "/", Host=f"localhost:{port}") == 200
        assert ask(port, "/", Host="pitch.example.com") == 200
        assert ask(port, "/", Host=f"evil.example:{port}") == 403
        assert ask(port, "/_stcore/health", Host=here, Origin="http://127.0.0.1:1") == 403
        assert open_socket(port, here, f"http://{here}") == 101
        assert open_socket(port, "pitch.example.com", "https://pitch.example.com") == 101
        assert open_socket(port, here, "https://pitch.example.com") == 101
        assert open_socket(port, here, "http://127.0.0.1:1") == 403
        assert open_socket(port, f"evil.example:{port}", f"http://evil.example:{port}") == 403

        process.terminate()
        assert process.stdout is not None
        said = process.stdout.read()
    assert "Refused a request (host '127.0.0.1:" in said
    assert f"The page is at http://{here} (Ctrl-C ends it)." in said


@pytest.mark.parametrize(
    ("host", "origin", "answered"),
    [
        ("localhost:8501", None, True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("LOCALHOST:8501", "http://localhost:8501", True),
        ("pitch.example.com", "https://pitch.example.com", True),
        ("pitch.example.com:8443", "https://pitch.example.com:8443", True),
        ("127.0.0.1:8501", "https://pitch.example.com", True),
        (None, None, False),
        ("", None, False),
        ("evil.example", None, False),
        ("127.0.0.1.evil.example", None, False),
        ("localhost@evil.example", None, False),
        ("127.0.0.1:8501", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8501", "http://localhost:8501", False),
        ("127.0.0.1:8501", "null", False),
        ("127.0.0.1:8501", "", False),
        ("127.0.0.1:8501", "file://127.0.0.1:8501", False),
        ("127.0.0.1:8501", "http://pitch.example.com.evil.example", False),
        ("127.0.0.1:8501", "http://[", False),
        ("pitch.example.com", "http://localhost:8501", False),
    ],
)
def test_a_request_is_answered_by_its_host_and_origin(host: str | None, origin: str | None, answered: bool) -> None:
    assert (refusal(host, origin, NAMED) is None) is answered


@given(st.text(), st.none() | st.text())
def test_whatever_a_stranger_writes_in_the_headers_is_refused(host: str, origin: str | None) -> None:
    if not any(name in host.lower() for name in HERE | NAMED):
        assert refusal(host, origin, NAMED) is not None


@pytest.mark.parametrize("name", ["https://pitch.example.com", "pitch.example.com:80", "*", "", "a b", "x/y"])
def test_what_is_not_a_host_name_is_said(name: str) -> None:
    with pytest.raises(InputError, match="is not a host name; write --host-name"):
        host_names([name])


def test_host_names_are_taken_in_any_case() -> None:
    assert host_names(["Pitch.Example.COM."]) == NAMED


@pytest.mark.parametrize(
    ("origin", "shown"),
    [("http://localhost:8501", True), ("http://localhost:9999", False)],
    ids=["own", "another port"],
)
def test_a_page_of_another_port_is_shown_nothing_under_streamlit_run_either(
    monkeypatch: pytest.MonkeyPatch, origin: str, shown: bool
) -> None:
    monkeypatch.setattr("analyzer.page.access._headers", lambda: {"host": "localhost:8501", "origin": origin})
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()

    assert bool(page.text_area) is shown
    assert [error.value.partition(".")[0] for error in page.error] == (
        [] if shown else ["This page answers to its own pages only"]
    )


# ---------------------------------------------------------------- how it is set up


def test_a_checkout_served_by_streamlit_is_set_up_as_pitch_app_is() -> None:
    own = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    flat = {f"{section}.{name}": value for section, options in own.items() for name, value in options.items()}

    for name in OPTIONS.keys() - {"server.headless", "server.fileWatcherType"}:
        assert flat[name] == OPTIONS[name], name


def test_no_field_promises_a_larger_file_than_the_server_takes() -> None:
    fields = (portfolio_input._LARGEST, manual_scoring_files._LARGEST_CSV, MAX_BYTES // 1_000_000)
    assert max(fields) <= LARGEST_UPLOAD == OPTIONS["server.maxUploadSize"]
