"""What runs in Ray's processes: readers of blocks, and the owner of the limits that they share.

Ray is loaded where it is used, as everywhere in this package.
"""

from __future__ import annotations

import asyncio
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from analyzer.errors import AnalyzerError, RunStopped
from analyzer.files.disk import connections_at_once
from analyzer.framework.many_pitches import score_table
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.ray.columns import Columns, OwnColumns
from analyzer.reading import background
from analyzer.reading.limit_owner import LimitOwner, News, Process, Word
from analyzer.reading.limits import LimitTerms, OwnLimits
from analyzer.reading.panel import ENDS_RUN
from analyzer.reading.shared_limits import SharedLimits
from analyzer.results.result import Result, as_analyzer_error
from analyzer.runs.arguments import label, title_of
from analyzer.runs.many import ManyRun, ReadPitch
from analyzer.runs.plan import RunPlan
from analyzer.settings import MAX_CONCURRENCY, Settings

if TYPE_CHECKING:
    import pyarrow

_BATCHES_A_SECOND: Final = 400
"""Messages that the owner takes in at most; with more processes, each gathers for longer."""
_SHORTEST: Final = 0.05
"""Seconds for which words to the owner, and its news, are gathered: little next to an answer's time, and each message
takes a large part of a millisecond of both processes."""


@dataclass(frozen=True)
class Job:
    """What every process has to know. It holds keys, and the password of the store, and travels `Sealed`."""

    models: tuple[str, ...] = field(repr=False)
    settings: Settings = field(repr=False)
    store: str | None = field(repr=False)
    rulebook: Rulebook = field(repr=False)
    market: MarketMap = field(repr=False)
    terms: LimitTerms = field(repr=False)
    give_up_after: float = field(repr=False)
    columns: Columns = field(repr=False)
    gather: float = field(repr=False)

    @classmethod
    def of(cls, plan: RunPlan, columns: Columns, processes: int) -> Job:
        """The job of a plan. `processes`: how many may share its limits."""
        return cls(
            plan.models,
            _with_keys(plan),
            plan.store,
            plan.rulebook,
            plan.market,
            plan.limit_terms(),
            plan.give_up_after,
            columns,
            max(_SHORTEST, processes / _BATCHES_A_SECOND),
        )

    def plan(self) -> RunPlan:
        """The plan of one process, which has as many requests in flight as it may open connections."""
        width = sum(self.terms.widths.values())
        return RunPlan(
            models=self.models,
            settings=self.settings,
            store=self.store,
            rulebook=self.rulebook,
            market=self.market,
            concurrency=connections_at_once(min(width, MAX_CONCURRENCY)),
            max_cost=self.terms.max_cost,
            give_up_after=self.give_up_after,
            on_progress=lambda _: None,
            progress=False,
            stop=Event(),
            total=None,
            repeat=1,
        )


class Sealed:
    """A job on its way to a process. Ray writes the arguments of a dataset's steps to its logs, dataclasses with all
    their fields; of this it sees nothing. Packed, because Ray warns of arguments over 100 kB."""

    __slots__ = ("_packed",)

    def __init__(self, job: Job):
        self._packed = zlib.compress(pickle.dumps(job))

    def open(self) -> Job:
        job: Job = pickle.loads(zlib.decompress(self._packed))  # noqa: S301  # what this class has packed
        return job


class BlockReader:
    """Reads blocks; Ray keeps one in each of its processes. Several blocks are read at the same time."""

    def __init__(self, job: Sealed, owner: Any):
        import ray

        self._start(job.open(), owner, ray.get_runtime_context().get_actor_id() or "")

    def _start(self, job: Job, owner: Any, place: str) -> None:
        self._columns = job.columns
        process = Process(place, uuid4().hex)
        self._limits = SharedLimits(_RayLink(owner), process, job.terms, gather=job.gather)
        self._run = ManyRun(job.plan(), self._limits)
        self._numbers = count()
        self._room = asyncio.Semaphore(self._run.window)

    def __del__(self) -> None:
        run = getattr(self, "_run", None)
        if run is not None:
            run.close()
            background.finish(self._limits.aclose)

    async def __call__(self, block: pyarrow.Table) -> pyarrow.Table:
        """The block with what came of each of its pitches."""
        own = self._columns.own.pinned(block)
        rows = await asyncio.gather(*map(self._row, self._columns.entries(own)))
        return self._columns.table(own, rows)

    async def _row(self, entry: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        async with self._room:
            result = await self._result(number, entry)
        return self._columns.row(result, entry["id"])

    async def _result(self, number: int, entry: dict[str, Any]) -> Result:
        failed = partial(Result, number, label(entry, number), title=title_of(entry))
        if self._limits.ended:
            return failed(error=self._reason(None))
        try:
            finished = await self._read(number, entry)
        except Exception as error:  # noqa: BLE001  # one pitch must not end the run
            return failed(error=as_analyzer_error(error, "while preparing this pitch"))
        outcome = finished.outcome
        if isinstance(outcome, ENDS_RUN) and not isinstance(outcome, RunStopped):
            background.call(partial(self._limits.end, outcome))
        if self._run.take(finished):
            return self._run.result(finished)
        sha256, title = finished.pitch.ref.sha256, finished.pitch.ref.title
        return failed(error=self._reason(outcome), sha256=sha256, title=title)

    async def _read(self, number: int, entry: dict[str, Any]) -> ReadPitch:
        loop = asyncio.get_running_loop()
        finished: asyncio.Future[ReadPitch] = loop.create_future()

        def deliver(each: ReadPitch) -> None:
            loop.call_soon_threadsafe(finished.set_result, each)

        self._run.start(number, entry, deliver)
        return await finished

    def _reason(self, outcome: object) -> AnalyzerError:
        """Why a pitch was not read: the error that ended the run for all."""
        reason = self._limits.error or self._run.ended or outcome
        return (
            reason
            if isinstance(reason, AnalyzerError)
            else RunStopped("the run was stopped before this pitch was read")
        )


def judged(block: pyarrow.Table, own: OwnColumns | None, rulebook: Rulebook) -> pyarrow.Table:
    """A block with its scores. `own`: its columns in the types of all blocks; None = they are those of `read`."""
    return score_table(block if own is None else own.pinned(block), rulebook)


class _RayLink:
    """The way to an owner that is an actor."""

    def __init__(self, owner: Any):
        from ray.exceptions import RayError

        self._owner = owner
        self._errors = RayError

    async def tell(self, process: Process, words: Sequence[Word]) -> None:
        await self._reply(self._owner.tell.remote(process, list(words)))

    async def hear(self, process: Process) -> list[News] | None:
        news: list[News] | None = await self._reply(self._owner.hear.remote(process))
        return news

    async def _reply(self, reference: Any) -> Any:
        try:
            return await reference
        except self._errors as error:
            raise RunStopped(
                f"the process that shares out the requests is gone ({type(error).__name__}), so nothing more is asked; "
                "run again: what is stored is not asked again"
            ) from error


class _Owner(LimitOwner):
    """The owner of a job's limits."""

    def __init__(self, terms: LimitTerms, gather: float):
        super().__init__(OwnLimits(terms), gather=gather)


def start_owner(job: Job, node: str) -> Any:
    """An actor that owns the limits of a job, on the driver's node: it ends when the driver does, and not before."""
    import ray

    actor = ray.remote(_Owner).options(
        num_cpus=0, max_restarts=0, max_concurrency=10_000, label_selector={"ray.io/node-id": node}
    )
    return actor.remote(job.terms, job.gather)


def _with_keys(plan: RunPlan) -> Settings:
    """The settings with the keys of all models that are asked, as this process has them."""
    from analyzer.reading.clients import NO_KEY, key_for, split_model

    keys = {split_model(model)[0]: key_for(model, plan.settings) for model in plan.limit_terms().models}
    known = {provider: key for provider, key in keys.items() if key != NO_KEY}
    settings = plan.settings
    return replace(
        settings,
        keys={**known, **settings.keys},
        recordings=_in_full(settings.recordings),
        profiles=_in_full(settings.profiles),
    )


def _in_full(path: Path | None) -> Path | None:
    """A path as processes in other folders understand it."""
    return None if path is None else path.absolute()
