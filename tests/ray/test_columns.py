"""Which columns a read dataset has, what is refused before anything is asked, and that Ray is loaded only when used."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from analyzer import ray as analyzer_ray
from analyzer.errors import ConfigurationError, InputError, PitchError
from analyzer.ray.columns import Columns, OwnColumns
from analyzer.ray.workers import Job, Sealed
from analyzer.results.frames import FRAME_COLUMNS
from analyzer.results.result import Result
from analyzer.runs.plan import RunPlan
from analyzer.settings import Settings

OWN = pyarrow.schema([("deal_id", pyarrow.int64()), ("pitch", pyarrow.string()), ("stars", pyarrow.int64())])


def columns(schema: pyarrow.Schema = OWN, **changes: Any) -> Columns:
    arguments: dict[str, Any] = {"text": "pitch", "id": "deal_id", "title": None, **changes}
    return Columns.of(OwnColumns(schema), **arguments)


def block(names: Columns, table: pyarrow.Table) -> pyarrow.Table:
    """The table as it is after all of its pitches failed."""
    own = names.own.pinned(table)
    rows = [
        names.row(Result(number, str(entry["id"]), error=PitchError("empty")), entry["id"])
        for number, entry in enumerate(names.entries(own))
    ]
    return names.table(own, rows)


def test_a_block_keeps_its_columns_and_gets_ours_after_them() -> None:
    table = pyarrow.table({"deal_id": [7], "pitch": ["text"], "stars": [3]})
    made = block(columns(), table)
    assert made.column_names == [*OWN.names, *(each.name for each in FRAME_COLUMNS), "assessment"]
    assert made.to_pylist()[0] | {"assessment": ""} == {
        **dict.fromkeys(made.column_names),
        "deal_id": 7,
        "pitch": "text",
        "stars": 3,
        "id": "7",
        "error_kind": "pitch",
        "error_message": "empty",
        "from_store": False,
        "assessment": "",
    }


@pytest.mark.parametrize(
    "table",
    [
        {"deal_id": [1, 2], "pitch": ["text", None], "stars": [None, None]},
        {"pitch": ["text"], "deal_id": [3]},
        {"deal_id": [3], "stars": [1]},
        {"deal_id": pyarrow.array([], pyarrow.int32()), "pitch": pyarrow.array([], pyarrow.large_string())},
    ],
    ids=["a column of nulls", "a column less, another order", "no pitches", "no rows, other types"],
)
def test_every_block_has_the_same_schema(table: dict[str, Any]) -> None:
    whole = block(columns(), pyarrow.table({"deal_id": [7], "pitch": ["text"], "stars": [3]}))
    assert block(columns(), pyarrow.table(table)).schema == whole.schema


def test_a_block_that_differs_is_refused_by_the_name_of_its_column() -> None:
    with pytest.raises(InputError, match="'stars' is int64 in one block of the dataset and string in another"):
        columns().own.pinned(pyarrow.table({"deal_id": [1], "pitch": ["text"], "stars": ["many"]}))
    with pytest.raises(InputError, match="'new' is in some blocks"):
        columns().own.pinned(pyarrow.table({"deal_id": [1], "pitch": ["text"], "stars": [1], "new": [1]}))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="no column 'text'; it has deal_id, pitch, stars"):
        columns(text="text")
    with pytest.raises(InputError, match="no column 'name'"):
        columns(title="name")
    with pytest.raises(InputError, match="no column 'id'"):
        columns(id="id")


@pytest.mark.parametrize(
    ("names", "arguments", "carried"),
    [
        (("id", "summary", "overall"), {"text": "summary", "id": "id"}, ("id", "input_summary", "input_overall")),
        (("title", "text"), {"text": "text", "id": "title"}, ("input_title", "text")),
        (("id", "deal", "text"), {"text": "text", "id": "deal"}, ("input_id", "deal", "text")),
        (("error_kind", "input_error_kind", "t"), {"text": "t"}, ("input_input_error_kind", "input_error_kind", "t")),
    ],
    ids=["the pitch too", "ids in a column called title", "another column called id", "a second time"],
)
def test_a_column_with_a_name_of_ours_is_renamed(
    names: tuple[str, ...], arguments: dict[str, Any], carried: tuple[str, ...]
) -> None:
    schema = pyarrow.schema([(name, pyarrow.string()) for name in names])
    made = block(columns(schema, **{"id": None, **arguments}), pyarrow.table({name: [name] for name in names}))
    assert tuple(made.column_names[: len(names)]) == carried
    assert [made.column(name)[0].as_py() for name in carried] == list(names)
    assert len(set(made.column_names)) == len(made.column_names)


def test_columns_that_hold_ids_and_titles_may_be_called_so() -> None:
    schema = pyarrow.schema([("id", pyarrow.int64()), ("title", pyarrow.string()), ("text", pyarrow.string())])
    made = block(
        columns(schema, text="text", id="id", title="title"),
        pyarrow.table({"id": [7], "title": ["Wattwise"], "text": ["a pitch"]}),
    )
    assert made.column_names.count("id") == made.column_names.count("title") == 1
    assert made.column("id").to_pylist() == [7]


def test_a_pitch_without_an_id_has_the_fingerprint_of_its_text() -> None:
    row = columns().row(Result(3, "3", error=PitchError("no"), sha256="abc"), None)
    assert row["id"] == "abc"
    assert columns().row(Result(3, "3", error=PitchError("empty")), None)["id"] is None


def test_without_a_column_of_ids_the_column_id_is_used_if_there_is_one() -> None:
    text = pyarrow.field("text", pyarrow.string())
    assert columns(pyarrow.schema([text]), text="text", id=None).id is None
    assert columns(pyarrow.schema([("id", pyarrow.int64()), text]), text="text", id=None).id == "id"


# ---------------------------------------------------------------- what Ray sees


def test_of_a_job_on_its_way_nothing_is_to_be_seen() -> None:
    settings = Settings(openai_api_key="sk-secret", store="postgresql://user:secret@host/db")
    plan = RunPlan.of({"model": "openai/gpt-4.1-mini", "settings": settings, "store": True}, None)
    job = Job.of(plan, columns(), 2)
    sealed = Sealed(job)
    assert sealed.open().settings.openai_api_key == "sk-secret"
    assert sealed.open().store == settings.store
    assert not is_dataclass(sealed)
    assert b"secret" not in pickle.dumps(sealed)
    assert not [text for text in (repr(sealed), str(sealed), repr(job)) if "secret" in text]
    assert len(pickle.dumps(sealed)) < 100_000


def test_paths_are_sent_in_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(openai_api_key="k", recordings=Path("recordings"), profiles=None)
    job = Job.of(RunPlan.of({"model": "keywords", "settings": settings}, None), columns(), 1)
    assert (job.settings.recordings, job.settings.profiles) == (tmp_path / "recordings", None)
    assert analyzer_ray._shared_store("sqlite:///answers.db", 1) == (f"sqlite:///{tmp_path / 'answers.db'}", True)


# ---------------------------------------------------------------- refused before anything is asked


def test_a_store_that_the_processes_cannot_share_is_refused() -> None:
    check = analyzer_ray._shared_store
    assert check("sqlite:////tmp/store.db", 1) == ("sqlite:////tmp/store.db", True)
    assert check("postgresql://user@host/db", 3) == ("postgresql://user@host/db", False)
    assert check(None, 3) == (None, False)
    with pytest.raises(
        ConfigurationError, match=r"one machine can use, and the cluster has 3 nodes; name a\s+PostgreSQL"
    ):
        check("sqlite:////tmp/store.db", 3)
    with pytest.raises(ConfigurationError, match="in memory"):
        check("sqlite://", 1)


@pytest.mark.parametrize("actors", [0, (2, 1), (0, 1), (1, 2, 3), "8", True, (1, 2.0), None], ids=str)
def test_a_number_of_actors_that_makes_no_sense_is_refused(actors: Any) -> None:
    with pytest.raises(ConfigurationError, match="actors is"):
        analyzer_ray._as_actors(actors)


def test_importing_the_module_does_not_load_ray() -> None:
    code = "import sys, analyzer.ray; print('ray' in sys.modules, 'openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_without_ray_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    dataset: Any = object()
    call: Any
    for call in (analyzer_ray.read, analyzer_ray.judge):
        with pytest.raises(ConfigurationError) as raised:
            call(dataset)
        assert re.search(r"not installed: .*pip install .*\[ray\]", str(raised.value))
        assert "\n" not in str(raised.value)


def test_a_misspelled_option_is_refused_with_the_name_that_was_meant() -> None:
    misspelled: Any = {"max_costs": 1}
    with pytest.raises(TypeError, match="did you mean 'max_cost'"):
        analyzer_ray.read(None, **misspelled)  # type: ignore[arg-type, unused-ignore]
