"""Read pitches on a local Ray cluster whose processes are killed, from a server that fails on purpose.

    python -m tests.soak.on_ray                          # 2,000 pitches, 2 in 10 meet a fault, 3 kills
    python -m tests.soak.on_ray --pitches 20000          # the scale of docs/ray.md
    python -m tests.soak.on_ray --postgresql --nodes 2   # the store in a PostgreSQL server of its own

Needs the extra `ray`, on Linux. Every pitch has to get exactly one row, no answer may be paid twice but those in flight
when a process was killed, and `judge` has to be equal to `score_table`. Exit: 0 all passed, 1 some failed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet

from analyzer import Settings, score_table
from analyzer.ray import judge, read
from tests.soak.bench import MODEL, Bench, Server, check_payments
from tests.soak.postgres import Postgres
from tests.soak.report import table
from tests.soak.server import FILTERED, lot, pitch_text
from tests.soak.verdict import Row, check_rows

READER: Final = "MapWorker(MapBatches(BlockReader))"
OWNER: Final = "_Owner"
_TICK: Final = 0.2


@dataclass(frozen=True)
class Trial:
    """How large a trial is. `rows`: of one block."""

    pitches: int = 2000
    faults: float = 0.2
    processes: int = 4
    concurrency: int = 64
    kills: int = 3
    rows: int = 64
    latency: float = 0.1
    timeout: float = 30.0


@dataclass(slots=True)
class Watch:
    """Kills readers while they read, and notes what CPU the processes take, in seconds."""

    server: Server
    trial: Trial
    kills: list[float] = field(default_factory=list)
    cpu: dict[tuple[str, int], float] = field(default_factory=dict)
    start: dict[tuple[str, int], float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        every = self.trial.pitches // (self.trial.kills + 1)
        while not self.over.wait(_TICK):
            readers = self._measured()
            due = len(self.kills) < self.trial.kills and readers
            if due and self.server.ledger.count("good") >= every * (len(self.kills) + 1):
                self._kill(readers[len(self.kills) % len(readers)])

    def _kill(self, pid: int) -> None:
        """Kill a process, and note when the server knows that its connections are gone."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            while is_alive(pid):
                time.sleep(_TICK / 10)
            self.server.set_weather("fair")  # answered after what happened to the connections
            self.kills.append(time.time())

    def _measured(self) -> list[int]:
        readers = []
        asked = self.server.ledger.count("asked") > 0
        for pid, title in descendants(os.getpid()).items():
            for name in (READER, OWNER):
                if name in title:
                    with suppress(OSError):
                        self.cpu[name, pid] = cpu_seconds(pid)
                        if not asked:
                            self.start[name, pid] = self.cpu[name, pid]
                        readers += [pid] * (name == READER)
        return readers

    def milliseconds(self, name: str) -> float:
        """CPU of all processes of a kind from the first request on, for each pitch; of those that replace killed ones
        with their start."""
        taken = {each: seconds - self.start.get(each, 0.0) for each, seconds in self.cpu.items() if each[0] == name}
        return 1000 * sum(taken.values()) / self.trial.pitches


def descendants(root: int) -> dict[int, str]:
    """The processes below one, with their titles."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, ValueError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found, below = {}, {root}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        for pid in below:
            with suppress(OSError):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return found


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Whether any thread of a process is left: its connections close with the last of them."""
    with suppress(OSError):
        ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return not ended or len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    return False


@contextmanager
def local_cluster(nodes: int = 1) -> Iterator[Any]:
    """A cluster on this machine alone, whatever it has: readers take little of the three CPUs of a node."""
    import ray

    node: dict[str, Any] = {"num_cpus": 3, "object_store_memory": 300_000_000}
    ours: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    cluster = None
    try:
        if nodes == 1:
            ray.init("local", **node, **ours, include_dashboard=False, _node_ip_address="127.0.0.1")
        else:
            from ray.cluster_utils import Cluster

            cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
            for _ in range(nodes - 1):
                cluster.add_node(**node)
            ray.init(address=cluster.address, **ours)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray
    finally:
        ray.shutdown()
        if cluster is not None:
            cluster.shutdown()


def try_on_ray(bench: Bench, trial: Trial, store: str | None = None) -> tuple[Row, dict[str, Any]]:
    """One trial on the cluster that is up: what came of it, and its figures."""
    import ray

    row = Row("Ray", f"{trial.pitches:,} pitches, {trial.processes} processes, {trial.kills} killed")
    bench.folder.mkdir(parents=True, exist_ok=True)
    server = bench.server(latency=trial.latency, faults=trial.faults)
    ids = [f"p{number}" for number in range(trial.pitches)]
    deals, assessed = bench.folder / "deals.parquet", bench.folder / "assessed"
    texts = [pitch_text(number) for number in range(trial.pitches)]
    pyarrow.parquet.write_table(pyarrow.table({"deal_id": ids, "pitch": texts}), deals)
    settings = Settings(
        openai_base_url=f"http://127.0.0.1:{server.port}/v1", openai_api_key="none", timeout=trial.timeout
    )
    dataset = read(
        ray.data.read_parquet(str(deals)),
        text="pitch",
        id="deal_id",
        model=MODEL,
        settings=settings,
        store=store or f"sqlite:///{bench.folder / 'store.db'}",
        concurrency=trial.concurrency,
        actors=trial.processes,
        rows_per_block=trial.rows,
        num_cpus=1 / trial.processes,
    )
    watch = Watch(server, trial)
    watching = threading.Thread(target=watch.run)
    watching.start()
    began = time.monotonic()
    try:
        dataset.write_parquet(str(assessed))
    finally:
        watch.over.set()
        watching.join()
    row.seconds = time.monotonic() - began
    filtered = {id_ for number, id_ in enumerate(ids) if lot(server.plan, number)[0] in FILTERED}
    check_rows(row, assessed, ids, filtered)
    check_payments(row, server.ledger.entries(), kills=watch.kills, width=trial.concurrency)
    if len(watch.kills) < trial.kills:
        row.faults.append(f"only {len(watch.kills)} kills hit a process")
    whole = pyarrow.parquet.read_table(assessed)
    judged = pyarrow.concat_tables(ray.get(judge(ray.data.read_parquet(str(assessed))).to_arrow_refs()))
    if not judged.sort_by("deal_id").equals(score_table(whole).sort_by("deal_id")):
        row.faults.append("judge differs from score_table")
    figures = {
        "reader_ms": round(watch.milliseconds(READER), 2),
        "owner_ms": round(watch.milliseconds(OWNER), 2),
        "output_mb": round(sum(file.stat().st_size for file in assessed.iterdir()) / 1e6, 1),
    }
    return row, figures


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.on_ray", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pitches", type=int, default=Trial.pitches)
    parser.add_argument("--faults", type=float, default=Trial.faults, help="share of pitches that meet a fault")
    parser.add_argument("--processes", type=int, default=Trial.processes)
    parser.add_argument("--concurrency", type=int, default=Trial.concurrency)
    parser.add_argument("--kills", type=int, default=Trial.kills)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep all files of the run in a new folder")
    parser.add_argument("--postgresql", action="store_true", help="keep answers in a PostgreSQL server of its own")
    parser.add_argument("--nodes", type=int, default=1, help="of the cluster, all on this machine")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.nodes > 1 and not options.postgresql:
        parser.error("several nodes cannot share a store in a file; add --postgresql")
    trial = Trial(options.pitches, options.faults, options.processes, options.concurrency, options.kills)
    with (
        local_cluster(options.nodes),
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        Bench(options.keep or Path(folder), options.seed) as bench,
    ):
        store = None
        if options.postgresql:
            database = Postgres()
            bench.on_exit(database.end)
            database.start()
            store = database.url
        row, figures = try_on_ray(bench, trial, store)
    print(table([row]))
    print(json.dumps({**row.document(), **figures}))
    return 1 if row.faults else 0


if __name__ == "__main__":
    sys.exit(main())
