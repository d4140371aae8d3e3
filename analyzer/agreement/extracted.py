"""Extracted readings by pitch: from files of assessments, from assessments in memory, or by reading pitches now.

A reader is compared by what it read, so a person's edits in an assessment are undone. A pitch that failed stays, with
its reason; a note reports whatever else cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.documents import DocumentReader
from analyzer.files.frames import Table, is_table
from analyzer.files.pitches import Sources
from analyzer.framework.assessment import Assessment
from analyzer.framework.edits import as_read
from analyzer.results.documents import (
    DocumentEntry,
    as_entry,
    entries_in,
    entries_of_table,
    parse_document,
    read_entries,
)
from analyzer.results.result import Result
from analyzer.runs.many import analyze_many
from analyzer.settings import Settings, asks_a_server
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is in memory."""

    name: str
    data: bytes


PitchReading = Assessment | Result | Signals | Mapping[str, Any]
"""What was read from a pitch; a mapping is a document."""
ExtractedSource = str | Path | Upload | Table | Iterable[Assessment | Result] | Mapping[str, PitchReading]
_FILES: Final = frozenset({".json", ".jsonl", ".parquet", ".csv", ".txt"})
_UNREACHABLE: Final = 3
"""The exit code of errors that mean that the model cannot be reached at all."""
_SHOWN: Final = 5


@dataclass(slots=True)
class ExtractedReadings:
    """One reader's signals by pitch. `failed`: why a pitch has none. `models`: which models read, where known."""

    name: str
    signals: dict[str, Signals] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    models: set[str] = field(default_factory=set)

    def add(self, pitch: str | None, signals: Signals, where: str) -> None:
        """Add a reading. Of two for the same pitch the later counts, and a note says so if they differ."""
        if not pitch:
            self.notes.append(f"{where}: skipped, because it has no pitch.id")
            return
        if pitch in self.signals and self.signals[pitch] != signals:
            self.notes.append(f"{where}: pitch {pitch!r} appears again with a different reading; the later one counts")
        self.signals[pitch] = signals
        self.failed.pop(pitch, None)

    def fail(self, pitch: str | None, reason: str) -> None:
        """Record why a pitch has no reading, unless it has one."""
        if not pitch:
            self.notes.append(reason)
        elif pitch not in self.signals:
            self.failed[pitch] = reason


def is_model(source: object) -> bool:
    """Whether a source names a model (`recorded`, `keywords`, `provider/name`) rather than a file."""
    if not isinstance(source, str):
        return False
    named = not asks_a_server(source) or ("/" in source and Path(source).suffix.lower() not in _FILES)
    return named and not Path(source).exists()


def read_extracted(
    source: ExtractedSource, scored: Iterable[str], pitches: Path | None, settings: Settings, name: str | None = None
) -> ExtractedReadings:
    """One reader's signals. A model reads those files in the folder `pitches` whose pitch ids are in `scored`.

    Raises InputError, ConfigurationError, or a ProviderError where the model cannot be reached at all.
    """
    if isinstance(source, str) and is_model(source):
        return _read_now(source, set(scored), pitches, settings, name)
    if isinstance(source, Upload):
        return _from_entries(source.name, entries_in(source.name, source.data), name)
    if isinstance(source, str | Path):
        return _from_entries(str(source), read_entries(str(source)), name)
    if is_table(source):
        return _from_entries("table", entries_of_table("the table", source), name or "extracted")
    if isinstance(source, Mapping):
        return _by_pitch(source, name or "extracted")
    return _from_memory(cast(Iterable[Any], source), name or "extracted")


def _from_entries(source: str, entries: Iterable[DocumentEntry], name: str | None) -> ExtractedReadings:
    extracted = ExtractedReadings(name or ("standard input" if source == "-" else Path(source).stem))
    for entry in entries:
        parsed = parse_document(entry)
        pitch = parsed.pitch.id
        if parsed.failure is not None:
            extracted.fail(pitch, f"{entry.source}: not read: {str(parsed.failure)[:200]}")
        elif parsed.as_read is None:
            extracted.fail(pitch, str(parsed.fault))
        else:
            extracted.add(pitch, parsed.as_read, entry.source)
        if parsed.reader is not None and parsed.reader.model:
            extracted.models.add(parsed.reader.model)
    if not extracted.signals and not extracted.failed:
        reasons = "".join(f"; {note}" for note in extracted.notes[:_SHOWN])
        raise InputError(f"{source}: found no assessment with a pitch.id{reasons}")
    return extracted


def is_by_pitch(source: object) -> bool:
    """Whether a mapping holds a reading for each pitch, rather than a source for each reader."""
    return (
        isinstance(source, Mapping)
        and bool(source)
        and all(isinstance(each, Assessment | Result | Signals | Mapping) for each in source.values())
        and not all(is_by_pitch(each) for each in source.values())
    )


def _by_pitch(readings: Mapping[str, PitchReading], name: str) -> ExtractedReadings:
    """Readings by the id of their pitch, whatever id they have themselves."""
    extracted = ExtractedReadings(name)
    for pitch, reading in readings.items():
        where = f"{name}, pitch {pitch}"
        if isinstance(reading, Result) and reading.assessment is None:
            extracted.fail(str(pitch), f"{where}: not read: {reading.error}")
            continue
        document = reading.assessment if isinstance(reading, Result) else reading
        parsed = parse_document(as_entry(where, document))
        if parsed.as_read is None:
            raise parsed.no_signals
        extracted.add(str(pitch), parsed.as_read, where)
        if parsed.reader is not None and parsed.reader.model:
            extracted.models.add(parsed.reader.model)
    return extracted


def _models(assessment: Assessment) -> set[str]:
    model = assessment.provenance.reader.model
    return {model} if model else set()


def _as_read(assessment: Assessment) -> Signals:
    return as_read(assessment.signals, assessment.edits)


def _from_memory(results: Iterable[Any], name: str) -> ExtractedReadings:
    extracted = ExtractedReadings(name)
    for number, result in enumerate(results, 1):
        where = f"{name}, result {number}"
        if isinstance(result, Result):
            if result.assessment is None:
                extracted.fail(result.id, f"{where}: not read: {result.error}")
                continue
            extracted.add(result.assessment.pitch.id or result.id, _as_read(result.assessment), where)
            extracted.models |= _models(result.assessment)
        elif isinstance(result, Assessment):
            extracted.add(result.pitch.id, _as_read(result), where)
            extracted.models |= _models(result)
        else:
            raise InputError(f"{where}: expected an Assessment or a Result, got {type(result).__name__}")
    return extracted


def _read_now(
    model: str, scored: set[str], pitches: Path | None, settings: Settings, name: str | None
) -> ExtractedReadings:
    if pitches is None:
        raise InputError(f"{model} needs pitches to read. Add --pitches FOLDER, or compare a file of assessments.")
    if not pitches.is_dir():
        raise InputError(f"{pitches} is not a folder of pitches")
    extracted = ExtractedReadings(name or model)
    texts: list[tuple[str, str]] = []
    unscored = 0
    folder = Sources((str(pitches),))
    read: dict[str, Path] = {}
    with DocumentReader() as reader:
        for path in (path for path in folder.documents() if path.parent == pitches):
            if path.stem not in scored:
                unscored += 1
                continue
            if path.stem in read:
                raise InputError(f"{path} and {read[path.stem].name} are both pitch {path.stem!r}; rename one of them")
            read[path.stem] = path
            try:
                texts.append((path.stem, reader.read_file(path).text))
            except AnalyzerError as error:
                extracted.fail(path.stem, str(error))
    if unscored:
        extracted.notes.append(f"{pitches}: skipped {unscored} pitches without manual scores")
    extracted.notes += [f"{pitches}: {left_out}" for left_out in folder.notes() if "link" in left_out]
    results = sorted(analyze_many(texts, model=model, settings=settings), key=lambda result: result.number)
    errors = [result.error for result in results if result.error is not None]
    if errors and len(errors) == len(results) and all(error.exit_code == _UNREACHABLE for error in errors):
        raise errors[0]
    for result in results:
        if result.assessment is None:
            extracted.fail(result.id, f"{result.id}: not read: {result.error}")
        else:
            extracted.add(result.id, result.assessment.signals, result.id)
            extracted.models |= _models(result.assessment)
    return extracted
