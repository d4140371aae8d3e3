"""The group `pitch` and its entry point. A command is loaded when it is called, so that each starts fast."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final, NoReturn, cast

import click

from analyzer.cli.command import report_os_error
from analyzer.errors import InputError
from analyzer.screen import StandardOutputError, note, say
from analyzer.version import __version__

_HOMES: Final[Mapping[str, str]] = {
    "analyze": "analyze",
    "bulk": "bulk",
    "score": "score",
    "rank": "score",
    "compare": "compare",
    "record": "record",
    "market": "framework",
    "framework": "framework",
    "doctor": "doctor",
    "app": "open_page",
}
"""The module of each command, in the order in which people meet them; the help keeps it."""
_OBJECTS_BETWEEN_COLLECTIONS: Final = 300_000
"""More than a command for one pitch makes. Python's own 700 makes it look for garbage a hundred times while modules and
rules are loaded."""


class _Commands(Mapping[str, click.Command]):
    """The commands by name, each loaded when it is first asked for."""

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"analyzer.cli.{_HOMES[name]}")
        return cast(click.Command, getattr(module, f"{name}_command"))

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


class _CommandGroup(click.Group):
    """Lists the commands in their order, and reports a wrong call in two lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        try:
            code = self._exit_code(*args, **kwargs)
        except OSError as error:  # help and version, where standard output cannot be written
            code = report_os_error(error if isinstance(error, StandardOutputError) else StandardOutputError(error))
        sys.exit(code)

    def _exit_code(self, *args: Any, **kwargs: Any) -> int:
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            say(error.format_message())
            return InputError.exit_code
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            note(f"pitch: {error.format_message()}")
            note(f"See: {context.command_path if context else 'pitch'} --help")
            return InputError.exit_code
        except click.Abort:
            note("pitch: interrupted")
            return 130
        return code if isinstance(code, int) else 0


@click.group(
    cls=_CommandGroup,
    commands=cast(Any, _Commands()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="pitch")
def cli() -> None:
    """Read pitches for ML tools, quote what they say, and judge them by a rulebook you can read.

    Name the model as provider/name (openai/gpt-6-luna, ollama/qwen3.5:9b, …) with --model or PITCH_MODEL. Two readers
    need no network: "recorded" replays recorded answers, and "keywords" looks for typical phrases (rough).

    For Tab to complete commands, options, models and files: eval "$(_PITCH_COMPLETE=bash_source pitch)" in bash; in zsh
    with zsh_source, in fish with fish_source.
    """


def main() -> None:
    """Run the command line; the entry point of `pitch`."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # nobody needs what is garbage at the end; looking for it takes a tenth of a second
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looked for in every installed package; none is used
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    cli()
