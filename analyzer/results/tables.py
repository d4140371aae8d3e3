"""Signals of many pitches at once: a Parquet file scored into another, and files of results as numbers to rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import AnalyzerError, InputError, OutputError, SignalsError
from analyzer.files.disk import check_writable, open_whole
from analyzer.framework.nested import DOCUMENT_COLUMNS
from analyzer.framework.rulebook import Rulebook
from analyzer.results.documents import parse_document, read_entries, unique_files
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.signals import Signals

if TYPE_CHECKING:
    from analyzer.framework.scorer import Coded

_ROWS: Final = 100_000
_NAMED: Final = 5


def score_parquet(source: Path, target: Path, rulebook: Rulebook | None = None) -> int:
    """Scores a Parquet file of signals into another, in batches so that memory stays small; returns the rows scored.

    The source is a table as `score_table` takes it. The target has its columns and the scores; for a table of whole
    documents, the ids and the scores. A pitch that could not be read has a row without scores. The target is written
    whole or not at all. Raises InputError, SignalsError or ConfigurationError.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    from analyzer.framework.many_pitches import score_table

    if not source.exists():
        raise InputError(f"{source} does not exist")
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
                with suppress(OutputError, OSError, pyarrow.ArrowException):  # the first error is the one to report
                    writer.close()
    return rows


def _coded_columns(path: Path) -> list[str]:
    """The signal columns of a Parquet file that hold text: pyarrow reads them as codes, each word once."""
    import pyarrow
    import pyarrow.parquet as parquet

    schema = parquet.read_schema(path)
    return [name for name in INPUTS if name in schema.names and pyarrow.types.is_string(schema.field(name).type)]


def _signals_batch(source: Path, table: Any) -> Any:
    """The columns of a batch to score: all of a table of signals; of whole documents the ids and the documents."""
    columns = [name for name in DOCUMENT_COLUMNS if name in table.column_names][:1]
    if columns:
        return table.select([name for name in table.column_names if name in ("id", *columns)])
    if not set(table.column_names) & set(INPUTS):
        found = ", ".join(table.column_names[:8])
        raise InputError(f"{source} holds no signals: no column 'signals', 'assessment' or of a signal; it has {found}")
    return table


@dataclass(frozen=True, slots=True)
class PitchLabel:
    """A pitch by its id (None = it has none) and by the name that people know it by."""

    id: str | None
    name: str


@dataclass(slots=True)
class LabeledSignals:
    """The signals of all entries in some files, as numbers, with a label for each.

    `errors`: the entries without valid signals. `notes`: files named twice (each counts once), pitches that appear more
    than once (each appearance counts).
    """

    labels: list[PitchLabel]
    coded: Coded
    errors: list[AnalyzerError]
    notes: list[str]


def coded_entries(names: Iterable[str]) -> LabeledSignals:
    """The signals in some files, to rank them together. Raises InputError for a file that cannot be read."""
    from analyzer.framework.many_pitches import coded_documents, coded_signals
    from analyzer.framework.scorer import Coded

    labels: list[PitchLabel] = []
    places: list[str] = []
    parts: list[Coded] = []
    errors: list[AnalyzerError] = []
    files, notes = unique_files(names)
    seen: Counter[tuple[str, str]] = Counter()
    for name in files:
        table = _signals_parquet(Path(name))
        if table is not None:
            rows = range(1, table.num_rows + 1)
            ids = table.column("id").to_pylist() if "id" in table.column_names else [None] * table.num_rows
            for row, own in zip(rows, ids, strict=True):
                labels.append(PitchLabel(None, f"{name}, row {row}") if own is None else PitchLabel(str(own), str(own)))
                places.append(f"{name}, row {row}")
                seen[str(own), str(own)] += own is not None
            parts.append(coded_signals(table))
            continue
        documents: list[Signals] = []
        for entry in read_entries(name):
            parsed = parse_document(entry)
            if parsed.signals is None:
                errors.append(parsed.no_signals)
                continue
            pitch = parsed.pitch
            shown = pitch.title or parsed.signals.product or pitch.id or entry.source
            labels.append(PitchLabel(pitch.id, shown))
            places.append(entry.source)
            seen[pitch.sha256 or pitch.id or "", shown] += bool(pitch.sha256 or pitch.id)
            documents.append(parsed.signals)
        parts.append(coded_documents(documents))
    again = [shown for (_, shown), times in seen.items() if times > 1]
    if again:
        what = "1 pitch appears" if len(again) == 1 else f"{len(again)} pitches appear"
        more = ", …" if len(again) > _NAMED else ""
        notes.append(
            f"{what} more than once and {'is' if len(again) == 1 else 'are'} ranked as often: "
            f"{', '.join(again[:_NAMED])}{more}"
        )
    return LabeledSignals(_distinct(labels, places), Coded.joined(parts), errors, notes)


def _distinct(labels: Sequence[PitchLabel], places: Sequence[str]) -> list[PitchLabel]:
    """The labels; where several have one name, the place of each is added to it."""
    alike = Counter(label.name for label in labels)
    return [
        replace(label, name=f"{label.name} ({place})") if alike[label.name] > 1 else label
        for label, place in zip(labels, places, strict=True)
    ]


def _signals_parquet(path: Path) -> Any | None:
    """A Parquet file as a table of signals; None if it is anything else."""
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
