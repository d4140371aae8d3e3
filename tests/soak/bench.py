"""The processes of the soak test: `pitch` runs and faulty servers, which all end with the test, whatever ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.soak.ledger import Entry, Ledger, judge_payments
from tests.soak.server import Plan, Weather, pitch_text
from tests.soak.verdict import Row

ROOT: Final = Path(__file__).resolve().parents[2]
MODEL: Final = "openai/gpt-4.1-mini"
PITCH_COMMAND: Final = (sys.executable, "-m", "analyzer")
_TICK: Final = 0.01


@dataclass(frozen=True, slots=True)
class Done:
    """A `pitch` command that has ended. `timed_out`: it had to be killed. `peak`: MB of its largest process."""

    code: int
    out: str
    err: str
    seconds: float
    peak: float | None
    timed_out: bool = False

    @property
    def summary(self) -> dict[str, Any]:
        """What `--json` printed; empty if it printed none."""
        with suppress(ValueError):
            found = json.loads(self.out)
            return found if isinstance(found, dict) else {}
        return {}

    @property
    def last_line(self) -> str:
        return next((line.strip() for line in reversed(self.err.splitlines()) if line.strip()), "")

    def faults(self, code: int = 0) -> list[str]:
        """What is wrong with how it ended, where it should have ended with `code`."""
        found = []
        if self.timed_out:
            found.append(f"did not end within {self.seconds:.0f} s")
        elif self.code != code:
            found.append(f"exit {self.code}, not {code}: {self.last_line[:160]}")
        if "Traceback" in self.err + self.out:
            found.append("a traceback")
        elif "a bug in this program" in self.err + self.out:
            found.append("reported a fault of the program itself")
        return found


class Running:
    """A `pitch` command under way, in a process group of its own."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], place: Path, limit: int | None):
        self._out, self._err = place.with_suffix(".out"), place.with_suffix(".err")
        self.began = time.monotonic()
        self._peak: dict[int, float] = {}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT,
                start_new_session=True, preexec_fn=None if limit is None else _limit_files(limit),
            )  # fmt: skip

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def children(self) -> list[int]:
        """The ids of the processes that the command started and that go on."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]

    def kill(self) -> bool:
        """Kills the command itself with SIGKILL; whether it was still running."""
        self.process.kill()
        return self.process.wait() == -signal.SIGKILL

    def wait(self, seconds: float) -> Done:
        """Waits for its end, and kills it if that takes longer."""
        timed_out = False
        while not self.ended:
            self._measure()
            if time.monotonic() - self.began > seconds:
                timed_out = True
                self.end()
            time.sleep(_TICK)
        taken = time.monotonic() - self.began
        self.end()
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in (self._out, self._err))
        return Done(self.process.returncode, out, err, taken, max(self._peak.values(), default=None), timed_out)

    def end(self) -> None:
        """Ends what is left of its process group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _measure(self) -> None:
        """Notes the peak memory of the command and of its children, where the system tells (Linux)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(OSError):
            for pid in [self.process.pid, *map(int, children.read_text().split())]:
                with suppress(OSError):
                    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                        if line.startswith("VmHWM:"):
                            self._peak[pid] = int(line.split()[1]) / 1024


class Server:
    """A faulty server. It can be taken down and brought back on the same port, with the same ledger."""

    def __init__(self, ledger: Path, plan: Plan):
        self.plan = plan
        self._path = ledger
        self.ledger = Ledger(ledger)
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.soak.server", str(self._path), self.plan.to_json(), str(self.port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the soak test's server did not start")
        self.port = int(line)

    def kill(self) -> None:
        """Takes it down without a farewell; connections to its port are refused from now on."""
        self.process.kill()
        self.process.communicate()

    def set_weather(self, weather: Weather) -> None:
        url = f"http://127.0.0.1:{self.port}/weather"
        with urllib.request.urlopen(url, data=weather.encode(), timeout=30) as reply:
            reply.read()

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.ledger.close()


@dataclass(slots=True)
class Bench:
    """Where one scenario works: a folder, a table of pitches, and what it starts. Left, it ends all of that."""

    folder: Path
    seed: int
    command: Sequence[str] = PITCH_COMMAND
    _running: list[Running] = field(default_factory=list)
    _servers: list[Server] = field(default_factory=list)
    _cleanups: list[Callable[[], object]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running:
            running.end()
        for server in self._servers:
            server.end()
        for cleanup in reversed(self._cleanups):
            cleanup()

    def on_exit(self, cleanup: Callable[[], object]) -> None:
        self._cleanups.append(cleanup)

    def server(self, **plan: Any) -> Server:
        server = Server(self.folder / f"ledger-{len(self._servers)}", Plan(self.seed, **plan))
        self._servers.append(server)
        return server

    def table(self, count: int) -> tuple[Path, list[str]]:
        """A JSON Lines file of so many pitches, and their ids."""
        ids = [f"p{number}" for number in range(count)]
        path = self.folder / "pitches.jsonl"
        lines = (json.dumps({"id": id_, "text": pitch_text(number)}) for number, id_ in enumerate(ids))
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path, ids

    def start(
        self,
        *arguments: str | Path | float,
        server: Server | None = None,
        store: str | None = None,
        timeout: float = 20.0,
        file_limit: int | None = None,
    ) -> Running:
        """Begins `pitch` with these arguments. `timeout`: PITCH_TIMEOUT; `file_limit`: bytes a file may have."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PITCH_", "OPENAI_"))}
        environment |= {
            "PITCH_STORE": store or f"sqlite:///{self.folder / 'store.db'}",
            "PITCH_TIMEOUT": str(timeout),
            "PYTHONPATH": str(ROOT),
        }
        if server is not None:
            environment |= {
                "OPENAI_BASE_URL": f"http://127.0.0.1:{server.port}/v1",
                "OPENAI_API_KEY": "none",
                "PITCH_MODEL": MODEL,
            }
        place = self.folder / f"run-{len(self._running)}"
        running = Running([*self.command, *map(str, arguments)], environment, place, file_limit)
        self._running.append(running)
        return running


def are_gone(process_ids: Sequence[int]) -> bool:
    """Whether none of these processes runs any more."""
    listed = ",".join(map(str, process_ids)) or "0"
    found = subprocess.run(["ps", "-o", "stat=", "-p", listed], capture_output=True, text=True, check=False)
    return all(line.startswith("Z") for line in found.stdout.split())


def wait_for_answers(server: Server, count: int, running: Running) -> bool:
    """Waits until the server has given so many answers; False where the run ended before."""
    return wait_until(lambda: server.ledger.count("good") >= count, running)


def wait_until(condition: Callable[[], bool], running: Running, seconds: float = 120.0) -> bool:
    """Waits for a condition while a run goes on; False where the run ended, or too much time passed, before it held."""
    end = time.monotonic() + seconds
    while not condition():
        if running.ended or time.monotonic() > end:
            return condition()
        time.sleep(_TICK)
    return True


def check_payments(
    row: Row, entries: Sequence[Entry], *, kills: Sequence[float] = (), width: int = 0, at_once: bool = False
) -> None:
    """Notes on `row` what was asked and paid for, and every answer that was paid twice without an excuse."""
    payments = judge_payments(entries, kills=kills, width=width, at_once=at_once)
    row.requests, row.paid_twice = payments.requests, payments.twice
    row.in_flight = payments.twice - payments.wrong
    if payments.wrong:
        row.faults.append(f"{payments.wrong} answers paid twice that were not in flight")


def _limit_files(size: int) -> Callable[[], None]:
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
