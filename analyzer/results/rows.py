"""The rows of a bulk output: columns of CSV and Parquet, documents of JSON Lines. Names of columns are stable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from analyzer.files.frames import OWN_PREFIX
from analyzer.framework.assessment import Assessment, Range
from analyzer.framework.contested import contested
from analyzer.results.result import Result
from analyzer.vocabulary.signals import SIGNALS

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One result and where its pitch came from. `repeat` counts from 1 where a pitch is read several times. `columns`:
    the cells of the input's own columns."""

    result: Result
    source: str
    repeat: int | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of CSV and Parquet. `kind`: text, number, count or yes/no; empty: unknown or not applicable."""

    name: str
    kind: str
    meaning: str
    value: Callable[[ResultRow], Any]


def _of_assessment(read: Callable[[Assessment], Any]) -> Callable[[ResultRow], Any]:
    return lambda row: None if row.result.assessment is None else read(row.result.assessment)


def _of_scores(name: str, part: str) -> Callable[[ResultRow], Any]:
    def read(assessment: Assessment) -> Any:
        if assessment.scores is None:
            return None
        side = name in ("day_1", "day_2", "ml", "engineering")
        range_: Range = getattr(assessment.scores.sides if side else assessment.scores, name)
        return getattr(range_, part)

    return _of_assessment(read)


def _position(name: str, part: str) -> Callable[[ResultRow], Any]:
    return _of_assessment(lambda a: None if a.position is None else getattr(getattr(a.position, name), part))


def _ranges(names: Mapping[str, str], read: Callable[[str, str], Callable[[ResultRow], Any]]) -> Iterator[Column]:
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
        yield Column(
            name, "text", f"{spec.title}; empty = the pitch does not say", _of_assessment(partial(known, name))
        )
        yield Column(f"{name}_quote", "text", "the pitch's words for it", _of_assessment(partial(quote, name)))


def _joined(values: Any) -> str | None:
    return "; ".join(values) or None


def _question(assessment: Assessment) -> str | None:
    return assessment.questions[0].question if assessment.questions else None


def _usage(name: str) -> Callable[[ResultRow], Any]:
    return _of_assessment(lambda a: getattr(a.provenance.usage, name))


COLUMNS: Final[tuple[Column, ...]] = (
    Column("number", "count", "place in the input, from 1", lambda row: row.result.number + 1),
    Column("source", "text", "file, and row or line in it", lambda row: row.source),
    Column("repeat", "count", "which reading of this pitch it is, from 1, with --repeat", lambda row: row.repeat),
    Column("id", "text", "the pitch's id", lambda row: row.result.id),
    Column("title", "text", "the company's name in the input, else the pitch's title", lambda row: row.result.title),
    Column("sha256", "text", "fingerprint of the text that was read", lambda row: row.result.sha256),
    Column(
        "error_kind", "text", "why there is no assessment, as a stable word; empty if there is one",
        lambda row: None if row.result.error is None else row.result.error.kind,
    ),
    Column(
        "error_message", "text", "why there is no assessment, in words",
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
        for name, ends in (("stage", "0 = day 1, 1 = day 2"), ("focus", "0 = ML, 1 = engineering"))
        for suffix, part, meaning in (
            ("", "value", ends), ("_low", "low", "lower end of its range"), ("_high", "high", "upper end of its range")
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
        "persona", "text", "role of the main user; empty = the pitch does not say",
        _of_assessment(lambda a: a.signals.personas[0].role if a.signals.personas else None),
    ),
    Column(
        "competitors", "text", "competitors the pitch names, separated by semicolons",
        _of_assessment(lambda a: _joined(competitor.name for competitor in a.signals.competitors)),
    ),
    *_signals(),
    Column("ask_first", "text", "the open question with the largest effect on the score", _of_assessment(_question)),
    Column(
        "unknown", "text", "signals the pitch does not state, the largest effect on the score first",
        _of_assessment(lambda a: _joined(question.signal for question in a.questions)),
    ),
    Column(
        "warnings", "text", "kinds of warnings, separated by semicolons",
        _of_assessment(lambda a: _joined(dict.fromkeys(warning.kind for warning in a.warnings))),
    ),
    Column("model", "text", "the model or reader that read it", _of_assessment(lambda a: a.provenance.reader.model)),
    Column("rulebook", "text", "version of the rulebook", _of_assessment(lambda a: a.provenance.rulebook.version)),
    Column(
        "rulebook_sha256", "text", "fingerprint of the rulebook", _of_assessment(lambda a: a.provenance.rulebook.sha256)
    ),
    Column("from_store", "yes/no", "all answers were paid for in a previous run", lambda row: row.result.from_store),
    Column("requests", "count", "replies of the model", _usage("requests")),
    Column("input_tokens", "count", "tokens sent", _usage("input_tokens")),
    Column("cached_tokens", "count", "input tokens that came from the provider's cache", _usage("cached_tokens")),
    Column("output_tokens", "count", "tokens in its replies", _usage("output_tokens")),
    Column("cost_usd", "number", "USD; empty = price unknown", _usage("cost_usd")),
    Column(
        "said", "number", "share of the overall score's weight that rests on what the pitch says, 0 to 1",
        _of_assessment(lambda a: a.said),
    ),
    Column(
        "gates_hold", "text", "deal-breakers that hold, separated by semicolons",
        _of_assessment(lambda a: _joined(gate.id for gate in a.gates if gate.state == "holds")),
    ),
    Column(
        "gates_open", "text", "deal-breakers that may hold, depending on what is unknown",
        _of_assessment(lambda a: _joined(gate.id for gate in a.gates if gate.state == "open")),
    ),
    Column(
        "not_read", "text", "what was not read of its document, in words, separated by semicolons",
        _of_assessment(lambda a: _joined(part.message for source in a.sources for part in source.unread)),
    ),
    Column(
        "readings", "count", "how many readings of the pitch were combined",
        _of_assessment(lambda a: max(1, len(a.provenance.reader.readings))),
    ),
    Column(
        "contested", "text", "what those readings differ on, separated by semicolons",
        _of_assessment(lambda a: _joined(contested(a.signals))),
    ),
)  # fmt: skip
"""The columns of CSV and Parquet. Parquet has one more, `assessment`, the whole document as JSON."""


def arrow_schema(columns: Iterable[Column], own: Iterable[Column] = ()) -> pyarrow.Schema:
    """The columns, the whole document (`assessment`), and the columns of the input, as Arrow's types."""
    import pyarrow

    kinds = {
        "text": pyarrow.string(), "number": pyarrow.float64(), "count": pyarrow.int64(), "yes/no": pyarrow.bool_()
    }  # fmt: skip
    fields = [(column.name, kinds[column.kind]) for column in columns]
    return pyarrow.schema([*fields, ("assessment", pyarrow.string()), *((each.name, kinds["text"]) for each in own)])


def arrow_cells(row: ResultRow, columns: Iterable[Column]) -> dict[str, Any]:
    """A row's cells by column, with its whole document as JSON text."""
    document = row.result.document()
    if document is None:
        document = json.dumps(error_document(row))
    return {**{column.name: column.value(row) for column in columns}, "assessment": document}


def error_document(row: ResultRow) -> dict[str, Any]:
    """The document of a pitch that failed."""
    result = row.result
    error = result.error
    return {
        "pitch": {"id": result.id, "title": result.title, "sha256": result.sha256},
        "error": {"kind": error.kind if error else "unexpected", "message": str(error)},
    }


def input_document(row: ResultRow) -> dict[str, Any]:
    """Where a row's pitch is in the input."""
    place: dict[str, Any] = {"number": row.result.number + 1, "source": row.source}
    if row.repeat is not None:
        place["repeat"] = row.repeat
    if row.columns:
        place["columns"] = dict(row.columns)
    return place


def own_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """The columns of the input as columns of the output, after all others. A name that is one of COLUMNS, or
    `assessment`, gets OWN_PREFIX before it."""
    taken = {column.name for column in COLUMNS} | {"assessment"}
    columns = []
    for name in names:
        own = name
        while own in taken:
            own = f"{OWN_PREFIX}{own}"
        taken.add(own)
        columns.append(Column(own, "text", "a column of the input", partial(_own_cell, name)))
    return tuple(columns)


def _own_cell(name: str, row: ResultRow) -> str | None:
    cell = row.columns.get(name)
    if cell is None or isinstance(cell, str):
        return cell
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, bool | dict | list) else str(cell)
