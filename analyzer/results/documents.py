"""Files of signals that exist already: assessments and signals documents, as JSON, JSON Lines or Parquet.

Each entry is read on its own: one that does not fit is an error in its place, naming file and line, and the others
go on.
"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from analyzer.errors import AnalyzerError, ConfigurationError, InputError, OutputError, SignalsError, of_kind
from analyzer.files.disk import TOO_LONG, check_writable, open_whole, read_lines
from analyzer.framework.assessment import Assessment, Edit, PitchRef, ReaderRef, Usage, Warning
from analyzer.framework.edits import as_read
from analyzer.framework.market import MarketMap
from analyzer.framework.nested import DOCUMENT_COLUMNS
from analyzer.framework.one_pitch import score
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.signals import Signals

if TYPE_CHECKING:
    from analyzer.framework.many_pitches import Coded

_BATCH = 1000
_ROWS = 100_000
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One document, and where it stands ("file.jsonl, line 3"). `many`: it comes from a file that may hold several."""

    source: str
    document: Any = None
    error: AnalyzerError | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """One entry scored, or the error that stands in its place."""

    source: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None
    many: bool = False


def read_entries(name: str) -> Iterator[Entry]:
    """The documents in a file; `-` is standard input. Raises InputError if it cannot be opened."""
    if name == "-":
        yield from _json_entries("standard input", sys.stdin.buffer.read())
        return
    path = Path(name)
    if path.suffix.lower() in (".csv", ".tsv"):
        raise InputError(
            f"{name} is a table of columns; give .json, .jsonl or .parquet (pitch bulk writes the last two)"
        )
    if path.suffix.lower() == ".parquet":
        yield from _parquet_entries(name, path)
        return
    try:
        if path.suffix.lower() == ".jsonl":
            with path.open("rb") as lines:
                yield from _lines(name, read_lines(lines))
        else:
            yield from _json_entries(name, path.read_bytes())
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error


def entries_in(name: str, data: bytes) -> Iterator[Entry]:
    """The documents in a file's bytes; its name's ending says which kind. Raises InputError."""
    suffix = Path(name).suffix.lower()
    if suffix == ".parquet":
        yield from _parquet_entries(name, io.BytesIO(data))
    elif suffix == ".jsonl":
        yield from _lines(name, data.splitlines())
    else:
        yield from _json_entries(name, data)


def score_parquet(source: Path, target: Path, rulebook: Rulebook | None = None) -> int:
    """Scores a Parquet file of signals into another, in batches, so that memory does not grow with it; the rows scored.

    The source is a table as `score_table` takes it. The target has its columns and the scores; of a table of whole
    documents the ids and the scores, and a pitch that could not be read has a row without scores. The target is
    written whole or not at all. Raises InputError, SignalsError or ConfigurationError.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    from analyzer.framework.many_pitches import score_table

    if not source.exists():
        raise InputError(f"{source}: there is no such file")
    check_writable(target, "a table of scores", (".parquet",), (source,))
    rows = 0
    with open_whole(target) as output:
        writer: Any = None
        try:
            file = parquet.ParquetFile(source, read_dictionary=_coded_columns(source))
            for batch in file.iter_batches(batch_size=_ROWS):
                scored = score_table(_signals_batch(source, pyarrow.Table.from_batches([batch])), rulebook)
                scored = scored.select([name for name in scored.column_names if name not in DOCUMENT_COLUMNS])
                writer = writer or parquet.ParquetWriter(output, scored.schema)
                writer.write_table(scored)
                rows += scored.num_rows
            if writer is None:
                raise InputError(f"{source} has no rows to score")
            writer.close()
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(f"{source} cannot be read: {str(error).splitlines()[0][:120]}") from error
        except SignalsError as error:
            raise SignalsError(f"{source}, in the rows from {rows + 1} on: {error}") from error
        finally:
            if writer is not None:
                with suppress(OutputError, OSError, pyarrow.ArrowException):  # what went wrong is known by now
                    writer.close()
    return rows


def _coded_columns(path: Path) -> list[str]:
    """The signal columns of a Parquet file that hold words: read as numbers, they need no second look."""
    import pyarrow
    import pyarrow.parquet as parquet

    schema = parquet.read_schema(path)
    return [name for name in INPUTS if name in schema.names and pyarrow.types.is_string(schema.field(name).type)]


def _signals_batch(source: Path, table: Any) -> Any:
    """What is scored of a batch: the signals table as it is; of whole documents their column and the ids."""
    columns = [name for name in DOCUMENT_COLUMNS if name in table.column_names][:1]
    if columns:
        return table.select([name for name in table.column_names if name in ("id", *columns)])
    if not set(table.column_names) & set(INPUTS):
        found = ", ".join(table.column_names[:8])
        raise InputError(f"{source} holds no signals: no column 'signals', 'assessment' or of a signal; it has {found}")
    return table


@dataclass(frozen=True, slots=True)
class Label:
    """Which pitch some signals are of: its id, None where there is none, and the name that people know it by."""

    id: str | None
    name: str


@dataclass(slots=True)
class Candidates:
    """The signals of all entries in some files, as numbers with a label for each, and what has to be known about them.

    `errors`: the entries that do not fit. `notes`: a file named twice (it counts once), pitches that appear more than
    once (each appearance counts).
    """

    labels: list[Label]
    coded: Coded
    errors: list[AnalyzerError]
    notes: list[str]


def coded_entries(names: Iterable[str]) -> Candidates:
    """The signals in some files, to be ranked together. Raises InputError for a file that cannot be read."""
    from analyzer.framework.many_pitches import Coded, coded_signals, signals_table

    labels: list[Label] = []
    places: list[str] = []
    parts: list[Coded] = []
    errors: list[AnalyzerError] = []
    files, notes = each_once(names)
    seen: Counter[tuple[str, str]] = Counter()
    for name in files:
        table = _signals_parquet(Path(name))
        if table is not None:
            rows = range(1, table.num_rows + 1)
            ids = table.column("id").to_pylist() if "id" in table.column_names else [None] * table.num_rows
            for row, own in zip(rows, ids, strict=True):
                labels.append(Label(None, f"{name}, row {row}") if own is None else Label(str(own), str(own)))
                places.append(f"{name}, row {row}")
                seen[str(own), str(own)] += own is not None
            parts.append(coded_signals(table))
            continue
        documents: list[Signals] = []
        for entry in read_entries(name):
            scored = score_entry(entry)
            if scored.error is not None:
                errors.append(scored.error)
            elif scored.assessment is not None:
                pitch = scored.assessment.pitch
                shown = pitch.title or scored.assessment.signals.product or pitch.id or entry.source
                labels.append(Label(pitch.id, shown))
                places.append(entry.source)
                seen[pitch.sha256 or pitch.id or "", shown] += bool(pitch.sha256 or pitch.id)
                documents.append(scored.assessment.signals)
        parts.append(coded_signals(signals_table(documents)))
    again = [shown for (_, shown), times in seen.items() if times > 1]
    if again:
        what = "1 pitch appears" if len(again) == 1 else f"{len(again)} pitches appear"
        more = ", …" if len(again) > _NAMED else ""
        notes.append(
            f"{what} more than once and {'is' if len(again) == 1 else 'are'} ranked as often: "
            f"{', '.join(again[:_NAMED])}{more}"
        )
    return Candidates(_told_apart(labels, places), Coded.joined(parts), errors, notes)


def _told_apart(labels: Sequence[Label], places: Sequence[str]) -> list[Label]:
    """The labels; those of one name followed by their places."""
    alike = Counter(label.name for label in labels)
    return [
        replace(label, name=f"{label.name} ({place})") if alike[label.name] > 1 else label
        for label, place in zip(labels, places, strict=True)
    ]


def each_once(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files, each once whatever way its path is written, and a note for each that was named again."""
    first: dict[object, str] = {}
    notes = []
    for name in names:
        key = name if name == "-" else Path(name).resolve()
        if key in first:
            notes.append(f"{name} is named twice; it counts once")
        first.setdefault(key, name)
    return list(first.values()), notes


def _signals_parquet(path: Path) -> Any | None:
    """A Parquet file that is a signals table; None if it is anything else."""
    if path.suffix.lower() != ".parquet" or not path.exists():
        return None
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        names = set(parquet.read_schema(path).names)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read as Parquet; is it complete?") from error
    if names & set(DOCUMENT_COLUMNS) or not names & set(INPUTS):
        return None
    return parquet.read_table(path, read_dictionary=_coded_columns(path))


def failure(document: Any) -> AnalyzerError | None:
    """Why a pitch in a file of results has no assessment, as it was told then; None if the document has signals."""
    if not isinstance(document, dict) or "signals" in document or not isinstance(document.get("error"), dict):
        return None
    given = document["error"]
    return of_kind(str(given.get("kind")), str(given.get("message") or given.get("kind") or "not read"))


def score_entry(entry: Entry, rulebook: Rulebook | None = None, market: MarketMap | None = None) -> Scored:
    """The entry's assessment. One that was an assessment before keeps its pitch, warnings, edits and reader."""
    if entry.error is not None:
        return Scored(entry.source, error=entry.error, many=entry.many)
    try:
        assessment = _scored(entry.document, entry.source, rulebook, market)
    except SignalsError as error:
        return Scored(entry.source, error=error, many=entry.many)
    return Scored(entry.source, assessment, many=entry.many)


def _scored(document: Any, source: str, rulebook: Rulebook | None, market: MarketMap | None = None) -> Assessment:
    if not isinstance(document, dict):
        raise SignalsError(f"{source}: expected a JSON object with signals, found {type(document).__name__}")
    if document.get("error") and "signals" not in document:
        raise SignalsError(f"{source}: this pitch failed when it was read; there are no signals to score")
    if "signals" not in document:
        return score(Signals.from_document(document, source), rulebook, market=market)
    signals = Signals.from_document(document["signals"], source)
    try:
        made = document.get("provenance") or {}
        if not isinstance(made, dict) or not all(
            isinstance(document.get(n) or [], list) for n in ("warnings", "edits")
        ):
            raise SignalsError(f"{source}: this is no assessment: provenance, warnings or edits are of another shape")
        return score(
            signals,
            rulebook,
            market=market,
            pitch=PitchRef.model_validate(document.get("pitch") or {}),
            reader=ReaderRef.model_validate(made["reader"]) if made.get("reader") else None,
            usage=Usage.model_validate(made["usage"]) if made.get("usage") else None,
            warnings=[Warning.model_validate(warning) for warning in document.get("warnings") or ()],
            as_read=as_read(signals, [Edit.model_validate(edit) for edit in document.get("edits") or ()], source),
        )
    except ValidationError as error:
        fault = error.errors()[0]
        raise SignalsError(
            f"{source}: this is no assessment: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        ) from error


def _json_entries(name: str, data: bytes) -> Iterator[Entry]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        if data.count(b"\n{"):
            yield from _lines(name, data.splitlines())
            return
        raise InputError(f"{name} is not JSON: {_not_json(error)}") from error
    if isinstance(document, list):
        for number, entry in enumerate(document, 1):
            yield Entry(f"{name}, entry {number}", entry, many=True)
    else:
        yield Entry(name, document)


def _lines(name: str, lines: Iterable[bytes | None]) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        if line is None:
            yield Entry(f"{name}, line {number}", error=SignalsError(f"{name}, line {number}: {TOO_LONG}"), many=True)
            continue
        if not line.strip():
            continue
        source = f"{name}, line {number}"
        try:
            yield Entry(source, json.loads(line.decode("utf-8-sig")), many=True)
        except UnicodeDecodeError:
            yield Entry(source, error=SignalsError(f"{source}: this is not UTF-8 text"), many=True)
        except (ValueError, RecursionError) as error:
            yield Entry(source, error=SignalsError(f"{source}: this is not JSON: {_not_json(error)}"), many=True)


def _not_json(error: ValueError | RecursionError) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:160]


def _parquet_entries(path: str, source: Any) -> Iterator[Entry]:
    """Rows of a Parquet file (path or open file) with a column `assessment` or `signals` (JSON text or a struct)."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ConfigurationError(
            f"reading {path} needs a package that is not installed: pip install pyarrow"
        ) from error
    try:
        file = parquet.ParquetFile(source)
        columns = [name for name in DOCUMENT_COLUMNS if name in file.schema_arrow.names][:1]
        if not columns:
            if set(file.schema_arrow.names) & set(INPUTS):
                raise InputError(f"{path} is a table of signals; score it into another file with -o OUT.parquet")
            found = ", ".join(file.schema_arrow.names[:8])
            raise InputError(f"{path} has no column 'assessment' or 'signals'; it has {found}")
        with_id = [name for name in ("id",) if name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=columns + with_id):
            for row in batch.to_pylist():
                number += 1
                yield _row(f"{path}, row {number}", row[columns[0]], columns[0], row.get("id"))
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise InputError(f"{path} cannot be read as Parquet; is it complete?") from error


def _row(source: str, cell: Any, column: str, id: Any) -> Entry:
    try:
        document = json.loads(cell) if isinstance(cell, str | bytes) else cell
    except (ValueError, RecursionError):
        return Entry(source, error=SignalsError(f"{source}: column {column!r} is not JSON"), many=True)
    if column == "signals":
        document = {"signals": document, "pitch": {"id": None if id is None else str(id)}}
    return Entry(source, document, many=True)
