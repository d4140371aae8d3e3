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
from pathlib import Path
from typing import Any

import click

from analyzer.errors import AnalyzerError, InputError, safe_traceback
from analyzer.files.disk import reason
from analyzer.screen import StandardOutputError, note
from analyzer.settings import Settings


class _Command(click.Command):
    """A command whose optional values are models: `--verify FILE` is the option and a file, `--verify openai/x` the
    option with its value. click alone takes whatever follows for the value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        optional = {
            name: option.flag_value
            for option in self.params
            if isinstance(option, click.Option) and isinstance(option.flag_value, str) and not option.is_flag
            for name in option.opts
        }
        ending = args.index("--") if "--" in args else len(args)
        for place, word in enumerate(args[:ending]):
            following = args[place + 1] if place + 1 < ending else ""
            if word in optional and not names_model(following):
                args[place] = f"{word}={optional[word]}"
        return super().parse_args(ctx, args)


def names_model(text: str) -> bool:
    """Whether a word of the command line is a model, and not a file, folder or pattern."""
    provider, slash, name = text.partition("/")
    if not slash or not provider or not name or Path(text).exists():
        return False
    from analyzer.reading.profiles import providers

    return provider in providers(Settings()) or not (Path(name).suffix or set("*?[.~") & set(text))


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
        return click.command(name, cls=_Command)(debug_option(run))

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
