"""Which columns a read dataset has, what is refused before anything is asked, and that Ray is loaded only when used."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pyarrow
import pytest

from analyzer import ray as analyzer_ray
from analyzer.errors import ConfigurationError, InputError, PitchError
from analyzer.ray.columns import Columns
from analyzer.results.frames import FRAME_COLUMNS
from analyzer.results.result import Result

OWN = pyarrow.schema([("deal_id", pyarrow.int64()), ("pitch", pyarrow.string()), ("stars", pyarrow.int64())])


def columns(schema: pyarrow.Schema = OWN, **changes: Any) -> Columns:
    arguments: dict[str, Any] = {"text": "pitch", "id": "deal_id", "title": None, **changes}
    return Columns.of(schema, **arguments)


def block(names: Columns, table: pyarrow.Table) -> pyarrow.Table:
    """The table as it is after all of its pitches failed."""
    rows = [
        names.row(Result(number, str(entry["id"]), error=PitchError("empty")), entry["id"])
        for number, entry in enumerate(names.entries(table))
    ]
    return names.table(names.kept(table), rows)


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
        {"deal_id": pyarrow.array([], pyarrow.int32()), "pitch": pyarrow.array([], pyarrow.large_string())},
    ],
    ids=["a column of nulls", "a column less, another order", "no rows, other types"],
)
def test_every_block_has_the_same_schema(table: dict[str, Any]) -> None:
    whole = block(columns(), pyarrow.table({"deal_id": [7], "pitch": ["text"], "stars": [3]}))
    assert block(columns(), pyarrow.table(table)).schema == whole.schema


def test_a_block_that_differs_is_refused_by_the_name_of_its_column() -> None:
    with pytest.raises(InputError, match="'stars' is int64 in one block of the dataset and string in another"):
        columns().kept(pyarrow.table({"deal_id": [1], "pitch": ["text"], "stars": ["many"]}))
    with pytest.raises(InputError, match="'new' is in some blocks"):
        columns().kept(pyarrow.table({"deal_id": [1], "pitch": ["text"], "stars": [1], "new": [1]}))


def test_names_of_ours_are_refused_and_a_missing_column_is_named() -> None:
    clash = OWN.append(pyarrow.field("summary", pyarrow.string())).append(pyarrow.field("overall", pyarrow.float64()))
    with pytest.raises(InputError, match=r"names of ours: summary, overall; rename or drop"):
        columns(clash)
    with pytest.raises(InputError, match="no column 'text'; it has deal_id, pitch, stars"):
        columns(text="text")
    with pytest.raises(InputError, match="no column 'name'"):
        columns(title="name")


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


# ---------------------------------------------------------------- refused before anything is asked


def test_a_store_that_the_processes_cannot_share_is_refused() -> None:
    check = analyzer_ray._check_store
    assert check("sqlite:////tmp/store.db", 1)
    assert not check("postgresql://user@host/db", 3)
    assert not check(None, 3)
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
