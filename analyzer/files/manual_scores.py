"""Manual scores: the CSV of docs/agreement.md, checked, and what a row says as signals.

A faulty file is refused with all its faults, each with its line. What is no fault but has to be known (a signal
without a column, a column that is not scored, values for a pitch out of scope) is kept as a note.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final, get_args

from analyzer.errors import InputError, ManualError
from analyzer.files.cells import cell_text, plain_cell
from analyzer.files.disk import reason
from analyzer.files.frames import OpenTable, is_table
from analyzer.files.text_encoding import find_encoding, text_pieces
from analyzer.vocabulary.derived import INPUT_SPECS, LEANS
from analyzer.vocabulary.labels import how_many
from analyzer.vocabulary.partial_order import Order
from analyzer.vocabulary.records import VOCABULARY_CHANGES, VOCABULARY_VERSION
from analyzer.vocabulary.signals import MAX_COMPETITORS, SIGNALS, UNKNOWN, Competitor, Persona, Problem, Role, Signals
from analyzer.vocabulary.votes import without_votes

VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **LEANS,
    "persona": get_args(Role),
    **{name: spec.values for name, spec in SIGNALS.items()},
}
"""What can be chosen for each scored signal, `unknown` aside."""
MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "stage": {
        "day_1": "the mechanics of using ML at all",
        "mixed": "as much of the one as of the other, among the problems it is sold for",
        "day_2": "keeping and improving ML that already runs",
    },
    "focus": {
        "ml": "data, labels, experiments, model quality",
        "mixed": "as much of the one as of the other, among the problems it is sold for",
        "engineering": "machines, clusters, endpoints, calls, pipelines, latency, cost",
    },
    "persona": {
        "data_scientist": "also researcher, ML practitioner",
        "ml_engineer": "also developers who serve or compress models",
        "ai_engineer": "builds applications, agents or prompts on large language models",
        "platform_engineer": "infrastructure, DevOps, SRE, MLOps",
        "software_engineer": "also developer, where the text describes no other role's work",
    },
    **{name: spec.meanings for name, spec in SIGNALS.items()},
}
"""What the values of a scored signal mean, where that needs saying."""
ORDERS: Final[Mapping[str, Order]] = {
    **{name: INPUT_SPECS[name].order for name in LEANS},
    **{name: spec.order for name, spec in SIGNALS.items()},
}
"""How the values of a scored signal rank; one that is missing here, or has no pairs, has no order."""
COLUMNS: Final = ("pitch_id", "rater", "in_scope", *VALUES, "competitors", "overall")
VOCABULARY: Final = "vocabulary"
"""A column that says with which version of the vocabulary a row was scored; it may be left out."""
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NO_NAME: Final = frozenset({"", UNKNOWN, "none"})
NOTES: Final = frozenset({"note", "notes", "comment", "comments", "remark", "remarks"})
"""Columns whose cells are shown with a disagreement."""
_ALIKE: Final = 0.7
_ENDS: Final = {"mixed": "both", UNKNOWN: "unclear"}
_MOST_BYTES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class ManualScore:
    """One pitch as one rater scored it. `values`: a value or `unknown` for each signal that has a column; `competitors`
    None where there is no such column; `overall` 0 to 100, None where not given. `source`: file and line. `extra`: the
    cells of the columns that are not scored, by the columns' names, empty ones left out."""

    pitch: str
    rater: str
    source: str
    in_scope: bool = True
    values: Mapping[str, str] = field(default_factory=dict)
    competitors: tuple[str, ...] | None = ()
    overall: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What the rater wrote beside the scores, in a column called note, comment or remark; empty if nothing."""
        return "; ".join(cell for name, cell in self.extra.items() if name.lower() in NOTES)


@dataclass(frozen=True, slots=True, repr=False)
class ManualScores:
    """All rows of a file, and what has to be known about it."""

    source: str
    rows: tuple[ManualScore, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        pitches, raters = ({getattr(row, name) for row in self.rows} for name in ("pitch", "rater"))
        counts = f"{how_many(len(pitches), 'pitch', 'pitches')}, {how_many(len(raters), 'rater')}"
        return f"ManualScores({self.source!r}, {counts})"


def read_manual(path: str | Path) -> ManualScores:
    """The manual scores in a CSV file. Raises InputError if it cannot be read, ManualError with all its faults."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from error
    return parse_manual(data, str(path))


def parse_manual(data: bytes, source: str) -> ManualScores:
    """The manual scores in a CSV's bytes: UTF-8 or UTF-16, with commas, semicolons, tabs or pipes between the
    cells. `source` names it in faults. Raises InputError or ManualError."""
    if len(data) > _MOST_BYTES:
        raise InputError(f"{source}: {_MOST_BYTES // 1_000_000} MB are the limit for manual scores")
    lines = _decoded(data, source)
    first, separator = _start(lines)
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=separator, strict=True)
    try:
        rows = [
            (reader.line_num, cells)
            for cells in reader
            if reader.line_num > first and any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise InputError(f"{source}, line {reader.line_num}: this is not CSV: {error}") from error
    if not rows:
        raise InputError(f"{source} is empty; the first line names the columns: {', '.join(COLUMNS[:4])}, …")
    return _Table(source, rows, separator).checked()


def manual_of(value: object) -> ManualScores:
    """Manual scores in memory: a table, a list of mappings (a row each), or a mapping from each pitch's id to one.

    Columns and values as in the CSV; without a column `rater`, the rater is "manual". Raises InputError or ManualError
    with all faults.
    """
    if is_table(value):
        table = OpenTable.of(value)
        columns = {str(name): table.cells(name) for name in table.names}
        if "pitch_id" not in columns and table.index is not None:
            columns["pitch_id"] = list(table.index)
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    elif isinstance(value, Mapping):
        rows = [{"pitch_id": pitch, **row} for pitch, entry in value.items() for row in _rows_of(pitch, entry)]
    elif isinstance(value, Iterable):
        rows = [row for number, entry in enumerate(value, 1) for row in _rows_of(f"row {number}", entry)]
    else:
        rows = []
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not rows:
        raise InputError(f"the manual scores are empty; a row has the columns {', '.join(COLUMNS[:4])}, …")
    if "rater" not in names:
        names.append("rater")
    cells = [[_as_cell(row.get(name, "manual" if name == "rater" else None)) for name in names] for row in rows]
    return _Table("manual scores", [(0, names), *enumerate(cells, 1)], ",", "row").checked()


def _rows_of(place: object, entry: object) -> list[dict[str, object]]:
    """The rows in one entry: a mapping, or several raters' mappings. Raises InputError."""
    entries = list(entry) if isinstance(entry, list | tuple) else [entry]
    if not all(isinstance(each, Mapping) for each in entries):
        raise InputError(f"the manual scores of {str(place)[:40]} are not a mapping; pass columns with their values")
    return [{str(name): cell for name, cell in each.items()} for each in entries if isinstance(each, Mapping)]


def _as_cell(value: object) -> str:
    """A value of a row in memory as the cell of a CSV."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(value).lower()
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def manual_csv(rows: Iterable[ManualScore]) -> str:
    """Rows as the CSV that `parse_manual` reads: unknown is an empty cell, and nothing in it runs in a spreadsheet.

    A signal that a row did not score is written as unknown, since the file has all columns. Columns that are not scored
    come after them.
    """
    rows = list(rows)
    extra = list(dict.fromkeys(name for row in rows for name in row.extra))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *map(plain_cell, extra)])
    for row in rows:
        writer.writerow([*cells_of(row).values(), *(plain_cell(row.extra.get(name, "")) for name in extra)])
    return out.getvalue()


def cells_of(row: ManualScore) -> dict[str, str]:
    """A row as the cells of its CSV, by column; `row_of` reads them."""
    cells = {"pitch_id": row.pitch, "rater": row.rater, "in_scope": "true" if row.in_scope else "false"}
    values = {name: row.values.get(name, UNKNOWN) for name in VALUES}
    cells |= {name: "" if value == UNKNOWN else value for name, value in values.items()}
    cells["competitors"] = "; ".join(row.competitors or ())
    cells["overall"] = "" if row.overall is None else f"{row.overall:g}"
    return {name: plain_cell(cell) for name, cell in cells.items()}


def row_of(cells: Mapping[str, str], source: str) -> ManualScore:
    """A row from its cells by column, held to what a CSV's row is held to. Raises ManualError."""
    return _Table(source, [(1, tuple(cells)), (2, tuple(cells.values()))], ",").checked().rows[0]


def manual_signals(score: ManualScore, kinds: Mapping[str, str]) -> Signals:
    """A row as a signals document. Its position is exactly 0, ½ or 1 by the leans, unknown where the rater says so.

    `kinds`: the kind of each competitor by its name, since a row holds names only.
    """
    values = score.values
    stage, focus = (_end(values.get(name, UNKNOWN)) for name in LEANS)
    document = {
        "in_scope": score.in_scope,
        "problems": [Problem.model_validate({"statement": "", "stage": stage, "focus": focus, "primary": True})],
        "personas": personas(values.get("persona", UNKNOWN)),
        "competitors": [
            Competitor.model_validate({"name": name, "kind": kinds[name]}) for name in score.competitors or ()
        ],
    }
    return Signals.model_validate(document | {name: {"value": values.get(name, UNKNOWN)} for name in SIGNALS})


def with_value(signals: Signals, name: str, value: str) -> Signals:
    """The signals with one scored value in the place of their own, and of the votes of readings on it."""
    if name in LEANS:
        own = signals.problems or (Problem(statement="", stage="unclear", focus="unclear", primary=True),)
        problems = tuple(problem.model_copy(update={name: _end(value)}) for problem in own)
        derived = signals.derived and signals.derived.model_copy(update={name: None})
        return signals.model_copy(update={"problems": problems, "derived": derived})
    field = "personas" if name == "persona" else name
    changed = personas(value) if name == "persona" else type(signals.single(name)).model_validate({"value": value})
    return signals.model_copy(update={field: changed, "derived": without_votes(signals.derived, [field])})


def personas(value: str) -> tuple[Persona, ...]:
    """The main user alone; none where unknown."""
    return () if value == UNKNOWN else (Persona.model_validate({"role": value}),)


def _end(lean: str) -> str:
    return _ENDS.get(lean, lean)


# ---------------------------------------------------------------- reading


def _decoded(data: bytes, source: str) -> str:
    """The text of the file, as every table is decoded. Raises InputError."""
    encoding = find_encoding(source, [data], None, "Save it as CSV UTF-8.")
    return "".join(text_pieces(source, io.BytesIO(data), encoding))


def _start(text: str) -> tuple[int, str]:
    """How many lines come before the header, and what separates cells: a spreadsheet's `sep=` line, or what the header
    uses."""
    head = text.lstrip("\r\n")
    skipped = len(text[: len(text) - len(head)].splitlines())
    line = head.split("\n", 1)[0].strip()
    named = re.fullmatch(r'"?sep=(.)"?', line, re.IGNORECASE)
    if named:
        return skipped + 1, named[1]
    return skipped, max(",;\t|", key=line.count)


class _Table:
    """A file's rows on their way to scores; faults and notes gather here."""

    def __init__(self, source: str, rows: Sequence[tuple[int, Sequence[str]]], separator: str, place: str = "line"):
        self.source = source
        self.place = place
        self.separator = separator
        self.head = _named(rows[0][1])
        self.head_line = rows[0][0]
        self.rows = rows[1:]
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.outdated = False

    def checked(self) -> ManualScores:
        self._check_head()
        scores: list[ManualScore] = []
        seen: dict[tuple[str, str], int] = {}
        if not self.faults:
            for line, cells in self.rows:
                score = self._score(line, cells)
                if score is None:
                    continue
                scores.append(score)
                before = seen.setdefault((score.pitch, score.rater), line)
                if before != line:
                    self._fault(
                        line, f"pitch {score.pitch!r} by rater {score.rater!r} is already in {self._at(before)}"
                    )
        if self.faults:
            raise ManualError(self.source, self.faults)
        if not scores:
            raise InputError(f"{self.source} holds no row of scores, only the names of the columns")
        return ManualScores(self.source, tuple(scores), tuple(self.notes))

    def _fault(self, line: int, text: str) -> None:
        self.faults.append(f"{self._at(line)}: {text}")

    def _at(self, line: int) -> str:
        """Where a row is; 0 is the names of a table in memory."""
        return f"{self.place} {line}" if line else "columns"

    def _check_head(self) -> None:
        for name in dict.fromkeys(name for name in self.head if name in COLUMNS and self.head.count(name) > 1):
            self._fault(self.head_line, f"column {name!r} appears twice")
        extra = {name: self._misspelled(name) for name in self.head if name not in (*COLUMNS, VOCABULARY)}
        for name in ("pitch_id", "rater"):
            if name not in self.head:
                near = [f"; rename {other[:40]!r}?" for other, meant in extra.items() if meant == name]
                self._fault(self.head_line, f"column {name!r} is missing{''.join(near[:1])}")
        absent = [name for name in (*VALUES, "competitors") if name not in self.head]
        if absent:
            self.notes.append(f"no column for {', '.join(absent)}: not scored, so not compared")
        if {"pricing", "buyer"} & {*self.head} == {"buyer"}:
            self.notes.append(f"if these scores are of vocabulary 1, score buyer again: {VOCABULARY_CHANGES}")
        self.notes += [
            f"column {name[:40]!r} is not scored; did you mean {meant!r}?" for name, meant in extra.items() if meant
        ]
        others = [name for name, meant in extra.items() if not meant and name.lower() not in NOTES]
        filled = [name[:40] for name in others if self._filled(self.head.index(name))]
        if filled:
            self.notes.append(f"columns that are not scored: {', '.join(filled)}")

    def _filled(self, number: int) -> bool:
        """Whether a column holds anything: spreadsheets like to add empty ones at the end."""
        return any(cells[number].strip() for _, cells in self.rows if number < len(cells))

    def _misspelled(self, name: str) -> str:
        """The column that a name may mean and that is missing; empty if there is none."""
        missing = [column for column in COLUMNS if column not in self.head]
        plain = re.sub(r"[\s\-]+", "_", name.lower())
        return next(iter(get_close_matches(plain, missing, 1, _ALIKE)), "")

    def _score(self, line: int, cells: Sequence[str]) -> ManualScore | None:
        extra = [cell for cell in cells[len(self.head) :] if cell.strip()]
        if extra or len(cells) < len(self.head):
            self._fault(line, f"expected {len(self.head)} cells as in the first line, found {len(cells)}")
            return None
        row = {name: cell_text(cell.strip()) for name, cell in zip(self.head, cells, strict=False)}
        for name in ("pitch_id", "rater"):
            if not row[name]:
                self._fault(line, f"{name} is empty")
        if row.get(VOCABULARY) not in (None, "", str(VOCABULARY_VERSION)) and not self.outdated:
            self.outdated = True
            self._fault(line, f"scored by vocabulary {row[VOCABULARY][:20]}; {VOCABULARY_CHANGES}; score it again")
        scope = _TRUTH.get(row.get("in_scope", "true").lower())
        if scope is None:
            self._fault(line, f"in_scope is {row['in_scope'][:40]!r}; write true or false")
        values = {name: self._value(line, name, row[name]) for name in VALUES if name in row}
        competitors = self._names(line, row["competitors"]) if "competitors" in row else None
        score = ManualScore(
            row["pitch_id"],
            row["rater"],
            f"{self.source}, {self._at(line)}",
            scope is not False,
            values,
            competitors,
            self._overall(line, row.get("overall", "")),
            {name: cell for name, cell in row.items() if name not in (*COLUMNS, VOCABULARY) and cell},
        )
        if scope is False and (score.overall is not None or competitors or set(values.values()) - {UNKNOWN}):
            self.notes.append(
                f"{self._at(line)}: {score.pitch} is out of scope for {score.rater}; its values do not count"
            )
        return score

    def _value(self, line: int, name: str, cell: str) -> str:
        value = re.sub(r"[\s\-]+", "_", cell.lower())
        if value in ("", UNKNOWN):
            return UNKNOWN
        if value not in VALUES[name]:
            self._fault(line, f"{name} is {cell[:40]!r}{_meant(value, VALUES[name])}")
        return value

    def _names(self, line: int, cell: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in cell.split(";")))
        names = tuple(name for name in names if name.lower() not in _NO_NAME)
        if len(names) > MAX_COMPETITORS:
            self._fault(line, f"competitors: {len(names)} names; {MAX_COMPETITORS} are the most")
        return names[:MAX_COMPETITORS]

    def _overall(self, line: int, cell: str) -> float | None:
        if cell.lower() in ("", UNKNOWN):
            return None
        text = cell.replace(",", ".") if self.separator != "," else cell
        number = float(text) if re.fullmatch(r"\d{1,3}(\.\d{1,9})?", text) else -1.0
        if not 0 <= number <= 100:
            self._fault(line, f"overall is {cell[:40]!r}; give a number from 0 to 100")
        return number


def _named(head: Sequence[str]) -> list[str]:
    """The columns' names: ours in small letters, others as they are; one without a name, or with one that another has,
    gets its number."""
    names: list[str] = []
    for number, cell in enumerate(head, 1):
        name = cell.strip()
        if name.lower() in COLUMNS:
            names.append(name.lower())
        else:
            again = f"{name} (column {number})" if name in names else name
            names.append(again or f"column {number}")
    return names


def _meant(given: str, known: Iterable[str]) -> str:
    near = get_close_matches(given, known := tuple(known), 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; one of: {', '.join(known)}" if len(known) < 10 else ""


def by_pitch(scores: Iterable[ManualScore]) -> Iterator[tuple[str, list[ManualScore]]]:
    """The rows of each pitch, pitches in order of their names."""
    grouped: dict[str, list[ManualScore]] = {}
    for score in scores:
        grouped.setdefault(score.pitch, []).append(score)
    yield from sorted(grouped.items())
