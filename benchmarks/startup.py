"""What a command takes from start to end, next to Python's own start, in one run.

    python benchmarks/startup.py [ROUNDS]

Prints seconds of CPU (user and system, the middle of some rounds) and how many starts of Python that is. Compiled
modules are in place, as after a first run, even where the environment forbids to write them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_FIXTURES: Final = Path(__file__).resolve().parent.parent / "fixtures"
_PITCH: Final = "from analyzer.cli.main import main; main()"
ROUNDS: Final = 7
BULK_ROWS: Final = 200


def commands(folder: Path) -> Mapping[str, Sequence[str]]:
    """What is measured, by how people write it: arguments of Python."""
    pitch, signals, table = (str(folder / name) for name in ("pitch.txt", "signals.json", "pitches.jsonl"))
    return {
        "python": ("-c", "pass"),
        "import numpy, pydantic, rich, click": ("-c", "import numpy, pydantic.main, rich.console, click"),
        "import analyzer": ("-c", "import analyzer"),
        "pitch --help": ("-c", _PITCH, "--help"),
        "pitch score": ("-c", _PITCH, "score", signals),
        "pitch analyze --model keywords": ("-c", _PITCH, "analyze", "--model", "keywords", pitch),
        "pitch doctor": ("-c", _PITCH, "doctor"),
        f"pitch bulk, {BULK_ROWS} pitches, keywords": (
            *("-c", _PITCH, "bulk", table, "--model", "keywords", "-o", str(folder / "results.jsonl")),
        ),
    }


def prepare(folder: Path, environment: Mapping[str, str]) -> None:
    """The inputs of the commands."""
    import json

    text = (_FIXTURES / "pitches" / "cabstand.txt").read_text(encoding="utf-8")
    (folder / "pitch.txt").write_text(text, encoding="utf-8")
    rows = (json.dumps({"id": f"p{number}", "text": f"{text}\nEdition {number}."}) for number in range(BULK_ROWS))
    (folder / "pitches.jsonl").write_text("\n".join(rows), encoding="utf-8")
    analyze = ("-c", _PITCH, "analyze", "--model", "keywords", "--json", str(folder / "pitch.txt"))
    with (folder / "signals.json").open("wb") as file:
        if run(analyze, environment, file.fileno())[1] != 0:
            sys.exit("the sample pitch could not be analyzed")


def run(arguments: Sequence[str], environment: Mapping[str, str], output: int) -> tuple[float, int]:
    """The seconds of CPU of a new Python, and its exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
        child = os.posix_spawn(sys.executable, (sys.executable, *arguments), environment, file_actions=actions)
        _, status, used = os.wait4(child, 0)
    finally:
        os.close(nowhere)
    return used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PITCH_STORE": f"sqlite:///{folder / 's.db'}"}
        prepare(folder, environment)
        measured = commands(folder)
        seconds: dict[str, list[float]] = {name: [] for name in measured}
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in range(rounds + 1):  # the first round compiles
            for name, arguments in measured.items():
                took, _ = run(arguments, environment, nowhere)
                if number:
                    seconds[name].append(took)
        os.close(nowhere)
    python = statistics.median(seconds["python"])
    for name, several in seconds.items():
        middle = statistics.median(several)
        print(f"{name:36} {middle:6.3f} s {middle / python:7.1f} x")


if __name__ == "__main__":
    main()
