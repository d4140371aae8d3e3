"""Tables and signals files that are cut short or have bytes changed: pitches or our own errors, never a fault."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable

import pyarrow
import pyarrow.parquet
import pytest

from analyzer.errors import AnalyzerError
from analyzer.files.pitches import uploaded_table
from analyzer.files.table_columns import WantedColumns
from analyzer.framework.one_pitch import score
from analyzer.results.documents import entries_in
from analyzer.vocabulary.signals import Signals
from tests.hostile_files import damaged

ROWS = [{"id": f"p{number}", "pitch": f"Idle GPUs, “found”, number {number};\nagain"} for number in range(6)]


def parquet(rows: list[dict[str, str]]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def csv(delimiter: str) -> bytes:
    lines = [delimiter.join(("id", "pitch")), *(delimiter.join((row["id"], f'"{row["pitch"]}"')) for row in ROWS)]
    return "\n".join(lines).encode()


DOCUMENT = score(Signals.model_validate({"product": "Wattwise"})).to_json(indent=None)
TABLES = {
    "a.csv": csv(","),
    "a.tsv": csv("\t"),
    "a.jsonl": "\n".join(json.dumps(row) for row in ROWS).encode(),
    "a.parquet": parquet(ROWS),
}
SIGNALS = {
    "s.json": DOCUMENT.encode(),
    "s.jsonl": (DOCUMENT + "\n" + DOCUMENT).encode(),
    "s.parquet": parquet([{"document": DOCUMENT}] * 2),
}


def errors(entries: Iterable[object]) -> list[str]:
    """What was said of the entries that could not be read, also where that ended all."""
    found = []
    try:
        for entry in entries:
            error = getattr(entry, "error", None)
            found += [] if error is None else [str(error)]
    except AnalyzerError as error:
        found.append(str(error))
    return found


@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_ends_in_rows_or_errors_that_name_it(name: str) -> None:
    for seed in range(80):
        data = damaged(TABLES[name], random.Random(seed))
        for message in errors(uploaded_table(name, data, WantedColumns(("pitch",), "id"))) + errors(
            uploaded_table(name, data)
        ):
            assert name in message and len(message.splitlines()) <= 2, (seed, message)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_damaged_file_of_signals_ends_in_documents_or_errors_that_name_it(name: str) -> None:
    for seed in range(80):
        data = damaged(SIGNALS[name], random.Random(seed))
        for message in errors(entries_in(name, data)):
            assert name in message, (seed, message)
