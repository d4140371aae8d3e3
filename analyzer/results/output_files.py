"""The file that a bulk run writes: JSON Lines, CSV or Parquet, one row a pitch.

Rows are written as they come, to `OUT.partial` next to the output. It is renamed to the output when the run ends in
order, so OUT is never half a file. One run at a time writes an output.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from filelock import FileLock, Timeout

from analyzer.errors import OutputError
from analyzer.files.cells import plain_cell
from analyzer.files.disk import GrowingFile, check_writable, failed, reason
from analyzer.results.rows import (
    COLUMNS,
    Column,
    ResultRow,
    arrow_cells,
    arrow_schema,
    error_document,
    input_document,
    own_columns,
)
from analyzer.screen import say_json

ENDINGS: Final = (".jsonl", ".csv", ".parquet")
_BATCH: Final = 200
_LONGEST_CELL: Final = 50_000_000


class _RowWriter(Protocol):
    """Writes the rows of one kind of file."""

    def write(self, row: ResultRow) -> None: ...

    def close(self) -> None: ...


class OutputFile:
    """An output file that a run is writing, locked against other runs. `partial` holds the rows so far."""

    def __init__(self, path: Path, inputs: Iterable[Path] = (), own: Iterable[str] = ()):
        """`own`: names of the input's columns, which are written after ours.

        Raises OutputError if the file cannot be written, is one of the inputs, or another run writes it now.
        """
        check_writable(path, "the output", ENDINGS, inputs)
        self.path = path
        self.rows = 0
        self._target = path.resolve()
        self._lock = _Lock(path, self._target)
        self._broken = False
        try:
            self._left_behind = _partials(self._target)
            self._file = _new_partial(self._target, path)
            self.partial = path.with_name(self._file.path.name)
            self._output = _KINDS[path.suffix.lower()](self._file, own_columns(own))
        except BaseException:
            self._lock.release()
            raise

    def write(self, row: ResultRow) -> None:
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
        """Renames the file of rows to the output's name; returns where the rows are, None if there are none.

        `whole`: whether the run was completed. If not, an existing output with as many rows or more stays as it is, and
        the rows stay in `partial`. Raises OutputError.
        """
        return self._end(lambda: not self._broken and (whole or not _has_at_least(self._target, self.rows)), whole)

    def give_up(self) -> Path | None:
        """Leaves the rows so far in `partial`; returns where that is, None if there are none."""
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
                for partial in self._left_behind:  # of killed runs: this run has read all of it again
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
    """Held by the run that writes an output, until its process ends in whatever way."""

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
    """A new file for this run: OUT.partial, or OUT.2.partial and so on where a previous run left one."""
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
    """The files that previous runs left; under the lock nobody uses them."""
    name = re.compile(rf"{re.escape(target.name)}(\.\d+)?\.partial")
    return [path for path in target.parent.iterdir() if name.fullmatch(path.name)]


def _has_at_least(path: Path, rows: int) -> bool:
    """Whether an output holds at least this many rows, or something that cannot be counted."""
    if not path.exists():
        return False
    try:
        return count_rows(path) >= rows
    except (OSError, ValueError):  # ValueError: also what Parquet and CSV raise
        return True


def count_rows(path: Path) -> int:
    """How many rows an output holds. Raises OSError or ValueError if they cannot be counted."""
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


class StandardOutput:
    """Writes rows as JSON Lines to standard output, each as it comes, for programs that read on."""

    partial = path = Path("-")

    def __init__(self) -> None:
        self.rows = 0

    def write(self, row: ResultRow) -> None:
        """Raises OutputError if standard output cannot be written, as when its reader went away."""
        try:
            say_json(json_line(row))
        except OSError as error:
            raise OutputError(f"standard output cannot be written: {reason(error)}") from error
        self.rows += 1

    def finish(self, whole: bool = True) -> Path | None:
        """Where the rows are; None if there are none."""
        return self.path if self.rows else None

    def give_up(self) -> Path | None:
        """Where the rows so far are; None if there are none."""
        return self.finish()


STANDARD_OUTPUT: Final = Path("-")


def output_to(path: Path, inputs: Iterable[Path], own: Iterable[str]) -> OutputFile | StandardOutput:
    """Where a run writes: a file, or standard output for `-`. Raises OutputError, as OutputFile does."""
    return StandardOutput() if path == STANDARD_OUTPUT else OutputFile(path, inputs, own)


# ---------------------------------------------------------------- kinds of files


def json_line(row: ResultRow) -> str:
    """A row of JSON Lines: the assessment or the error, with `input`: where the pitch came from."""
    place = json.dumps(input_document(row), ensure_ascii=False, default=str)
    document = row.result.document()
    if document is None:
        document = json.dumps(error_document(row), ensure_ascii=False)
    return f'{document[:-1]},"input":{place}}}'


class _JsonLines:
    def __init__(self, file: GrowingFile, own: Sequence[Column]):
        self._file = file

    def write(self, row: ResultRow) -> None:
        self._file.write(f"{json_line(row)}\n".encode())

    def close(self) -> None:
        pass


class _Csv:
    def __init__(self, file: GrowingFile, own: Sequence[Column]):
        self._file = file
        self._columns = (*COLUMNS, *own)
        self._write([plain_cell(column.name) for column in self._columns])

    def write(self, row: ResultRow) -> None:
        self._write([_csv_cell(column.value(row)) for column in self._columns])

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
    def __init__(self, file: GrowingFile, own: Sequence[Column]):
        import pyarrow.parquet as parquet

        self._columns = (*COLUMNS, *own)
        self._schema = arrow_schema(COLUMNS, own)
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._batch: list[dict[str, Any]] = []

    def write(self, row: ResultRow) -> None:
        self._batch.append(arrow_cells(row, self._columns))
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


_KINDS: Final[Mapping[str, Callable[[GrowingFile, Sequence[Column]], _RowWriter]]] = {
    ".jsonl": _JsonLines,
    ".csv": _Csv,
    ".parquet": _Parquet,
}
