"""Whether a run kept the promise: every pitch exactly one row, and nothing wrong in silence."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Verdict = Literal["pass", "FAIL", "not tried"]
_SHOWN: Final = 5


@dataclass(slots=True)
class Row:
    """One line of the table: what was asked of a run, and what came of it. None = does not apply.

    `faults`: broken promises, as sentences. `note`: what is worth knowing beside the verdict.
    """

    scenario: str
    asked: str
    expected: int | None = None
    got: int | None = None
    paid_twice: int | None = None
    in_flight: int | None = None
    requests: int | None = None
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    note: str = ""
    tried: bool = True

    @property
    def verdict(self) -> Verdict:
        if not self.tried:
            return "not tried"
        return "FAIL" if self.faults else "pass"

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def check_rows(row: Row, output: Path, expected: Collection[str], failing: Collection[str] = ()) -> None:
    """Notes on `row` every pitch without a row, with several, or with an error it should not have.

    `failing`: the pitches that have to end in an error.
    """
    row.expected = len(expected)
    try:
        written = list(read_rows(output))
    except (OSError, ValueError, KeyError) as error:
        row.faults.append(f"{output.name} cannot be read ({type(error).__name__})")
        return
    row.got = len(written)
    times = Counter(name for name, _ in written)
    errors = {name: kind for name, kind in written if kind}
    _note(row, "no row for", set(expected) - set(times))
    _note(row, "more than one row for", {name for name, count in times.items() if count > 1})
    _note(row, "a row for something that was not asked:", set(times) - set(expected))
    _note(row, "no error for", set(failing) & set(times) - set(errors))
    for kind, count in Counter(kind for name, kind in errors.items() if name not in failing).items():
        row.faults.append(f"{count} failed without reason ({kind})")


def read_rows(output: Path) -> Iterator[tuple[str, str]]:
    """Id and error kind ("" = assessed) of each row of a .jsonl or .csv output, or of a folder of Parquet files."""
    if output.is_dir():
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(output, columns=["id", "error_kind"])
        for id_, kind in zip(table["id"].to_pylist(), table["error_kind"].to_pylist(), strict=True):
            yield id_, kind or ""
        return
    with output.open(encoding="utf-8", newline="") as file:
        if output.suffix == ".csv":
            for cells in csv.DictReader(file):
                yield cells["id"], cells["error_kind"]
        else:
            for line in file:
                document = json.loads(line)
                yield document["pitch"]["id"], document.get("error", {}).get("kind", "")


def _note(row: Row, fault: str, names: set[str]) -> None:
    if names:
        shown = ", ".join(sorted(names)[:_SHOWN])
        row.faults.append(f"{fault} {shown}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}")
