"""A process that computes pieces of work for another one: see `runs.side_processes`.

Started as `python -m analyzer.runs.side_process`. It ends with the process that started it: when standard input closes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from traceback import format_tb
from typing import Any, Final

from analyzer.errors import AnalyzerError
from analyzer.results.result import as_analyzer_error
from analyzer.runs.garbage import collecting_less
from analyzer.runs.pipes import read_message, write_message

_NICE: Final = 10
"""By how much it lowers its priority: whoever waits for a page goes first."""


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """What came of a piece: a value, or the error. `where`: the lines of code, if it was a fault of this program."""

    value: Any = None
    error: AnalyzerError | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class SideWork:
    """A piece of work: a function of a module, and its argument."""

    do: Callable[[Any], Any]
    piece: Any

    def answer(self) -> SideAnswer:
        """Compute it."""
        try:
            return SideAnswer(self.do(self.piece))
        except AnalyzerError as error:
            return SideAnswer(error=error)
        except Exception as error:  # noqa: BLE001  # a fault of this program; its message may quote a pitch
            where = "".join(format_tb(error.__traceback__))
            return SideAnswer(error=as_analyzer_error(error, "while computing in the background"), where=where)


def main() -> None:
    """Compute what comes in until nothing can come any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    if hasattr(os, "nice"):
        os.nice(_NICE)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    with collecting_less():
        while (work := read_message(incoming)) is not None:
            try:
                write_message(outgoing, work.answer())
            except (OSError, ValueError):  # nobody is listening
                break
    os._exit(0)


if __name__ == "__main__":
    # pickled classes are those of the module, not of `__main__`
    from analyzer.runs.side_process import main as main_of_module

    main_of_module()
