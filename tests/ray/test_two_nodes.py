"""A cluster of two nodes: limits and a store that processes on both share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from analyzer.errors import ConfigurationError
from analyzer.ray import read
from tests.completions import PITCH
from tests.model_server import MODEL, Reply, Service, good, refused
from tests.soak.on_ray import local_cluster
from tests.soak.postgres import Postgres

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("ray", exc_type=ImportError)

PITCHES = 48


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    with local_cluster(2) as started:
        yield started


def dataset(ray: Any) -> Any:
    texts = [f"{PITCH} {number}" for number in range(PITCHES)]
    return ray.data.from_arrow(pyarrow.table({"id": list(range(PITCHES)), "text": texts}))


def nodes_of_readers() -> list[str]:
    """The node of each process that has read so far."""
    from ray._private import state

    return [each["Address"]["NodeID"] for each in state.actors().values() if "BlockReader" in str(each["Name"] or each)]


def test_a_store_in_a_file_is_refused(ray: Any, tmp_path: Path) -> None:
    with Service(lambda *_: good()) as service, pytest.raises(ConfigurationError, match="the cluster has 2 nodes"):
        read(dataset(ray), model=MODEL, settings=service.settings, store=f"sqlite:///{tmp_path / 'store.db'}")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Postgres.available(), reason="needs PostgreSQL and psycopg")
def test_processes_on_both_nodes_share_concurrency_and_a_store_in_postgresql(ray: Any) -> None:
    def reply(_: str, times: int) -> Reply:
        return refused(429, retry_after="0") if times == 1 else good()

    database = Postgres()
    try:
        database.start()
        with Service(reply) as service:
            asking: dict[str, Any] = {
                "model": MODEL,
                "settings": service.settings,
                "store": database.url,
                "concurrency": 4,
                "actors": 2,
                "rows_per_block": 6,
            }
            rows = read(dataset(ray), num_cpus=1.75, **asking).take_all()  # a node has room for one
            assert len(set(nodes_of_readers())) == 2
            assert sum(service.answered.values()) == PITCHES
            assert service.most <= 4
            again = read(dataset(ray), num_cpus=0.25, **asking).take_all()
            assert sum(service.answered.values()) == PITCHES
    finally:
        database.end()
    assert Counter(row["id"] for row in rows) == dict.fromkeys(range(PITCHES), 1)
    assert {row["error_kind"] for row in [*rows, *again]} == {None}
    assert all(row["from_store"] for row in again)
