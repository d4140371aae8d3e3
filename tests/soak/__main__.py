"""Run bulk runs through everything that goes wrong, and print one table of what came of it.

    make soak                                          # about half an hour; writes docs/reliability.md
    python -m tests.soak --quick                       # two or three minutes on a quiet machine; writes nothing
    python -m tests.soak --only kill --only disk       # some scenarios

Needs Linux or macOS. Every pitch has to get exactly one row, and no answer may be paid twice but those in flight, by
the count of the server, which is a process of its own. Exit: 0 all passed, 1 some failed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.soak.bench import PITCH_COMMAND, Bench
from tests.soak.report import machine, table, table_line, write_page
from tests.soak.scenarios import FULL, QUICK, SCENARIOS, Scale
from tests.soak.verdict import Row


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small scale; writes nothing into docs/")
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1, help="the same seed does the same (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep all files of the runs in a new folder")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        rows = _all_rows(options)
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps({"seed": options.seed, "machine": machine(), "results": [row.document() for row in rows]}))
    else:
        print(table(rows))
    if not options.quick:
        write_page(rows, options.seed)
    return 1 if any(row.verdict == "FAIL" for row in rows) else 0


def _all_rows(options: Any) -> list[Row]:
    scale = QUICK if options.quick else FULL
    rows = []
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = options.keep or Path(temporary)
        for name in options.only or SCENARIOS:
            for row in trial(name, scale, folder / name, options.seed):
                rows.append(row)
                print(table_line(row), file=sys.stderr, flush=True)
    return rows


def trial(name: str, scale: Scale, folder: Path, seed: int, command: Sequence[str] = PITCH_COMMAND) -> Iterator[Row]:
    """The rows of one scenario. What goes wrong with the test itself is a fault too: no scenario ends the others."""
    began = time.monotonic()
    with Bench(folder, seed, command) as bench:
        try:
            yield from SCENARIOS[name](bench, scale)
        except Exception as error:  # noqa: BLE001
            fault = f"the test itself failed ({type(error).__name__}: {error})"
            yield Row(name, "", seconds=time.monotonic() - began, faults=[fault])


if __name__ == "__main__":
    sys.exit(main())
