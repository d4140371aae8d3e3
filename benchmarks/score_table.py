"""Scoring a million recorded extractions next to reading them from a Parquet file, in one run on one core.

    python benchmarks/score_table.py [ROWS]

Rows are drawn like public pitches: a third of the signals unknown. Prints seconds of CPU (the least of some rounds),
the ratio, and peak memory.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet as parquet

from analyzer.framework.many_pitches import score_table
from analyzer.vocabulary.derived import INPUTS, LEANS

BATCH = 100_000
ROUNDS = 3


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(7)
    columns: dict[str, pyarrow.Array] = {"id": pyarrow.array([f"pitch-{n}" for n in range(rows)])}
    for name, values in INPUTS.items():
        silent = rng.random(rows) < 1 / 3
        if name in LEANS:
            columns[name] = pyarrow.array(rng.choice([0, 1 / 3, 0.5, 2 / 3, 1], rows), mask=silent)
        else:
            picked = pyarrow.array(rng.integers(0, len(values), rows), mask=silent)
            columns[name] = pyarrow.DictionaryArray.from_arrays(picked, pyarrow.array(values)).cast(pyarrow.string())
    parquet.write_table(pyarrow.table(columns), path, row_group_size=BATCH)


def batches(path: Path) -> Iterator[pyarrow.RecordBatch]:
    words = [name for name in INPUTS if name not in LEANS]
    yield from parquet.ParquetFile(path, read_dictionary=words).iter_batches(BATCH)


def cpu(path: Path, scoring: bool) -> float:
    """The seconds of CPU of reading the file, or of reading and scoring it."""
    started = time.process_time()
    for batch in batches(path):
        if scoring:
            score_table(pyarrow.Table.from_batches([batch]))
    return time.process_time() - started


def main() -> None:
    os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signals.parquet"
        write(path, rows)
        score_table(pyarrow.Table.from_batches([next(batches(path)).slice(0, 10)]))
        reading = min(cpu(path, scoring=False) for _ in range(ROUNDS))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        scoring = min(cpu(path, scoring=True) for _ in range(ROUNDS)) - reading
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{rows:,} rows: reading {reading:.2f} s of CPU, scoring with ranges {scoring:.2f} s, "
        f"{scoring / reading:.1f} times as long"
    )
    print(f"{rows / scoring:,.0f} pitches a second, {peak:,.0f} MB at the peak ({before:,.0f} MB before scoring)")


if __name__ == "__main__":
    main()
