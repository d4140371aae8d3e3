"""What a run over many pitches writes: one row a pitch, as JSON Lines, CSV or Parquet.

Rows are written as they come, to `OUT.partial` beside the output, which takes the output's name when the run ends in an
orderly way; so OUT is never half a file. One run at a time writes an output. JSON Lines hold whole assessments. CSV and
Parquet hold the columns of `COLUMNS`, which stay as they are.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from filelock import FileLock, Timeout

from analyzer.errors import OutputError
from analyzer.files.cells import plain_cell
from analyzer.files.disk import GrowingFile, check_writable, failed
from analyzer.framework.assessment import Assessment, Range
from analyzer.results.result import Result
from analyzer.vocabulary.signals import SIGNALS

ENDINGS: Final = (".jsonl", ".csv", ".parquet")
_BATCH: Final = 200
_LONGEST_CELL: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One result and where its pitch came from. `repeat` counts from 1 where a pitch is read several times."""

    result: Result
    source: str
    repeat: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the flat output. `kind`: text, number, count or yes/no; empty = not known or does not apply."""

    name: str
    kind: str
    meaning: str
    value: Callable[[Row], Any]


class Output(Protocol):
    def write(self, row: Row) -> None: ...

    def close(self) -> None: ...


class Written:
    """An output file under way, locked against other runs. `partial` holds what has come so far."""

    def __init__(self, path: Path, inputs: Iterable[Path] = ()):
        """Raises OutputError if the file cannot be written, is one of the inputs, or another run writes it now."""
        check_writable(path, "the output", ENDINGS, inputs)
        self.path = path
        self.rows = 0
        self._target = path.resolve()
        self._lock = _Lock(path, self._target)
        self._broken = False
        try:
            self._earlier = _partials(self._target)
            self._file = _new_partial(self._target, path)
            self.partial = path.with_name(self._file.path.name)
            self._output = _KINDS[path.suffix.lower()](self._file)
        except BaseException:
            self._lock.release()
            raise

    def write(self, row: Row) -> None:
        """Raises OutputError if the disk is full or the file was deleted; what came before is still there."""
        try:
            if not self._file.in_place:
                raise OutputError(f"{self.partial} was deleted or replaced while the run was writing it")
            self._output.write(row)
        except OutputError:
            self._broken = True
            raise
        self.rows += 1

    def finish(self, whole: bool = True) -> Path | None:
        """Gives the rows the output's name; returns where they are, None if there are none.

        `whole`: whether the run came to its end. If not, an output that has as many rows already stays as it is, and
        what came stays in `partial`. Raises OutputError.
        """
        return self._end(lambda: not self._broken and (whole or not _has_as_many(self._target, self.rows)), whole)

    def give_up(self) -> Path | None:
        """Leaves what has come so far in `partial`; returns where that is, None if there is nothing."""
        with suppress(OutputError):
            return self._end(lambda: False, whole=False)
        return None

    def _end(self, takes_name: Callable[[], bool], whole: bool) -> Path | None:
        try:
            there = self._file.in_place
            readable = self._closed()
            if not there:
                return None
            if not self.rows or not readable:
                self._file.path.unlink()
                return None
            if not takes_name():
                return self.partial
            self._file.path.replace(self._target)
            if whole:
                for partial in self._earlier:  # of runs that were killed: all of it has come again
                    partial.unlink(missing_ok=True)
            return self.path
        except OSError as error:
            raise failed(self.path, error) from error
        finally:
            self._lock.release()

    def _closed(self) -> bool:
        """Closes the file; whether it can be read. Raises OutputError if its end does not fit on the disk."""
        try:
            self._output.close()
            os.fsync(self._file.fileno())
        except (OutputError, OSError, ValueError):  # the last two: Parquet, of a file that broke before
            if not self._broken:
                with suppress(OSError):
                    self._file.path.unlink()
                raise
        finally:
            self._file.close()
        return not self._broken or self.path.suffix.lower() != ".parquet"


class _Lock:
    """Held by the one run that writes an output; gone with its process, however that ends."""

    def __init__(self, path: Path, target: Path):
        """Raises OutputError if another run holds it."""
        self._path = target.with_name(f".{target.name}.lock")
        self._lock = FileLock(self._path, thread_local=False)
        try:
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise OutputError(f"another run is writing {path} now; wait for it or name another output") from error
        except OSError as error:
            raise failed(path, error) from error

    def release(self) -> None:
        with suppress(OSError):  # deleted while held, so that nobody can get hold of a lock that has no name any more
            self._path.unlink()
        self._lock.release()


def _new_partial(target: Path, shown: Path) -> GrowingFile:
    """A file of this run's own: OUT.partial, or with a number where an earlier run left that."""
    for number in count(1):
        name = f"{target.name}.partial" if number == 1 else f"{target.name}.{number}.partial"
        try:
            return GrowingFile(target.with_name(name), shown)
        except FileExistsError:
            continue
        except OSError as error:
            raise failed(shown, error) from error
    raise AssertionError


def _partials(target: Path) -> list[Path]:
    """What earlier runs left; under the lock none of it is in use."""
    name = re.compile(rf"{re.escape(target.name)}(\.\d+)?\.partial")
    return [path for path in target.parent.iterdir() if name.fullmatch(path.name)]


def _has_as_many(path: Path, rows: int) -> bool:
    """Whether an output holds at least so many rows, or something that cannot be counted."""
    if not path.exists():
        return False
    try:
        return rows_in(path) >= rows
    except (OSError, ValueError):  # ValueError: also what Parquet and CSV raise
        return True


def rows_in(path: Path) -> int:
    """How many rows an output holds. Raises OSError or ValueError if it cannot be told."""
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as parquet

        return int(parquet.read_metadata(path).num_rows)
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".jsonl":
            return sum(1 for line in file if line.strip())
        csv.field_size_limit(_LONGEST_CELL)
        try:
            return max(0, sum(1 for _ in csv.reader(file)) - 1)
        except csv.Error as error:
            raise ValueError(str(error)) from error


# ---------------------------------------------------------------- columns


def _of_assessment(read: Callable[[Assessment], Any]) -> Callable[[Row], Any]:
    return lambda row: None if row.result.assessment is None else read(row.result.assessment)


def _of_scores(name: str, part: str) -> Callable[[Row], Any]:
    def read(assessment: Assessment) -> Any:
        if assessment.scores is None:
            return None
        side = name in ("day_1", "day_2", "ml", "engineering")
        found: Range = getattr(assessment.scores.sides if side else assessment.scores, name)
        return getattr(found, part)

    return _of_assessment(read)


def _position(name: str, part: str) -> Callable[[Row], Any]:
    return _of_assessment(lambda a: None if a.position is None else getattr(getattr(a.position, name), part))


def _ranges(names: Mapping[str, str], read: Callable[[str, str], Callable[[Row], Any]]) -> Iterator[Column]:
    for name, meaning in names.items():
        yield Column(name, "number", meaning, read(name, "value"))
        yield Column(f"{name}_low", "number", "lower end of its range", read(name, "low"))
        yield Column(f"{name}_high", "number", "upper end of its range", read(name, "high"))


def _signals() -> Iterator[Column]:
    def known(name: str, assessment: Assessment) -> Any:
        signal = assessment.signals.single(name)
        return str(signal.value) if signal.known else None

    def quote(name: str, assessment: Assessment) -> Any:
        quotes = assessment.signals.single(name).quotes
        return quotes[0].text if quotes else None

    for name, spec in SIGNALS.items():
        yield Column(name, "text", f"{spec.title}; empty = not said", _of_assessment(partial(known, name)))
        yield Column(f"{name}_quote", "text", "the pitch's words for it", _of_assessment(partial(quote, name)))


def _joined(values: Any) -> str | None:
    return "; ".join(values) or None


def _question(assessment: Assessment) -> str | None:
    return assessment.questions[0].question if assessment.questions else None


def _usage(name: str) -> Callable[[Row], Any]:
    return _of_assessment(lambda a: getattr(a.provenance.usage, name))


COLUMNS: Final[tuple[Column, ...]] = (
    Column("number", "count", "place in the input, from 1", lambda row: row.result.number + 1),
    Column("source", "text", "file, and row or line in it", lambda row: row.source),
    Column("repeat", "count", "which reading of this pitch, with --repeat", lambda row: row.repeat),
    Column("id", "text", "the pitch's id", lambda row: row.result.id),
    Column("title", "text", "first line of the pitch", lambda row: row.result.title),
    Column("sha256", "text", "fingerprint of the text that was read", lambda row: row.result.sha256),
    Column(
        "error_kind", "text", "why there is no assessment, as a stable word; empty = there is one",
        lambda row: None if row.result.error is None else row.result.error.kind,
    ),
    Column(
        "error_message", "text", "the same as a sentence",
        lambda row: None if row.result.error is None else str(row.result.error),
    ),
    Column("in_scope", "yes/no", "whether the framework applies", _of_assessment(lambda a: a.in_scope)),
    Column("product", "text", "the product's name", _of_assessment(lambda a: a.signals.product or None)),
    Column("summary", "text", "what it is, in the reader's words", _of_assessment(lambda a: a.signals.summary or None)),
    Column(
        "verdict", "text", "for, against, balanced or open",
        _of_assessment(lambda a: None if a.verdict is None else a.verdict.word),
    ),
    Column(
        "verdict_sentence", "text", "the verdict in words",
        _of_assessment(lambda a: None if a.verdict is None else a.verdict.sentence),
    ),
    Column(
        "stage", "text", "day_1, mixed, day_2 or unknown",
        _of_assessment(lambda a: None if a.quadrant is None else a.quadrant.stage),
    ),
    Column(
        "focus", "text", "ml, mixed, engineering or unknown",
        _of_assessment(lambda a: None if a.quadrant is None else a.quadrant.focus),
    ),
    *(
        Column(f"{name}_position{suffix}", "number", meaning, _position(name, part))
        for name, meant in (("stage", "0 = day 1, 1 = day 2"), ("focus", "0 = ML, 1 = engineering"))
        for suffix, part, meaning in (
            ("", "value", meant), ("_low", "low", "lower end of its range"), ("_high", "high", "upper end of its range")
        )
    ),
    *_ranges(
        {
            "overall": "overall score, 0 to 100",
            "market": "market case, 0 to 10 points",
            "sales": "sales case, 0 to 10 points",
            "day_1": "side day 1, 0 to 10 points",
            "day_2": "side day 2, 0 to 10 points",
            "ml": "side ML, 0 to 10 points",
            "engineering": "side engineering, 0 to 10 points",
        },
        _of_scores,
    ),
    Column(
        "persona", "text", "role of the main user; empty = not said",
        _of_assessment(lambda a: a.signals.personas[0].role if a.signals.personas else None),
    ),
    Column(
        "competitors", "text", "alternatives the pitch names, separated by semicolons",
        _of_assessment(lambda a: _joined(rival.name for rival in a.signals.competitors)),
    ),
    *_signals(),
    Column("ask_first", "text", "the question that settles most", _of_assessment(_question)),
    Column(
        "unknown", "text", "what the pitch leaves open, the most telling first",
        _of_assessment(lambda a: _joined(question.signal for question in a.questions)),
    ),
    Column(
        "warnings", "text", "kinds of warnings, separated by semicolons",
        _of_assessment(lambda a: _joined(dict.fromkeys(warning.kind for warning in a.warnings))),
    ),
    Column("model", "text", "who read it", _of_assessment(lambda a: a.provenance.reader.model)),
    Column("rulebook", "text", "version of the rulebook", _of_assessment(lambda a: a.provenance.rulebook.version)),
    Column(
        "rulebook_sha256", "text", "fingerprint of the rulebook", _of_assessment(lambda a: a.provenance.rulebook.sha256)
    ),
    Column("from_store", "yes/no", "all answers were paid in an earlier run", lambda row: row.result.from_store),
    Column("requests", "count", "answers of the model", _usage("requests")),
    Column("input_tokens", "count", "tokens sent", _usage("input_tokens")),
    Column("cached_tokens", "count", "of them from the provider's cache", _usage("cached_tokens")),
    Column("output_tokens", "count", "tokens answered", _usage("output_tokens")),
    Column("cost_usd", "number", "USD; empty = price not known", _usage("cost_usd")),
)  # fmt: skip
"""The columns of CSV and Parquet. Parquet has one more, `assessment`, the whole document as JSON."""


def error_document(row: Row) -> dict[str, Any]:
    """What stands in JSON Lines for a pitch that failed."""
    result = row.result
    error = result.error
    return {
        "pitch": {"id": result.id, "title": result.title, "sha256": result.sha256},
        "error": {"kind": error.kind if error else "unexpected", "message": str(error)},
    }


def _input(row: Row) -> dict[str, Any]:
    given: dict[str, Any] = {"number": row.result.number + 1, "source": row.source}
    return given if row.repeat is None else {**given, "repeat": row.repeat}


# ---------------------------------------------------------------- kinds of files


class _JsonLines:
    def __init__(self, file: GrowingFile):
        self._file = file

    def write(self, row: Row) -> None:
        given = json.dumps(_input(row), ensure_ascii=False)
        if row.result.assessment is not None:
            document = row.result.assessment.to_json(indent=None)
        else:
            document = json.dumps(error_document(row), ensure_ascii=False)
        self._file.write(f'{document[:-1]},"input":{given}}}\n'.encode())

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, file: GrowingFile):
        self._file = file
        self._write([column.name for column in COLUMNS])

    def write(self, row: Row) -> None:
        self._write([_csv_cell(column.value(row)) for column in COLUMNS])

    def _write(self, cells: list[Any]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        self._file.write(line.getvalue().encode())

    def close(self) -> None:
        pass


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain_cell(value) if isinstance(value, str) else value


class _Parquet:
    def __init__(self, file: GrowingFile):
        import pyarrow
        import pyarrow.parquet as parquet

        kinds = {
            "text": pyarrow.string(), "number": pyarrow.float64(), "count": pyarrow.int64(), "yes/no": pyarrow.bool_()
        }  # fmt: skip
        fields = [(column.name, kinds[column.kind]) for column in COLUMNS]
        self._schema = pyarrow.schema([*fields, ("assessment", pyarrow.string())])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._batch: list[dict[str, Any]] = []

    def write(self, row: Row) -> None:
        cells = {column.name: column.value(row) for column in COLUMNS}
        assessment = row.result.assessment
        document = json.dumps(error_document(row)) if assessment is None else assessment.to_json(indent=None)
        self._batch.append({**cells, "assessment": document})
        if len(self._batch) >= _BATCH:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._batch:
            self._writer.write_table(pyarrow.Table.from_pylist(self._batch, self._schema))
            self._batch = []


_KINDS: Final[Mapping[str, Callable[[GrowingFile], Output]]] = {
    ".jsonl": _JsonLines,
    ".csv": _Csv,
    ".parquet": _Parquet,
}
