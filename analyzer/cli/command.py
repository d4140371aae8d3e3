"""What every command has: `--debug`, and errors shown in one or two lines with an exit code.

Exit codes: 1 a pitch failed, 2 the call or an input file is wrong, 3 not configured or the model cannot be reached,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

import click

from analyzer.errors import AnalyzerError, InputError, safe_traceback
from analyzer.files.disk import reason
from analyzer.screen import StandardOutputError, note


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command of this name, with `--debug`, whose errors become a message and an exit code."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(*args: Any, debug: bool, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # a bug is reported, too
                if debug and not isinstance(error, KeyboardInterrupt):
                    note(safe_traceback(error))
                sys.exit(_report(error, debug))

        debug_option = click.option(
            "--debug", is_flag=True, help="Show where an error was raised. Never shows the pitch or a key."
        )
        return click.command(name)(debug_option(run))

    return decorate


def report_os_error(error: OSError) -> int:
    """Say what cannot be read or written, or nothing if the reader of standard output left. Return the exit code."""
    if not isinstance(error, StandardOutputError):
        note(f"pitch: {error.filename or 'a file or connection'} cannot be used: {reason(error)}")
        return InputError.exit_code
    if not error.gone:
        note(f"pitch: standard output cannot be written: {reason(error)}")
    with suppress(OSError, ValueError):  # the buffer is lost; keeps the interpreter from complaining about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _report(error: BaseException, debug: bool) -> int:
    """Say what went wrong in one line. Return the exit code."""
    if isinstance(error, AnalyzerError):
        note(f"pitch: {error}")
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        note(" ".join(["pitch: interrupted.", *getattr(error, "__notes__", ())]))
        return 130
    if isinstance(error, OSError):
        return report_os_error(error)
    # A bug. Its message is not shown, because it may quote the pitch.
    advice = "; please report it with these lines" if debug else "; run again with --debug and report it"
    note(f"pitch: a bug in this program ({type(error).__name__}){advice}")
    return 1
