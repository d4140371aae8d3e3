"""How near a run over many pitches comes to what the endpoint allows, beside others in the same run.

    python benchmarks/bulk.py [--calls 1024] [--latency 0.5] [--concurrency 64 256]
    python benchmarks/bulk.py --memory 100000      # peak memory over so many pitches, and over a tenth of them

Each contestant runs in a process of its own on one core; the endpoint, which answers after a fixed time, on another.
Ideal = calls x latency / concurrency. CPU is the client's, per call. `reading` asks and checks every quote; `pitch
bulk` also stores every answer, scores it and writes the assessment. With two processes, measured at the highest
concurrency alone, it may use both cores, and shares them with the endpoint. The others get the same prompt and answer,
and an equivalent model of it; they check nothing. LangChain is left out where it is not installed
(pip install -e ".[benchmarks]").
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast, get_args

CONTESTANTS = {
    "reading": "Pitch Analyzer, reading",
    "all": "Pitch Analyzer, pitch bulk",
    "all2": "Pitch Analyzer, pitch bulk --processes 2",
    "instructor": "instructor, semaphore",
    "langchain": "LangChain, abatch",
}
MODEL = "gpt-4.1-mini"
KEY = "none"
WARM_UP = 2
"""Rounds of full concurrency before the clock starts: imports, connections, caches."""
ROOT = Path(__file__).resolve().parent.parent


# ---------------------------------------------------------------- the endpoint


class _Endpoint(asyncio.Protocol):
    """Answers every request with the same bytes after the latency; parses no more than it must."""

    answer = b""
    latency = 0.5

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._seen = bytearray()
        self._needs: int | None = None

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while True:
            if self._needs is None:
                head = self._seen.find(b"\r\n\r\n")
                if head < 0:
                    return
                length = re.search(rb"content-length: (\d+)", self._seen[:head].lower())
                self._needs = head + 4 + int(length[1] if length else 0)
            if len(self._seen) < self._needs:
                return
            lookup = self._seen.startswith(b"GET ")
            del self._seen[: self._needs]
            self._needs = None
            if lookup:  # what servers are asked about themselves
                self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            asyncio.get_running_loop().call_later(self.latency, self._reply)

    def _reply(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self.answer)


async def serve(port: int, latency: float) -> None:
    body = json.dumps(_completion()).encode()
    _Endpoint.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    _Endpoint.latency = latency
    server = await asyncio.get_running_loop().create_server(_Endpoint, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def _completion() -> dict[str, Any]:
    """A recorded answer to a sample pitch: as text, and as a call of the tool that the others offer."""
    (path,) = (ROOT / "fixtures" / "recordings").glob("idlewatt-*.json")
    response = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8"))["response"])
    message = response["choices"][0]["message"]
    function = {"name": "RecordSignals", "arguments": message["content"]}
    message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    return response


def pitches(count: int) -> list[str]:
    text = (ROOT / "fixtures" / "pitches" / "idlewatt.txt").read_text(encoding="utf-8")
    return [f"{text}\nNumber {number}." for number in range(count)]


# ---------------------------------------------------------------- the contestants


def reading(url: str, texts: list[str], concurrency: int) -> None:
    from analyzer.reading.conversation import ModelReader
    from analyzer.reading.pitch import Pitch
    from analyzer.reading.rate_limiter import MANY, RateLimiter
    from analyzer.settings import Settings

    settings = Settings(openai_base_url=url, openai_api_key=KEY)

    async def main() -> None:
        reader = ModelReader(f"openai/{MODEL}", settings, limiter=RateLimiter(MANY, concurrency))
        await _timed(texts, concurrency, lambda text: reader.read(Pitch.from_text(text)))
        await reader.aclose()

    asyncio.run(main())


def whole(url: str, texts: list[str], concurrency: int, processes: int = 1) -> None:
    """`pitch bulk`, from a table to JSON Lines, with a store.

    Its start takes part in neither figure: the clocks start when the pitches to warm up are done; of the CPU of other
    processes, that of a run over these alone is taken off.
    """
    warm = [f"{text} warm" for text in texts[: WARM_UP * concurrency]]
    if processes > 1:
        _bulk_run(url, warm, concurrency, processes, len(warm))
    others = _cpu_of_children()
    wall, cpu = _bulk_run(url, [*warm, *texts], concurrency, processes, len(warm))
    _say(wall, (cpu + _cpu_of_children() - 2 * others) / len(texts))


def _bulk_run(url: str, texts: list[str], concurrency: int, processes: int, warm: int) -> tuple[float, float]:
    """Seconds, and seconds of this process's CPU, from when so many pitches are done to the end."""
    from analyzer.files.pitches import Sources
    from analyzer.results.result import Progress
    from analyzer.runs.bulk import BulkOptions, run
    from analyzer.runs.garbage import collecting_less
    from analyzer.settings import Settings

    marks: list[tuple[float, float]] = []

    def note(progress: Progress) -> None:
        if progress.finished >= warm and not marks:
            marks.append(_begin())

    with tempfile.TemporaryDirectory() as name, collecting_less():
        folder = Path(name)
        (folder / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        settings = Settings(openai_base_url=url, openai_api_key=KEY, store=f"sqlite:///{folder}/store.db")
        options = BulkOptions(f"openai/{MODEL}", concurrency, settings=settings, processes=processes)
        summary = run(Sources((str(folder / "in.jsonl"),)), folder / "out.jsonl", options, on_progress=note)
        assert summary.progress.done == len(texts), summary
        return time.perf_counter() - marks[0][0], time.process_time() - marks[0][1]


def stock_instructor(url: str, texts: list[str], concurrency: int) -> None:
    import instructor
    import openai

    client = instructor.from_openai(
        openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=120), model=MODEL
    )
    model = peer_model()

    async def ask(text: str) -> object:
        return await client.chat.completions.create(messages=_messages(text), response_model=model, max_retries=0)

    asyncio.run(_timed(texts, concurrency, ask))


def langchain(url: str, texts: list[str], concurrency: int) -> None:
    from langchain_openai import ChatOpenAI  # type: ignore[import-not-found]

    chat = ChatOpenAI(model=MODEL, base_url=url, api_key=KEY, max_retries=0, timeout=120)
    chain = chat.with_structured_output(peer_model(), method="function_calling")

    async def main() -> None:
        config = {"max_concurrency": concurrency}
        await chain.abatch([_pairs(text) for text in texts[: WARM_UP * concurrency]], config)
        begun = _begin()
        answers = await chain.abatch([_pairs(text) for text in texts], config)
        _end(begun, len(answers))

    asyncio.run(main())


async def _timed(texts: list[str], concurrency: int, ask: Callable[[str], Awaitable[object]]) -> None:
    places = asyncio.Semaphore(concurrency)

    async def one(text: str) -> None:
        async with places:
            assert await ask(text) is not None

    await asyncio.gather(*map(one, texts[: WARM_UP * concurrency]))
    begun = _begin()
    await asyncio.gather(*map(one, texts))
    _end(begun, len(texts))


def _messages(text: str) -> Any:
    return [{"role": role, "content": content} for role, content in _pairs(text)]


def _pairs(text: str) -> list[tuple[str, str]]:
    from analyzer.reading import prompts

    return [("system", prompts.instructions()), ("user", prompts.pitch_message(text, "0" * 64))]


def peer_model() -> Any:
    """The answer's shape as a pydantic model, as one would write it for instructor or LangChain."""
    from pydantic import BaseModel, Field, create_model

    from analyzer.vocabulary.signals import LIST_RULES, SIGNALS, Focus, RivalKind, Role, Stage

    basis = Literal["stated", "inferred", "absent"]

    def literal(values: tuple[str, ...]) -> Any:
        return Literal[values]

    def named(name: str, /, **fields: Any) -> type[BaseModel]:
        described: dict[str, Any] = {
            field: (kind, Field(description=LIST_RULES.get(field))) if field in LIST_RULES else (kind, ...)
            for field, kind in fields.items()
        }
        return cast(type[BaseModel], create_model(name, **described))

    problem = named(
        "Problem",
        statement=str,
        sentence=int,
        words=str,
        stage=literal(get_args(Stage)),
        focus=literal(get_args(Focus)),
        primary=bool,
    )
    persona = named("Persona", sentence=int, words=str, role=literal(get_args(Role)))
    competitor = named("Competitor", sentence=int, words=str, name=str, kind=literal(get_args(RivalKind)))
    singles = {
        name: (
            create_model(
                name,
                sentences=(list[int], ...),
                words=(str, ...),
                basis=(basis, ...),
                value=(literal((*spec.values, "unknown")), ...),
            ),
            Field(description=spec.description),
        )
        for name, spec in SIGNALS.items()
    }
    lists = {"problems": problem, "personas": persona, "competitors": competitor}
    model: type[BaseModel] = create_model(  # type: ignore[call-overload]
        "RecordSignals",
        instructions=(list[str], ...),
        in_scope=(bool, Field(description=LIST_RULES["in_scope"])),
        product=(str, Field(description=LIST_RULES["product"])),
        summary=(str, Field(description=LIST_RULES["summary"])),
        **{name: (list[kind], Field(description=LIST_RULES[name])) for name, kind in lists.items()},  # type: ignore[valid-type]
        **singles,
    )
    return model


# ---------------------------------------------------------------- measuring


def _begin() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _end(begun: tuple[float, float], calls: int) -> None:
    _say(time.perf_counter() - begun[0], (time.process_time() - begun[1]) / calls)


def _cpu_of_children() -> float:
    """Seconds of processor time of the processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _say(wall: float, cpu: float) -> None:
    """Prints what one contestant took, for the process that started it. `cpu`: seconds a call."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu * 1000, "memory": peak}))


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def _started(*arguments: str) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, __file__, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\n{done.stderr[-2000:]}")
    return cast(dict[str, float], json.loads(done.stdout.splitlines()[-1]))


def compare(calls: int, latency: float, concurrencies: list[int]) -> None:
    names = [name for name in CONTESTANTS if name != "langchain" or find_spec("langchain_openai")]
    with _endpoint(latency) as port:
        print(f"{calls} calls, {latency:g} s each; the client on one core, the endpoint on another\n")
        print("| in flight | | elapsed, of the ideal | CPU, of instructor's | of reading's | ms a pitch | peak MB |")
        print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for concurrency in concurrencies:
            here = [name for name in names if name != "all2" or concurrency == max(concurrencies)]
            found = {name: _started("--run", name, str(port), str(calls), str(concurrency)) for name in here}
            for name, took in found.items():
                ideal = calls * latency / concurrency
                shares = [took["cpu"] / found[other]["cpu"] for other in ("instructor", "reading")]
                print(
                    f"| {concurrency} | {CONTESTANTS[name]} | {took['wall'] / ideal:.2f} | {shares[0]:.2f} "
                    f"| {shares[1]:.2f} | {took['cpu']:.1f} | {took['memory']:.0f} |",
                    flush=True,
                )


def memory(count: int) -> None:
    with _endpoint(0.0) as port:
        for pitches_ in (count // 10, count):
            took = _started("--stream", str(port), str(pitches_))
            print(
                f"{pitches_:,} pitches: peak {took['memory']:.0f} MB, {pitches_ / took['wall']:.0f} pitches/s",
                flush=True,
            )


def stream(port: int, count: int) -> None:
    """A whole bulk run, from a CSV to a CSV, over so many pitches."""
    from analyzer.files.pitches import Sources
    from analyzer.runs.bulk import BulkOptions, run
    from analyzer.settings import Settings

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = pitches(1)[0].replace("\n", " ").replace('"', "'")
        with (folder / "in.csv").open("w", encoding="utf-8") as file:
            file.write("id,pitch\n")
            file.writelines(f'{number},"{text} {number}"\n' for number in range(count))
        settings = Settings(
            openai_base_url=f"http://127.0.0.1:{port}/v1", openai_api_key=KEY, store=f"sqlite:///{folder}/store.db"
        )
        begun = _begin()
        summary = run(
            Sources((str(folder / "in.csv"),)),
            folder / "out.csv",
            BulkOptions(model=f"openai/{MODEL}", concurrency=64, settings=settings),
        )
        assert summary.progress.done == count, summary
        _end(begun, count)


class _endpoint:  # noqa: N801  # used as a context
    """The endpoint in a process of its own, on the other core; gives its port."""

    def __init__(self, latency: float):
        self._latency = latency

    def __enter__(self) -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        self._process = subprocess.Popen([sys.executable, __file__, "--serve", str(port), str(self._latency)])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
                return port
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the endpoint did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1024)
    parser.add_argument("--latency", type=float, default=0.5)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--memory", type=int, metavar="PITCHES")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--stream", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        _pin(1)
        asyncio.run(serve(int(given.serve[0]), float(given.serve[1])))
    elif given.run:
        name, port, calls, concurrency = given.run
        if name != "all2":
            _pin(0)
        contestants: dict[str, Callable[[str, Any, int], object]] = {
            "reading": reading,
            "all": whole,
            "all2": partial(whole, processes=2),
            "instructor": stock_instructor,
            "langchain": langchain,
        }
        contestants[name](f"http://127.0.0.1:{port}/v1", pitches(int(calls)), int(concurrency))
    elif given.stream:
        stream(int(given.stream[0]), int(given.stream[1]))
    elif given.memory:
        memory(given.memory)
    else:
        compare(given.calls, given.latency, given.concurrency)


if __name__ == "__main__":
    main()
