"""A small cluster of Ray on this machine: every pitch one row, whatever is killed, and limits that all processes share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from analyzer import Settings, score_table
from analyzer.errors import ConfigurationError, InputError
from analyzer.ray import judge, read
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good
from tests.soak.bench import Bench
from tests.soak.on_ray import Trial, start_cluster, try_on_ray

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("ray", exc_type=ImportError)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    started = start_cluster()
    yield started
    started.shutdown()


def whole(dataset: Any) -> pyarrow.Table:
    import ray

    return pyarrow.concat_tables(ray.get(dataset.to_arrow_refs()))


def test_every_pitch_gets_one_row_and_none_is_paid_twice_though_a_process_is_killed(ray: Any, tmp_path: Path) -> None:
    with Bench(tmp_path, 1) as bench:
        row, _ = try_on_ray(bench, Trial(pitches=120, processes=2, concurrency=16, kills=1, rows=15))
    assert row.faults == []
    assert (row.expected, row.got) == (120, 120)


def test_the_cost_limit_ends_all_processes_and_the_rows_left_over_say_so(ray: Any) -> None:
    table = pyarrow.table({"id": list(range(60)), "text": [f"{PITCH} {number}" for number in range(60)]})
    with Service(lambda *_: good()) as service:
        read_ = read(
            ray.data.from_arrow(table),
            model=MODEL,
            settings=service.settings,
            store=False,
            max_cost=0.02,
            concurrency=4,
            actors=2,
            num_cpus=0.25,
            rows_per_block=10,
        )
        made = whole(read_)
        answered = sum(service.answered.values())
    kinds = Counter(made.column("error_kind").to_pylist())
    assert set(made.column("id").to_pylist()) == set(range(60))
    assert set(kinds) == {None, "cost_limit"}
    assert kinds[None] == answered > 0
    assert sum(filter(None, made.column("cost_usd").to_pylist())) <= 0.02


def test_blocks_are_read_and_judged_as_one_table_would_be(ray: Any) -> None:
    table = pyarrow.table({"id": ["a", "b", "c"], "text": [PITCH, "", "We sell shoes."], "stars": [1, None, 3]})
    made = whole(read(ray.data.from_arrow(table), model="keywords", actors=1, num_cpus=0.25, rows_per_block=2))
    assert made.select(["id", "text", "stars"]).sort_by("id").equals(table)
    assert made.sort_by("id").column("error_kind").to_pylist() == [None, "pitch", None]
    assert json.loads(made.sort_by("id").column("assessment")[0].as_py())["pitch"]["id"] == "a"
    judged = whole(judge(ray.data.from_arrow(made)))
    assert judged.sort_by("id").equals(score_table(made).sort_by("id"))


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
