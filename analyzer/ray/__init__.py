"""Reads and scores the pitches of a Ray dataset, on one machine or a cluster (extra `ray`).

    import ray
    from analyzer.ray import read, judge

    assessed = read(ray.data.read_parquet("deals/"), text="pitch", id="deal_id", model="openai/gpt-6-luna")
    assessed.write_parquet("assessed/")
    judge(ray.data.read_parquet("assessed/"), rulebook="my.toml").write_parquet("judged/")

All processes share one set of limits: see `reading.limit_owner`. Ray is loaded when one of these is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from analyzer.errors import ConfigurationError, InputError
from analyzer.framework.arguments import as_rulebook
from analyzer.framework.rulebook import Rulebook
from analyzer.ray.columns import Columns, OwnColumns, known_schema
from analyzer.resources import install_command
from analyzer.runs.arguments import as_concurrency
from analyzer.runs.many import MANY_DEFAULTS, ManyRun
from analyzer.runs.options import LimitedOptions, ManyOptions, check_names, takes
from analyzer.runs.plan import RunPlan
from analyzer.settings import MAX_CONCURRENCY

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["judge", "read"]

_ROWS: Final = 256
"""Rows that an actor reads as one block: few enough that what comes of them is one block too."""
_BLOCKS: Final = 4
"""Blocks that an actor reads at the same time: the last pitches of one leave room for those of the next."""
_JUDGED: Final = 1_000
"""Rows that are scored at a time."""
_DEFAULTS: Final = {name: MANY_DEFAULTS[name] for name in LimitedOptions.__annotations__ if name in MANY_DEFAULTS}


@takes(LimitedOptions, **_DEFAULTS)
def read(
    dataset: Dataset,
    *,
    text: str | Sequence[str] = "text",
    id: str | None = None,
    title: str | None = None,
    actors: int | tuple[int, int] = (1, 8),
    num_cpus: float = 1.0,
    rows_per_block: int = _ROWS,
    **options: Unpack[LimitedOptions],
) -> Dataset:
    """Assess the pitch of every row: a dataset with the same rows and columns, and those of `to_frame` after them.

    `text`: the column with the pitch, or several that are joined. `id` and `title`: the columns with the pitch's id and
    the company's name; without `id`, the column "id" is used if there is one. A row without an id gets the fingerprint
    of its text. Your own columns are kept; one with a name of ours is renamed (`summary` to `input_summary`). A pitch
    that failed is a row with `error_kind` and `error_message`; an error that ends the run (cost limit, key, a server
    that is gone) is in every row that was not read by then. All blocks have one schema.

    `actors`: how many processes read, or the fewest and the most; each takes `num_cpus` of Ray's CPUs. They share
    `concurrency` (up to 256 for each of them), `max_cost` and the server's rate limits. `store`: a database that all of
    them reach. A SQLite file is possible on a cluster of one node only; without a store, the pitches that a killed
    process had in hand are paid for again. `rows_per_block`: how many rows a process reads as one. The other options
    are those of `analyze_many`.

    Nothing is asked before the dataset is used, and again each time it is: write it once. Raises InputError or
    ConfigurationError at once for an argument, column, model or store that cannot be used, and for a dataset that is
    itself made by `read` and not written yet.
    """
    check_names("read", options, LimitedOptions)
    ray = _ray()
    fewest, most = _as_actors(actors)
    if isinstance(rows_per_block, bool) or not isinstance(rows_per_block, int) or rows_per_block < 1:
        raise ConfigurationError(f"rows_per_block is {rows_per_block!r:.40}; pass a whole number above 0")
    one_process: ManyOptions = {**options, "concurrency": MAX_CONCURRENCY}  # type: ignore[typeddict-item]
    concurrency = as_concurrency(options.get("concurrency", MANY_DEFAULTS["concurrency"]), MAX_CONCURRENCY * most)
    plan = replace(RunPlan.of(one_process, None), concurrency=concurrency)
    if _asks(dataset):
        raise InputError("this dataset is made by read(), which would ask again; write it, and read what was written")
    columns = Columns.of(OwnColumns.of(dataset), text, id, title)
    here = ray.get_runtime_context().get_node_id()
    store, on_one_node = _shared_store(plan.store, sum(bool(node["Alive"]) for node in ray.nodes()))
    ManyRun(plan).close()  # what cannot be set up shows here, and the store gets its tables
    from analyzer.ray.workers import BlockReader, Job, Sealed, start_owner

    job = Job.of(replace(plan, store=store), columns, most)
    blocks = dataset.repartition(target_num_rows_per_block=rows_per_block)
    compute = ray.data.ActorPoolStrategy(min_size=fewest, max_size=most, max_concurrent_calls_per_actor=_BLOCKS)
    assessed: Dataset = blocks.map_batches(
        BlockReader,
        fn_constructor_kwargs={"job": Sealed(job), "owner": start_owner(job, here)},
        batch_size=None,
        batch_format="pyarrow",
        compute=compute,
        num_cpus=num_cpus,
        label_selector={"ray.io/node-id": here} if on_one_node else None,
        udf_modifying_row_count=False,
    )
    return assessed


def judge(dataset: Dataset, rulebook: Rulebook | str | Path | None = None) -> Dataset:
    """Score every row, as `score_table` does: a dataset with the same rows and columns, and the scores after them.

    The dataset is one that `read` wrote, or has a column for each signal. `rulebook`: one, or the path of its TOML
    file, which only this process reads; None = the built-in one. Asks no model. Raises InputError at once for a
    rulebook that cannot be used or a dataset without signals.
    """
    from analyzer.framework.many_pitches import score_table
    from analyzer.ray.workers import judged

    _ray()
    rules = as_rulebook(rulebook)
    own = None
    if known_schema(dataset) is not None or not _asks(dataset):  # else it is ours, and to look at it would cost
        own = OwnColumns.of(dataset)
        score_table(own.schema.empty_table(), rules)  # names what is missing before anything runs
    scored: Dataset = dataset.map_batches(
        judged,
        fn_args=(own, rules),
        batch_size=_JUDGED,
        batch_format="pyarrow",
        udf_modifying_row_count=False,
    )
    return scored


def _ray() -> Any:
    """Ray with its datasets. Raises ConfigurationError if it is not installed."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigurationError(f"this needs a package that is not installed: {install_command('ray')}") from error
    return ray


def _asks(dataset: Dataset) -> bool:
    """Whether a dataset that is used asks a model: Ray shows the steps that make it."""
    return "BlockReader" in repr(dataset)


def _as_actors(actors: object) -> tuple[int, int]:
    """The fewest and the most processes. Raises ConfigurationError."""
    both = (actors, actors) if isinstance(actors, int) else actors
    if isinstance(both, tuple | list) and len(both) == 2 and all(type(each) is int for each in both):
        fewest, most = both
        if 1 <= fewest <= most:
            return fewest, most
    raise ConfigurationError(
        f"actors is {actors!r:.40}; pass a number of processes, or the fewest and the most: (1, 8)"
    )


def _shared_store(url: str | None, nodes: int) -> tuple[str | None, bool]:
    """The store's URL as all processes understand it, and whether all of them have to be on this machine because it is
    a file. Raises ConfigurationError for a store that they cannot share."""
    if url is None or not url.startswith("sqlite"):
        return url, False
    from analyzer.store.engine import absolute, sqlite_file

    if sqlite_file(url) is None:
        raise ConfigurationError("a store in memory belongs to one process; name a file or a PostgreSQL database")
    if nodes > 1:
        raise ConfigurationError(
            f"the store is a SQLite file, which one machine can use, and the cluster has {nodes} nodes; name a "
            "PostgreSQL database, store='postgresql://…', or pass store=False (then a killed process pays twice)"
        )
    return absolute(url), True
