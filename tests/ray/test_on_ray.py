"""A small cluster of Ray on this machine: every pitch one row, whatever is killed, and limits that all processes share."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from analyzer import Settings, score_table
from analyzer.errors import ConfigurationError, InputError
from analyzer.framework.rulebook import Rulebook
from analyzer.ray import judge, read
from analyzer.ray.columns import Columns, OwnColumns
from analyzer.ray.workers import Job, Sealed
from analyzer.runs.plan import RunPlan
from tests.completions import PITCH
from tests.model_server import MODEL, Reply, Service, good
from tests.soak.bench import Bench
from tests.soak.on_ray import OWNER, Trial, descendants, local_cluster, try_on_ray

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("ray", exc_type=ImportError)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    with local_cluster() as started:
        yield started


def whole(dataset: Any) -> pyarrow.Table:
    import ray

    return pyarrow.concat_tables(ray.get(dataset.to_arrow_refs()))


def test_every_pitch_gets_one_row_and_none_is_paid_twice_though_a_process_is_killed(ray: Any, tmp_path: Path) -> None:
    with Bench(tmp_path, 1) as bench:
        row, _ = try_on_ray(bench, Trial(pitches=120, processes=2, concurrency=16, kills=1, rows=15))
    assert row.faults == []
    assert (row.expected, row.got) == (120, 120)


def pitches(rows: int) -> pyarrow.Table:
    return pyarrow.table({"id": list(range(rows)), "text": [f"{PITCH} {number}" for number in range(rows)]})


def asking(service: Service, **options: Any) -> dict[str, Any]:
    """Arguments of `read` for a service, with small processes and blocks."""
    small = {"store": False, "concurrency": 4, "actors": 1, "num_cpus": 0.25, "rows_per_block": 10}
    return {"model": MODEL, "settings": service.settings, **small, **options}


def test_the_cost_limit_ends_all_processes_and_the_next_run_asks_only_what_is_left(ray: Any, tmp_path: Path) -> None:
    dataset, store = ray.data.from_arrow(pitches(60)), f"sqlite:///{tmp_path / 'store.db'}"
    with Service(lambda *_: good()) as service:
        first = whole(read(dataset, **asking(service, store=store, actors=2, max_cost=0.02)))
        answered = sum(service.answered.values())
        second = whole(read(dataset, **asking(service, store=store)))
        assert sum(service.answered.values()) == 60
    kinds = Counter(first.column("error_kind").to_pylist())
    assert set(first.column("id").to_pylist()) == set(range(60))
    assert set(kinds) == {None, "cost_limit"}
    assert kinds[None] == answered > 0
    assert sum(filter(None, first.column("cost_usd").to_pylist())) <= 0.02
    assert second.column("error_kind").null_count == 60
    assert Counter(second.column("from_store").to_pylist()) == {True: answered, False: 60 - answered}


def test_only_what_is_used_is_asked_and_a_written_dataset_asks_nothing_more(ray: Any, tmp_path: Path) -> None:
    with Service(lambda *_: good()) as service:

        def asked() -> int:
            return sum(service.asked.values())

        assessed = read(ray.data.from_arrow(pitches(40)), **asking(service))
        judge(assessed)
        with pytest.raises(InputError, match=r"made by read\(\)"):
            read(assessed.limit(3), **asking(service))
        assert asked() == 0
        assert len(assessed.take(3)) == asked() == 3
        assessed.write_parquet(str(tmp_path / "assessed"))
        assert asked() == 43
        written = ray.data.read_parquet(str(tmp_path / "assessed"))
        assert judge(written).count() == 40
        assert judge(written).filter(expr=ray.data.expressions.col("error_kind").is_null()).count() == 40
        assert asked() == 43


def test_if_the_process_with_the_limits_is_lost_nothing_more_is_asked_and_every_row_says_so(ray: Any) -> None:
    owners: list[int] = []

    def reply(_: str, __: int) -> Reply:
        if sum(service.answered.values()) >= 10 and not owners:
            owners.extend(pid for pid, title in descendants(os.getpid()).items() if OWNER in title)
            for pid in owners:
                os.kill(pid, signal.SIGKILL)
        return good()

    with Service(reply) as service:
        made = whole(read(ray.data.from_arrow(pitches(60)), **asking(service)))
        answered = sum(service.answered.values())
    kinds = Counter(made.column("error_kind").to_pylist())
    assert set(made.column("id").to_pylist()) == set(range(60))
    assert kinds == {None: answered, "stopped": 60 - answered}
    assert any("is gone" in (message or "") for message in made.column("error_message").to_pylist())


def test_columns_whose_first_cells_are_empty_are_carried_through(ray: Any, tmp_path: Path) -> None:
    """Ray has the types of neither: a column that is empty in the first block fits any type of another."""
    import pandas

    frames = [
        pandas.DataFrame({"id": ["a", "b"], "text": [None, ""], "summary": [None, None], "never": [None, None]}),
        pandas.DataFrame({"id": ["c"], "text": [PITCH], "summary": ["mine"], "never": [None]}),
    ]
    assessed = read(ray.data.from_pandas(frames), model="keywords", actors=1, num_cpus=0.25, rows_per_block=1)
    assessed.write_parquet(str(tmp_path / "assessed"))
    made = pyarrow.parquet.read_table(tmp_path / "assessed").sort_by("id")
    assert made.column("input_summary").to_pylist() == [None, None, "mine"]
    assert made.column("never").null_count == 3
    assert made.column("error_kind").to_pylist() == ["pitch", "pitch", None]
    schemas = {str(pyarrow.parquet.read_schema(file)) for file in _files(tmp_path)}
    assert len(schemas) == 1


def _files(folder: Path) -> list[Path]:
    return [file for file in (folder / "assessed").iterdir() if file.suffix == ".parquet"]


def test_blocks_are_read_and_judged_as_one_table_would_be(ray: Any) -> None:
    table = pyarrow.table({"id": ["a", "b", "c"], "text": [PITCH, "", "We sell shoes."], "stars": [1, None, 3]})
    made = whole(read(ray.data.from_arrow(table), model="keywords", actors=1, num_cpus=0.25, rows_per_block=2))
    assert made.select(["id", "text", "stars"]).sort_by("id").equals(table)
    assert made.sort_by("id").column("error_kind").to_pylist() == [None, "pitch", None]
    assert json.loads(made.sort_by("id").column("assessment")[0].as_py())["pitch"]["id"] == "a"
    judged = whole(judge(ray.data.from_arrow(made)))
    assert judged.sort_by("id").equals(score_table(made).sort_by("id"))


def test_tables_of_signals_are_judged_as_one_table_would_be(ray: Any, tmp_path: Path) -> None:
    """Some columns are missing, and some are empty in a block; by a rulebook, or the path of one."""
    rows = 3_000
    table = pyarrow.table(
        {
            "id": list(range(rows)),
            "buyer": [None if number < 1_500 else "practitioner" for number in range(rows)],
            "stage": [None if number % 3 else number / rows for number in range(rows)],
            "overall": ["mine"] * rows,
        }
    )
    rulebook = tmp_path / "my.toml"
    rulebook.write_bytes(resources.files("analyzer.framework").joinpath("rulebook.toml").read_bytes())
    expected = score_table(table)
    for rules in (None, rulebook, Rulebook.load(rulebook)):
        judged = whole(judge(ray.data.from_arrow(table).repartition(7), rules))
        assert judged.sort_by("id").equals(expected)
    frame = table.to_pandas().astype({"buyer": object})
    judged = whole(judge(ray.data.from_pandas([frame[:1_500], frame[1_500:]])))
    scores = expected.column_names[table.num_columns :]
    assert judged.sort_by("id").select(scores).equals(expected.select(scores))


def test_ray_sees_no_key_in_the_arguments_that_it_logs() -> None:
    from ray.data._internal.metadata_exporter import sanitize_for_struct

    settings = Settings(openai_api_key="sk-secret")
    plan = RunPlan.of({"model": MODEL, "settings": settings}, None)
    own = OwnColumns(pyarrow.schema([("text", pyarrow.string())]))
    job = Sealed(Job.of(plan, Columns.of(own, "text", None, None), 1))
    assert "secret" not in str(sanitize_for_struct({"fn_constructor_kwargs": {"job": job}}))


def test_what_cannot_work_is_refused_before_anything_runs(ray: Any, tmp_path: Path) -> None:
    dataset = ray.data.from_arrow(pyarrow.table({"id": ["a"], "text": [PITCH]}))
    with pytest.raises(InputError, match="no column 'pitch'"):
        read(dataset, text="pitch", model="keywords")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        read(dataset, model=MODEL, settings=Settings())
    with pytest.raises(ConfigurationError, match="price"):
        read(dataset, model="openai/nobody-knows-it", settings=Settings(openai_api_key="k"), max_cost=1)
    with pytest.raises(ConfigurationError, match=r"concurrency is 600; pass a whole number from 1 to 512"):
        read(dataset, model="keywords", concurrency=600, actors=2)
    with pytest.raises(InputError, match="no column holds signals"):
        judge(dataset)
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        judge(dataset, rulebook=tmp_path / "nowhere.toml")
