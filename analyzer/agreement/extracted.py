"""What was read, by pitch: from files of assessments, from assessments in memory, or by reading pitches now.

What a person changed by hand in an assessment is left out: a reader is compared by what it read. A pitch that failed is
kept with its reason; nothing that was there goes missing without a note.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.documents import DocumentReader
from analyzer.files.pitches import Sources
from analyzer.framework.assessment import Assessment
from analyzer.framework.edits import as_read
from analyzer.results.documents import DocumentEntry, entries_in, parse_document, read_entries
from analyzer.results.result import Result
from analyzer.runs.many import analyze_many
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is in memory."""

    name: str
    data: bytes


Given = str | Path | Upload | Iterable[Assessment | Result]
_FILES: Final = frozenset({".json", ".jsonl", ".parquet", ".csv", ".txt"})
_OUT_OF_REACH: Final = 3
"""The exit code of errors that say that a model cannot be asked at all."""
_SHOWN: Final = 5


@dataclass(slots=True)
class Extracted:
    """One reader's signals by pitch. `failed`: why a pitch has none. `model`: who read, if the file says so."""

    name: str
    signals: dict[str, Signals] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    models: set[str] = field(default_factory=set)

    def add(self, pitch: str | None, signals: Signals, where: str) -> None:
        """Keeps a reading. Of two for the same pitch the later counts, and a note says so if they differ."""
        if not pitch:
            self.notes.append(f"{where}: no pitch.id, so nothing to compare it with")
            return
        if pitch in self.signals and self.signals[pitch] != signals:
            self.notes.append(f"{where}: pitch {pitch!r} was read before and differently; the later reading counts")
        self.signals[pitch] = signals
        self.failed.pop(pitch, None)

    def fail(self, pitch: str | None, reason: str) -> None:
        """Keeps why a pitch has no reading, unless it has one."""
        if not pitch:
            self.notes.append(reason)
        elif pitch not in self.signals:
            self.failed[pitch] = reason


def is_model(source: object) -> bool:
    """Whether a source names a reader (`recorded`, `keywords`, `provider/name`) and no file that exists or would."""
    if not isinstance(source, str):
        return False
    provider, slash, _ = source.partition("/")
    named = provider in (KEYWORDS, RECORDED) or (slash and Path(source).suffix.lower() not in _FILES)
    return bool(named) and not Path(source).exists()


def read_extracted(
    source: Given, wanted: Iterable[str], pitches: Path | None, settings: Settings, name: str | None = None
) -> Extracted:
    """One reader's signals. A model's name reads those files in the folder `pitches` whose names are `wanted`.

    Raises InputError, ConfigurationError, or ProviderError's kin where a model cannot be asked at all.
    """
    if isinstance(source, str) and is_model(source):
        return _read_now(source, set(wanted), pitches, settings, name)
    if isinstance(source, Upload):
        return _from_entries(source.name, entries_in(source.name, source.data), name)
    if isinstance(source, str | Path):
        return _from_entries(str(source), read_entries(str(source)), name)
    return _from_memory(source, name or "extracted")


def _from_entries(source: str, entries: Iterable[DocumentEntry], name: str | None) -> Extracted:
    extracted = Extracted(name or ("standard input" if source == "-" else Path(source).stem))
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
        notes = "".join(f"; {note}" for note in extracted.notes[:_SHOWN])
        raise InputError(f"{source}: there is no assessment with a pitch.id in there{notes}")
    return extracted


def _models(assessment: Assessment) -> set[str]:
    model = assessment.provenance.reader.model
    return {model} if model else set()


def _as_read(assessment: Assessment) -> Signals:
    return as_read(assessment.signals, assessment.edits)


def _from_memory(results: Iterable[Assessment | Result], name: str) -> Extracted:
    extracted = Extracted(name)
    for number, given in enumerate(results, 1):
        where = f"{name}, result {number}"
        if isinstance(given, Result):
            if given.assessment is None:
                extracted.fail(given.id, f"{where}: not read: {given.error}")
                continue
            extracted.add(given.assessment.pitch.id or given.id, _as_read(given.assessment), where)
            extracted.models |= _models(given.assessment)
        elif isinstance(given, Assessment):
            extracted.add(given.pitch.id, _as_read(given), where)
            extracted.models |= _models(given)
        else:
            raise InputError(f"{where}: expected an Assessment or a Result, found {type(given).__name__}")
    return extracted


def _read_now(model: str, wanted: set[str], pitches: Path | None, settings: Settings, name: str | None) -> Extracted:
    if pitches is None:
        raise InputError(f"{model} reads pitches: give their folder (--pitches FOLDER), or a file of assessments")
    if not pitches.is_dir():
        raise InputError(f"{pitches} is no folder of pitches")
    extracted = Extracted(name or model)
    texts: list[tuple[str, str]] = []
    unscored = 0
    folder = Sources((str(pitches),))
    read: dict[str, Path] = {}
    with DocumentReader() as reader:
        for path in (path for path in folder.documents() if path.parent == pitches):
            if path.stem not in wanted:
                unscored += 1
                continue
            if path.stem in read:
                raise InputError(f"{path} and {read[path.stem].name} are both pitch {path.stem!r}; rename one of them")
            read[path.stem] = path
            try:
                texts.append((path.stem, reader.read_file(path)))
            except AnalyzerError as error:
                extracted.fail(path.stem, str(error))
    if unscored:
        extracted.notes.append(f"{pitches}: {unscored} pitches that nobody scored, not read")
    extracted.notes += [f"{pitches}: {left_out}" for left_out in folder.notes() if "link" in left_out]
    results = sorted(analyze_many(texts, model=model, settings=settings), key=lambda result: result.number)
    errors = [result.error for result in results if result.error is not None]
    if errors and len(errors) == len(results) and all(error.exit_code == _OUT_OF_REACH for error in errors):
        raise errors[0]
    for result in results:
        if result.assessment is None:
            extracted.fail(result.id, f"{result.id}: not read: {result.error}")
        else:
            extracted.add(result.id, result.assessment.signals, result.id)
            extracted.models |= _models(result.assessment)
    return extracted
