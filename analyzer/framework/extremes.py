"""The least and the greatest sum of small tables over everything that is unknown: exact, without walking the worlds.

A score is a sum of terms, each a table over a few inputs. Inputs are eliminated one after the other, each from the
terms that share it (bucket elimination), so the work grows with the tables and not with the number of worlds. A
second pass back through the buckets gives, for every input at once, the extreme for each of its values: also for
a known input, as if it alone were otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Bucket:
    """One input's turn: the terms and earlier buckets it takes in, and the bucket that takes in what is left."""

    axis: int
    terms: tuple[int, ...]
    children: tuple[int, ...]
    parent: int | None
    rest: tuple[int, ...]


class Extremes:
    """The least sum of `terms` (`sign=-1`: the greatest). Each term has one axis an input; length 1 = not its input.

    `allowed` holds, for each axis, the indices still possible. Values of an axis beyond them can be asked for in
    `by_value`, and count for nothing else.
    """

    def __init__(self, terms: Sequence[Table], allowed: Sequence[NDArray[np.intp]], sign: float = 1.0):
        self._terms = [term * sign for term in terms]
        self._allowed = allowed
        self._sign = sign
        self._plan = _plan(tuple(term.shape for term in terms))
        self._tables: list[Table] = []
        self._sent: list[Table] = []
        for bucket in self._plan:
            table: Table | float = 0.0
            for number in bucket.terms:
                table = table + self._terms[number]
            for child in bucket.children:
                table = table + self._sent[child]
            self._tables.append(np.asarray(table))
            self._sent.append(self._without(self._tables[-1], (bucket.axis,)))

    def total(self) -> float:
        """The extreme over everything possible."""
        ends = [self._sent[n] for n, bucket in enumerate(self._plan) if bucket.parent is None]
        return self._sign * float(sum(end.item() for end in ends))

    def by_value(self) -> dict[int, Table]:
        """For each axis, the extreme for each of its values, all else as it is."""
        received: list[Table | float] = [0.0] * len(self._plan)
        roots = [n for n, bucket in enumerate(self._plan) if bucket.parent is None]
        whole = sum(self._sent[n].item() for n in roots)
        found: dict[int, Table] = {}
        for n in range(len(self._plan) - 1, -1, -1):
            bucket = self._plan[n]
            if bucket.parent is None:
                received[n] = whole - self._sent[n].item()
            else:
                above = self._plan[bucket.parent]
                kept = {bucket.axis, *bucket.rest}
                others = self._tables[bucket.parent] + received[bucket.parent] - self._sent[n]
                received[n] = self._without(others, tuple(a for a in (above.axis, *above.rest) if a not in kept))
            table = self._tables[n] + received[n]
            found[bucket.axis] = self._sign * self._without(table, bucket.rest).ravel()
        return found

    def _without(self, table: Table, axes: tuple[int, ...]) -> Table:
        for axis in axes:
            if len(self._allowed[axis]) < table.shape[axis] > 1:
                table = table.take(self._allowed[axis], axis)
        return table.min(axis=axes, keepdims=True) if axes else table


@lru_cache(maxsize=256)
def _plan(shapes: tuple[tuple[int, ...], ...]) -> tuple[_Bucket, ...]:
    """The buckets in order, the axis with the smallest joined table first."""
    sizes = np.max(np.array(shapes), axis=0)
    scopes: list[tuple[frozenset[int], tuple[str, int]]] = [
        (frozenset(axis for axis, size in enumerate(shape) if size > 1), ("term", number))
        for number, shape in enumerate(shapes)
    ]
    open_axes = {axis for scope, _ in scopes for axis in scope}
    drafts: list[tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = []
    while open_axes:
        joined = {a: frozenset().union(*(scope for scope, _ in scopes if a in scope)) for a in open_axes}
        axis = min(sorted(open_axes), key=lambda a: int(np.prod(sizes[list(joined[a])])))
        taken = [source for scope, source in scopes if axis in scope]
        scopes = [(scope, source) for scope, source in scopes if axis not in scope]
        rest = joined[axis] - {axis}
        terms = tuple(number for kind, number in taken if kind == "term")
        drafts.append((axis, terms, tuple(n for kind, n in taken if kind == "bucket"), tuple(sorted(rest))))
        if rest:
            scopes.append((rest, ("bucket", len(drafts) - 1)))
        open_axes.remove(axis)
    parents = {child: number for number, (_, _, children, _) in enumerate(drafts) for child in children}
    return tuple(
        _Bucket(a, terms, children, parents.get(n), rest) for n, (a, terms, children, rest) in enumerate(drafts)
    )
