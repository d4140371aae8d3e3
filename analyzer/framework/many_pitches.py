"""Tables of pitches: their signals as numbers for the one scorer, and its scores as columns beside them.

A signals table has these columns (Arrow or pandas); null, empty or "unknown" is unknown, a missing column is unknown
throughout, others are kept as they are:

    in_scope                                        true or false; missing = true
    stage, focus                                    position, 0 to 1
    persona_fit, crowding, incumbent, in_house      as `framework.inputs` derives them
    buyer, market_breadth, ...                      the single values

or one column of whole documents, as `pitch bulk` writes them: assessment, or signals (`framework.nested`). Only whole
documents carry what was read in several ways.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import SignalsError
from analyzer.files.frames import TableT, as_arrow, is_lazy, is_pandas, is_table, like, unlike
from analyzer.framework import scorer
from analyzer.framework.arguments import a_kind, as_rulebook
from analyzer.framework.formula import SCORES
from analyzer.framework.inputs import derive
from analyzer.framework.look_ups import Codes, Floats, look_ups
from analyzer.framework.market import MarketMap
from analyzer.framework.nested import DOCUMENT_COLUMNS, signals_of_cells
from analyzer.framework.rounding import SAID_DIGITS, rounded
from analyzer.framework.rulebook import Rulebook
from analyzer.framework.scorer import STATES, Coded, lean_codes, placed_at
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import Signals

if TYPE_CHECKING:
    import pyarrow

_SUFFIXES: Final = ("", "_low", "_high")


def coded_documents(signals: Iterable[Signals], market: MarketMap | None = None) -> Coded:
    """Signals documents as numbers, by what the market map (default: the built-in one) knows of their categories."""
    documents = list(signals)
    return Coded.of([derive(each, market) for each in documents], [each.in_scope for each in documents])


def score_table(table: TableT, rulebook: Rulebook | str | Path | None = None) -> TableT:
    """The table (pandas, Arrow, Polars) with the scores of every row after its columns: same kind, same rows, same
    order, same index.

    Its own columns are kept; one that is called like a score is renamed (`overall` to `input_overall`). Added:
    `in_scope` where the table has none; `overall`, `market`, `sales` and the sides, each also with `_low` and
    `_high`, and `points_<consideration>` likewise; `said`, 0 to 1; `gate_<gate>`: holds, open or clear. They are
    null where out of scope or where a row holds no document, and equal to `score` to the last digit. Raises
    SignalsError naming column, row and value where a value is not in the vocabulary, where no column holds signals,
    or where a column's name is a misspelled signal.
    """
    rules = as_rulebook(rulebook)
    scored: TableT = _scored_frame(table, rules) if is_pandas(table) else _scored_arrow(table, rules)
    return scored


def _scored_arrow(value: Any, rulebook: Rulebook) -> Any:
    import pyarrow

    if is_lazy(value):
        raise SignalsError("the table is a LazyFrame, a query that has not been run; pass its collect()")
    if not is_table(value):
        raise SignalsError(f"score_table takes a table (pandas, Arrow, Polars), not {a_kind(value)}")
    table = as_arrow(value)
    columns = dict(_results(_read(table.column_names, table.column), rulebook))
    names = unlike(table.column_names, list(columns))
    arrays = [_arrow(values, mask) for values, mask in columns.values()]
    kept = [names[name] for name in table.column_names]
    return like(value, pyarrow.Table.from_arrays([*table.columns, *arrays], [*kept, *columns]))


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
    kept = frame.rename(columns=unlike(labels, list(columns)))
    added = {
        name: values if mask is None else pyarrow.array(values, mask=mask).to_numpy(zero_copy_only=False)
        for name, (values, mask) in ((name, (_words(values), mask)) for name, (values, mask) in columns.items())
    }
    return pandas.concat([kept, pandas.DataFrame(added, index=frame.index)], axis=1)


def _arrow(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> Any:
    """A result column, null where the mask is true."""
    import pyarrow

    if values.dtype == np.int8:
        return pyarrow.DictionaryArray.from_arrays(pyarrow.array(values, mask=mask), list(STATES)).cast(
            pyarrow.string()
        )
    return pyarrow.array(values, mask=mask)


def _words(values: NDArray[Any]) -> NDArray[Any]:
    """A result column with the states of a gate as words."""
    return np.array(STATES, object)[values] if values.dtype == np.int8 else values


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
        coded = coded_documents(each or Signals(in_scope=False) for each in found)
        return _Signals(coded, np.array([each is None for each in found], np.bool_), own_scope=False)
    _check_names(names)
    coded = coded_signals(pyarrow.table({name: column(name) for name in flat}))
    return _Signals(coded, np.zeros(len(coded), np.bool_), "in_scope" in flat)


def _check_names(names: Sequence[str]) -> None:
    """Refuses a table without signals, and one where a signal that it lacks has nearly the name of a column."""
    for name in names:
        near = "" if name in INPUTS else _near(name)
        if near and near not in names:
            raise SignalsError(f"column {name!r} is not a signal; did you mean {near!r}? If not, rename it")
    if not set(names) & set(INPUTS):
        found = ", ".join(names[:8]) or "no columns"
        raise SignalsError(
            f"no column holds signals: give one a signal ({', '.join(list(INPUTS)[:3])}, …), or one named "
            f"'signals' or 'assessment' with documents; found {found}"
        )


@lru_cache(maxsize=1024)
def _near(name: str) -> str:
    """The column with signals whose name is nearly this one; empty if none is."""
    return next(iter(get_close_matches(name.strip().lower().replace(" ", "_"), (*INPUTS, "in_scope"), 1, 0.85)), "")


def _results(read: _Signals, rulebook: Rulebook) -> Iterator[tuple[str, tuple[NDArray[Any], NDArray[np.bool_] | None]]]:
    """Name, values and mask (true = null) of every column that is added."""
    if not read.own_scope:
        yield "in_scope", (read.coded.in_scope, read.unread if read.unread.any() else None)
    mask = None if read.coded.in_scope.all() else ~read.coded.in_scope
    for name, values in scored_columns(read.coded, rulebook):
        yield name, (values, mask)


def coded_signals(table: pyarrow.Table) -> Coded:
    """A signals table as numbers. Raises SignalsError."""
    rows = table.num_rows
    codes: dict[str, Codes] = {}
    positions = {}
    for name in INPUTS:
        if name in LEANS:
            at = _position_column(table, name)
            positions[name] = placed_at(at)
            codes[name] = np.where(np.isnan(at), len(LEANS[name]), lean_codes(at)).astype(np.int32)
        elif name in table.column_names:
            codes[name] = _code_column(table, name)
        else:
            codes[name] = np.full(rows, len(INPUTS[name]), np.int32)
    in_scope = np.ones(rows, np.bool_)
    if "in_scope" in table.column_names:
        in_scope = _scope_column(table)
    return Coded(codes, {}, positions, in_scope)


def scored_columns(coded: Coded, rulebook: Rulebook) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name and values of every result column, rounded as they are printed; the state of a gate as its place in
    STATES."""
    rules = look_ups(rulebook)
    found = scorer.scored(coded, rules, shown=True, empty=_from_arrows_pool)
    for name in SCORES:
        for suffix, numbers in zip(_SUFFIXES, found.scores[name], strict=True):
            yield f"{name}{suffix}", numbers
    yield "said", rounded(scorer.said(coded, rules, found.places), SAID_DIGITS)
    for consideration in rulebook.considerations:
        for suffix, numbers in zip(_SUFFIXES, found.points[consideration.id], strict=True):
            yield f"points_{consideration.id}{suffix}", numbers
    for gate in rulebook.gates:
        yield f"gate_{gate.id}", found.gates[gate.id]


def _from_arrows_pool(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    """An array in memory of Arrow's pool, which goes from batch to batch; the system would clear it for each anew, and
    that takes as long as half of the scoring."""
    import pyarrow

    size = math.prod(shape) * np.dtype(kind).itemsize
    return np.frombuffer(pyarrow.allocate_buffer(size), kind).reshape(shape)


def overall(coded: Coded, rulebook: Rulebook) -> Floats:
    """The expected overall score (0 to 100) of every pitch, in scope or not."""
    return rounded(scorer.scored(coded, look_ups(rulebook), ("overall",)).scores["overall"][0])


# ---------------------------------------------------------------- columns


def _code_column(table: pyarrow.Table, name: str) -> Codes:
    import pyarrow

    values = INPUTS[name]
    column = table.column(name).combine_chunks()
    if not pyarrow.types.is_dictionary(column.type):
        column = column.cast(pyarrow.string()).dictionary_encode()
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    words = [str(word) if word is not None else "" for word in column.dictionary.to_pylist()]
    strange = [word for word in words if word not in (*values, "", "unknown")]
    codes = np.array([values.index(word) if word in values else len(values) for word in (*words, "")], np.int32)
    places, silent = _indices(column.indices)
    result: Codes = codes.take(places, mode="clip")
    if silent is not None:
        np.copyto(result, np.int32(len(values)), where=silent)
    for word in strange:
        rows = np.flatnonzero(places == words.index(word))
        rows = rows if silent is None else rows[~silent[rows]]
        if len(rows):
            raise SignalsError(
                f"row {rows[0] + 1}: {name} has no value {word!r}; it has {', '.join(values)} or unknown"
            )
    return result


def _indices(indices: pyarrow.Array) -> tuple[NDArray[np.integer[Any]], NDArray[np.bool_] | None]:
    """The numbers in an array, without a copy, and which are null, if any; what those hold may be anything."""
    if not indices.null_count:
        return indices.to_numpy(zero_copy_only=False), None
    valid, numbers = indices.buffers()
    own = slice(indices.offset, indices.offset + len(indices))
    silent = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[own] == 0
    return np.frombuffer(numbers, indices.type.to_pandas_dtype())[own], silent


def _scope_column(table: pyarrow.Table) -> NDArray[np.bool_]:
    import pyarrow

    column = table.column("in_scope")
    try:
        column = column.cast(pyarrow.bool_())
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
        raise SignalsError("in_scope is true or false; this column holds something else") from error
    scope: NDArray[np.bool_] = column.fill_null(True).to_numpy().astype(np.bool_)
    return scope


def _position_column(table: pyarrow.Table, name: str) -> Floats:
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
    at: Floats = column.to_numpy(zero_copy_only=False).astype(np.float64)
    outside = (at < 0) | (at > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise SignalsError(f"row {row + 1}: {name} is {at[row]:g}; a position is from 0 to 1")
    return at
