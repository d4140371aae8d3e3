"""Scoring many pitches at once: the same scores as `scoring.score`, as array look-ups over a table of signals.

What makes it fast and still exact: for most inputs one value is the worst in every consideration that looks at it, and
one the best, so that each may take it by itself. What has to be tried value by value are positions, and inputs on whose
worst or best value two considerations disagree; the rulebook's tables say which.
Each consideration becomes one table with a place more for "unknown" on each axis; a million pitches are a few look-ups.

A signals table has these columns (Arrow or pandas); null, empty or "unknown" is unknown, a missing column is unknown
throughout, others are kept as they are:

    in_scope                                        true or false; missing = true
    stage, focus                                    position, 0 to 1
    persona_fit, crowding, incumbent, in_house      as `framework.inputs` derives them
    buyer, market_breadth, ...                      the single values

or one column of whole documents, as `pitch bulk` writes them: assessment, or signals (`framework.nested`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import SignalsError
from analyzer.framework.arguments import a_kind, as_rulebook
from analyzer.framework.formula import FACTORS, SCORES, WEIGHTED_BY, weights_in_sides
from analyzer.framework.inputs import WORLDS, derive
from analyzer.framework.market import MarketMap
from analyzer.framework.nested import DOCUMENT_COLUMNS, signals_of_cells
from analyzer.framework.rounding import rounded
from analyzer.framework.rulebook import Consideration, Rulebook, Side
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import Signals

if TYPE_CHECKING:
    import pyarrow

T = TypeVar("T")
_Codes = NDArray[np.int8]
_Floats = NDArray[np.float64]
_ENDS: Final = ("", "_low", "_high")


@dataclass(frozen=True, slots=True)
class Coded:
    """Signals of many pitches as numbers: the index of each input's value, one past the last for unknown; nan too."""

    codes: Mapping[str, _Codes]
    positions: Mapping[str, _Floats]
    in_scope: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.in_scope)

    @classmethod
    def joined(cls, parts: Sequence[Coded]) -> Coded:
        """Several after one another."""
        return cls(
            {name: np.concatenate([part.codes[name] for part in parts]) for name in parts[0].codes},
            {name: np.concatenate([part.positions[name] for part in parts]) for name in parts[0].positions},
            np.concatenate([part.in_scope for part in parts]),
        )

    def take(self, rows: NDArray[np.intp]) -> Coded:
        """These rows, in this order."""
        codes = {name: column[rows] for name, column in self.codes.items()}
        positions = {name: column[rows] for name, column in self.positions.items()}
        return Coded(codes, positions, self.in_scope[rows])


def signals_table(
    signals: Iterable[Signals], ids: Sequence[str] | None = None, market: MarketMap | None = None
) -> pyarrow.Table:
    """The signals table of signals documents; `ids`, if given, becomes a column."""
    import pyarrow

    columns: dict[str, list[Any]] = {name: [] for name in ("in_scope", *INPUTS)}
    for document in signals:
        facts = derive(document, market)
        columns["in_scope"].append(document.in_scope)
        for name, value in facts.values.items():
            at = facts.positions.get(name)
            columns[name].append(value if name not in LEANS else None if at is None else float(at))
    types = {"in_scope": pyarrow.bool_(), **dict.fromkeys(LEANS, pyarrow.float64())}
    arrays = {name: pyarrow.array(cells, types.get(name, pyarrow.string())) for name, cells in columns.items()}
    return pyarrow.table(({"id": list(ids)} if ids is not None else {}) | arrays)


def score_table(table: T, rulebook: Rulebook | str | Path | None = None) -> T:
    """The table (pandas or Arrow) with the scores of every row beside it: same rows, same order, same index.

    Its own columns are kept; one that is called like a score is renamed (`overall` to `input_overall`). Added:
    `in_scope` where the table has none; `overall`, `market`, `sales` and the sides, each also with `_low` and `_high`,
    and `points_<consideration>` likewise; null where out of scope or where a row holds no document. Equal to `score` to
    the last digit. Raises SignalsError naming column, row and value where a value is not in the vocabulary, where no
    column holds signals, or where a column's name is a misspelled signal.
    """
    rules = as_rulebook(rulebook)
    scored: T = _scored_frame(table, rules) if _is_pandas(table) else _scored_arrow(table, rules)
    return scored


def _scored_arrow(table: Any, rulebook: Rulebook) -> Any:
    import pyarrow

    if not isinstance(table, pyarrow.Table):
        raise SignalsError(f"score_table takes a pandas DataFrame or an Arrow table, not {a_kind(table)}")
    columns = dict(_results(_read(table.column_names, table.column), rulebook))
    names = [_unlike(name, columns, table.column_names) for name in table.column_names]
    arrays = [pyarrow.array(numbers, mask=mask) for numbers, mask in columns.values()]
    return pyarrow.Table.from_arrays([*table.columns, *arrays], [*names, *columns])


def _scored_frame(frame: Any, rulebook: Rulebook) -> Any:
    """`score_table` for pandas, which gives Arrow only the columns with signals: the others may hold anything."""
    pandas = import_module("pandas")  # it is there, since the frame is; the framework does not depend on it
    import pyarrow

    def column(name: str) -> Any:
        try:
            return pyarrow.chunked_array(pyarrow.array(frame[name], from_pandas=True))
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
            raise SignalsError(
                f"column {name!r} mixes kinds of values; write each as a word or leave it empty"
            ) from error

    labels = list(frame.columns)
    columns = dict(_results(_read(labels, column, lambda name: frame[name]), rulebook))
    kept = frame.rename(columns={name: _unlike(name, columns, labels) for name in labels if name in columns})
    added = {
        name: numbers if mask is None else pyarrow.array(numbers, mask=mask).to_numpy(zero_copy_only=False)
        for name, (numbers, mask) in columns.items()
    }
    return pandas.concat([kept, pandas.DataFrame(added, index=frame.index)], axis=1)


def _is_pandas(table: object) -> bool:
    return type(table).__name__ == "DataFrame" and type(table).__module__.partition(".")[0] == "pandas"


def _unlike(name: Any, results: Mapping[str, Any], taken: Sequence[Any]) -> Any:
    """The name under which a column of the caller is kept, so that none of ours takes its place."""
    while name in results:
        name = f"input_{name}"
        while name in taken:
            name = f"input_{name}"
    return name


@dataclass(frozen=True, slots=True)
class _Signals:
    """The signals of a table. `unread`: rows without a document. `own_scope`: the table has a column `in_scope`."""

    coded: Coded
    unread: NDArray[np.bool_]
    own_scope: bool


def _read(labels: Sequence[Any], column: Callable[[str], Any], cells: Callable[[str], Any] | None = None) -> _Signals:
    """The signals in the columns of that name: of documents, or else one a signal. Raises SignalsError."""
    import pyarrow

    names = [label for label in labels if isinstance(label, str)]
    nested = [name for name in DOCUMENT_COLUMNS if name in names][:1]
    flat = [name for name in names if name in INPUTS or name == "in_scope"]
    for name, times in Counter(nested or flat).items():
        if times > 1 or names.count(name) > 1:
            raise SignalsError(f"column {name!r} appears twice; rename one")
    if nested:
        found = list(signals_of_cells(cells(nested[0]) if cells else column(nested[0]).to_pylist(), nested[0]))
        coded = coded_signals(signals_table(each or Signals(in_scope=False) for each in found))
        return _Signals(coded, np.array([each is None for each in found], np.bool_), own_scope=False)
    _check_names(names)
    coded = coded_signals(pyarrow.table({name: column(name) for name in flat}))
    return _Signals(coded, np.zeros(len(coded), np.bool_), "in_scope" in flat)


def _check_names(names: Sequence[str]) -> None:
    """Refuses a table without signals, and one where a signal that it lacks has nearly the name of a column."""
    for name in names:
        (near,) = get_close_matches(name.strip().lower().replace(" ", "_"), (*INPUTS, "in_scope"), 1, 0.85) or [""]
        if near and near not in names and name not in INPUTS:
            raise SignalsError(f"column {name!r} is not a signal; did you mean {near!r}? If not, rename it")
    if not set(names) & set(INPUTS):
        found = ", ".join(names[:8]) or "no columns"
        raise SignalsError(
            f"no column holds signals: give one a signal ({', '.join(list(INPUTS)[:3])}, …), or one named "
            f"'signals' or 'assessment' with documents; found {found}"
        )


def _results(read: _Signals, rulebook: Rulebook) -> Iterator[tuple[str, tuple[NDArray[Any], NDArray[np.bool_] | None]]]:
    """Name, values and mask (true = null) of every column that is added."""
    if not read.own_scope:
        yield "in_scope", (read.coded.in_scope, read.unread if read.unread.any() else None)
    mask = None if read.coded.in_scope.all() else ~read.coded.in_scope
    for name, numbers in scored_columns(read.coded, rulebook):
        yield name, (numbers, mask)


def coded_signals(table: pyarrow.Table) -> Coded:
    """A signals table as numbers. Raises SignalsError."""
    rows = table.num_rows
    codes: dict[str, _Codes] = {}
    positions: dict[str, _Floats] = {}
    for name in INPUTS:
        if name in LEANS:
            positions[name] = _position_column(table, name)
            codes[name] = _lean_codes(positions[name])
        elif name in table.column_names:
            codes[name] = _code_column(table, name)
        else:
            codes[name] = np.full(rows, len(INPUTS[name]), np.int8)
    in_scope = np.ones(rows, np.bool_)
    if "in_scope" in table.column_names:
        in_scope = _scope_column(table)
    return Coded(codes, positions, in_scope)


def scored_columns(coded: Coded, rulebook: Rulebook) -> Iterator[tuple[str, _Floats]]:
    """Name and numbers of every result column, rounded as they are printed."""
    rules = LookUps(rulebook)
    scores = {name: tuple(np.empty(len(coded)) for _ in _ENDS) for name in SCORES}
    for rows, alike in _alike(coded, rules.tried):
        batch = _Batch(alike, rules)
        for name in SCORES:
            for into, numbers in zip(scores[name], batch.score(name), strict=True):
                into[rows] = numbers
    for name in SCORES:
        for suffix, numbers in zip(_ENDS, scores[name], strict=True):
            yield f"{name}{suffix}", rounded(numbers)
    for consideration in rulebook.considerations:
        tables = rules.tables[consideration.id]
        places = tables.places(coded)
        for suffix, points in zip(_ENDS, (tables.mean, tables.low, tables.high), strict=True):
            yield f"points_{consideration.id}{suffix}", rounded(points)[places]


def overall(coded: Coded, rulebook: Rulebook) -> _Floats:
    """The expected overall score (0 to 100) of every pitch, in scope or not."""
    rules = LookUps(rulebook)
    numbers = np.empty(len(coded))
    for rows, alike in _alike(coded, rules.tried):
        numbers[rows] = _Batch(alike, rules).score("overall")[0]
    return rounded(numbers)


# ---------------------------------------------------------------- look-up tables


@dataclass(frozen=True, slots=True)
class _Tables:
    """A consideration's points, flat; each axis has a place more for unknown: the mean, least or greatest over it."""

    strides: Mapping[str, int]
    mean: _Floats
    low: _Floats
    high: _Floats

    def places(self, coded: Coded) -> NDArray[np.int32]:
        """Where in the tables each pitch's points stand."""
        place = np.zeros(len(coded), np.int32)
        for name, stride in self.strides.items():
            place += coded.codes[name] * np.int32(stride)
        return place

    def moved(self, name: str, index: int) -> int:
        """How far from "unknown" the place of an input's value lies."""
        return (index - len(INPUTS[name])) * self.strides.get(name, 0)


def _tables_of(consideration: Consideration) -> _Tables:
    mean = low = high = consideration.table
    for axis in range(len(consideration.inputs)):
        mean = np.concatenate([mean, mean.mean(axis=axis, keepdims=True)], axis)
        low = np.concatenate([low, low.min(axis=axis, keepdims=True)], axis)
        high = np.concatenate([high, high.max(axis=axis, keepdims=True)], axis)
    sizes = [len(INPUTS[name]) + 1 for name in consideration.inputs]
    strides = {name: int(np.prod(sizes[number + 1 :])) for number, name in enumerate(consideration.inputs)}
    return _Tables(strides, mean.ravel(), low.ravel(), high.ravel())


class LookUps:
    """A rulebook as look-up tables, and what has to be tried value by value.

    Considerations that share an unknown may reach their extremes at the same value of it; one that no other looks at
    reaches them at its own. What is left, `tried`, are inputs on whose worst or best value two considerations disagree.
    """

    def __init__(self, rulebook: Rulebook):
        self.considerations = rulebook.considerations
        self.tables = {c.id: _tables_of(c) for c in rulebook.considerations}
        self.weights = weights_in_sides(rulebook)
        self.tried = tuple(name for name in INPUTS if name not in LEANS and not _agreed(name, rulebook.considerations))


def _agreed(name: str, considerations: Sequence[Consideration]) -> bool:
    """Whether one value of an input gives the fewest points in every table that looks at it, and one the most."""
    tables = [np.moveaxis(c.table, c.inputs.index(name), 0) for c in considerations if name in c.inputs]
    return len(tables) < 2 or all(
        any(all((end(table, axis=0) == table[value]).all() for table in tables) for value in range(len(INPUTS[name])))
        for end in (np.min, np.max)
    )


def _alike(coded: Coded, tried: Sequence[str]) -> Iterator[tuple[NDArray[np.intp], Coded]]:
    """The pitches in groups that leave the same of positions and tried inputs open, with their rows."""
    key = np.zeros(len(coded), np.int16)
    for bit, name in enumerate((*LEANS, *tried)):
        key |= (coded.codes[name] == len(INPUTS[name])).astype(np.int16) << bit
    for value in np.unique(key):
        rows = np.flatnonzero(key == value)
        yield rows, coded.take(rows)


class _Batch:
    """Pitches that leave the same positions and tried inputs open."""

    def __init__(self, coded: Coded, rules: LookUps):
        self._coded = coded
        self._rules = rules
        self._open = {
            name for name in (*LEANS, *rules.tried) if len(coded) and coded.codes[name][0] == len(INPUTS[name])
        }
        self._places = {c.id: rules.tables[c.id].places(coded) for c in rules.considerations}
        self._found: dict[tuple[Any, ...], _Floats] = {}

    def score(self, name: str) -> tuple[_Floats, _Floats, _Floats]:
        """Expectation, least and greatest of one score."""
        parts = FACTORS[name]
        used = [c for c in self._rules.considerations if c.side in parts]
        positions = [
            position
            for position in LEANS
            if position in self._open
            and any(position in c.inputs or (WEIGHTED_BY[c.side].position == position and parts[c.side]) for c in used)
        ]
        tried = [other for other in self._rules.tried if other in self._open]
        tried = [other for other in tried if sum(other in c.inputs for c in used) > 1]
        return (
            self._over(parts, used, positions, [], "mean"),
            self._over(parts, used, positions, tried, "low"),
            self._over(parts, used, positions, tried, "high"),
        )

    def _over(
        self,
        parts: Mapping[Side, float | None],
        used: Sequence[Consideration],
        positions: Sequence[str],
        tried: Sequence[str],
        end: str,
    ) -> _Floats:
        """Over the worlds of the open positions and the values of what has to be tried: their mean or extreme."""
        join = {"mean": np.add, "low": np.minimum, "high": np.maximum}[end]
        choices = [range(len(WORLDS)) for _ in positions] + [range(len(INPUTS[name])) for name in tried]
        names = (*positions, *tried)
        worlds = list(product(*choices))
        result = self._sum(parts, used, dict(zip(names, worlds[0], strict=True)), end)
        for world in worlds[1:]:
            result = join(result, self._sum(parts, used, dict(zip(names, world, strict=True)), end))
        return result / len(worlds) if end == "mean" and len(worlds) > 1 else result

    def _sum(
        self,
        parts: Mapping[Side, float | None],
        used: Sequence[Consideration],
        world: Mapping[str, int],
        end: str,
    ) -> _Floats:
        total: _Floats | float = 0.0
        for side, part in parts.items():
            members = [c for c in used if c.side == side]
            fixed = {name: value for name, value in world.items() if any(name in c.inputs for c in members)}
            points = self._side(side, members, fixed, end)
            total = total + (points if part is None else points * self._share(side, world, part))
        return np.asarray(total)

    def _side(self, side: Side, members: Sequence[Consideration], fixed: Mapping[str, int], end: str) -> _Floats:
        """A side's points with some open inputs fixed; kept, because many worlds ask for the same."""
        key = (side, end, *sorted(fixed.items()))
        if key not in self._found:
            total = np.zeros(len(self._coded))
            for consideration in members:
                tables = self._rules.tables[consideration.id]
                moved = sum(tables.moved(name, value) for name, value in fixed.items())
                points = getattr(tables, end) * self._rules.weights[consideration.id]
                total += points[self._places[consideration.id] + np.int32(moved)]
            self._found[key] = total
        return self._found[key]

    def _share(self, side: Side, at: Mapping[str, int], part: float) -> _Floats | float:
        """The side's part of its case, times `part`; where the position is open, in the given world."""
        weighted = WEIGHTED_BY[side]
        if weighted.position in at:
            return weighted.share(float(WORLDS[at[weighted.position]])) * part
        key = ("share", side, part)
        if key not in self._found:
            self._found[key] = weighted.share(self._coded.positions[weighted.position]) * part
        return self._found[key]


# ---------------------------------------------------------------- columns


def _code_column(table: pyarrow.Table, name: str) -> _Codes:
    import pyarrow

    values = INPUTS[name]
    column = table.column(name).combine_chunks()
    if not pyarrow.types.is_dictionary(column.type):
        column = column.cast(pyarrow.string()).dictionary_encode()
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    words = [str(word) if word is not None else "" for word in column.dictionary.to_pylist()]
    strange = [word for word in words if word not in (*values, "", "unknown")]
    codes = np.array([values.index(word) if word in values else len(values) for word in words] + [len(values)], np.int8)
    indices = column.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    if strange:
        row = int(np.flatnonzero(indices == words.index(strange[0]))[0]) + 1
        raise SignalsError(f"row {row}: {name} has no value {strange[0]!r}; it has {', '.join(values)} or unknown")
    result: _Codes = codes[indices]
    return result


def _scope_column(table: pyarrow.Table) -> NDArray[np.bool_]:
    import pyarrow

    column = table.column("in_scope")
    try:
        column = column.cast(pyarrow.bool_())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise SignalsError("in_scope is true or false; this column holds something else") from error
    scope: NDArray[np.bool_] = column.fill_null(True).to_numpy().astype(np.bool_)
    return scope


def _position_column(table: pyarrow.Table, name: str) -> _Floats:
    import pyarrow
    import pyarrow.compute

    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table.column(name)
    kinds = pyarrow.types
    try:
        if kinds.is_string(column.type) or kinds.is_large_string(column.type) or kinds.is_dictionary(column.type):
            words = column.cast(pyarrow.string())
            silent = pyarrow.compute.is_in(words, pyarrow.array(["", "unknown"]))
            column = pyarrow.compute.if_else(silent, pyarrow.scalar(None, pyarrow.string()), words)
        column = column.cast(pyarrow.float64())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        low, _, high = LEANS[name]
        raise SignalsError(
            f"{name} is a position from 0 ({low}) to 1 ({high}); this column holds something else"
        ) from error
    at: _Floats = column.to_numpy(zero_copy_only=False).astype(np.float64)
    outside = (at < 0) | (at > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise SignalsError(f"row {row + 1}: {name} is {at[row]:g}; a position is from 0 to 1")
    return at


def _lean_codes(at: _Floats) -> _Codes:
    """As `inputs.lean`, for positions that went through a float: a third is mixed."""
    codes = np.where(at < 1 / 3 - 1e-9, 0, np.where(at > 2 / 3 + 1e-9, 2, 1))
    return np.where(np.isnan(at), len(WORLDS), codes).astype(np.int8)
