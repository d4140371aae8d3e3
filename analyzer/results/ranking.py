"""The ranking of pitches that were read, as a value: each with its name, in order, and how sure its place is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, overload

from analyzer.errors import InputError
from analyzer.files.frames import Table, is_table
from analyzer.framework.arguments import a_kind, as_rulebook
from analyzer.framework.assessment import Assessment
from analyzer.framework.many_pitches import coded_documents
from analyzer.framework.ranking import Ranked
from analyzer.framework.ranking import rank as rank_coded
from analyzer.framework.rulebook import Rulebook
from analyzer.late import ShownInNotebooks
from analyzer.results.documents import DocumentEntry, as_entry, entries_of_table, parse_document
from analyzer.results.result import Result
from analyzer.results.tables import PitchLabel
from analyzer.vocabulary.labels import how_many
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True, repr=False)
class Ranking(ShownInNotebooks, Sequence[Ranked]):
    """Pitches in scope, best first. `labels[ranked.row]` is an entry's pitch; `failed`: how many were not read.

    `top`: the k of each entry's chance to be among the first k. `draws`: how often it was simulated.
    """

    labels: tuple[PitchLabel, ...]
    ranked: tuple[Ranked, ...]
    top: int
    draws: int
    failed: int = 0

    @overload
    def __getitem__(self, place: int) -> Ranked: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Ranked, ...]: ...
    def __getitem__(self, place: int | slice) -> Ranked | tuple[Ranked, ...]:
        return self.ranked[place]

    def __iter__(self) -> Iterator[Ranked]:
        return iter(self.ranked)

    def __len__(self) -> int:
        return len(self.ranked)

    def __repr__(self) -> str:
        first = [self.labels[each.row].name[:40] for each in self.ranked[:3]]
        count = how_many(len(self.ranked), "pitch", "pitches")
        return f"Ranking({count}: {', '.join(first)}{', …' if len(self.ranked) > 3 else ''})"

    def to_frame(self) -> Any:
        """A DataFrame with a row for each pitch, best first, and the pitch's id as index."""
        labels = [self.labels[each.row] for each in self.ranked]
        rows = [
            {"id": label.id, "pitch": label.name, **asdict(each)}
            for label, each in zip(labels, self.ranked, strict=True)
        ]
        columns = ["id", "pitch", *Ranked.__dataclass_fields__]
        return import_module("pandas").DataFrame(rows, columns=columns).set_index("id").drop(columns="row")


def rank(
    results: Iterable[Result | Assessment] | Table,
    rulebook: Rulebook | str | Path | None = None,
    *,
    top: int = 10,
    draws: int = 1000,
    seed: int = 0,
) -> Ranking:
    """Rank pitches that were read before, and say how sure each place is (docs/scoring.md). Calls no model.

    `results`: results of `analyze_many`, assessments, or a table of them (`to_frame`). Those that failed or are out of
    scope are not ranked. `top`: the k of "among the first k". The same input and seed give the same result. Raises
    InputError.
    """
    entries = entries_of_table("the table", results) if is_table(results) else _entries(results)
    labels: list[PitchLabel] = []
    signals: list[Signals] = []
    failed = 0
    for entry in entries:
        parsed = parse_document(entry)
        if parsed.failure is not None:
            failed += 1
            continue
        if parsed.signals is None:
            raise parsed.no_signals
        name = parsed.pitch.title or parsed.signals.product or parsed.pitch.id or entry.source
        labels.append(PitchLabel(parsed.pitch.id, name))
        signals.append(parsed.signals)
    ranked = rank_coded(coded_documents(signals), as_rulebook(rulebook), top=top, draws=draws, seed=seed)
    return Ranking(tuple(labels), tuple(ranked), top, draws, failed)


def _entries(results: object) -> Iterator[DocumentEntry]:
    if not isinstance(results, Iterable) or isinstance(results, str):
        raise InputError(f"results is {a_kind(results)}; pass results, assessments, or a table of them")
    for number, result in enumerate(results, 1):
        if isinstance(result, Result) and result.assessment is None:
            yield DocumentEntry(f"result {number}", {"error": {"kind": "", "message": str(result.error)}})
        elif isinstance(result, Result | Assessment):
            yield as_entry(f"result {number}", result.assessment if isinstance(result, Result) else result)
        else:
            raise InputError(f"result {number} is {a_kind(result)}; pass results, assessments, or a table of them")
