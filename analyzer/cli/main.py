"""The group `pitch` and its entry point."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any, NoReturn

import click

from analyzer.cli.analyze import analyze_command
from analyzer.cli.bulk import bulk_command
from analyzer.cli.command import report_os_error
from analyzer.cli.compare import compare_command
from analyzer.cli.doctor import doctor_command
from analyzer.cli.framework import framework_command, market_command
from analyzer.cli.open_page import app_command
from analyzer.cli.record import record_command
from analyzer.cli.score import rank_command, score_command
from analyzer.errors import InputError
from analyzer.screen import StandardOutputError, note, say

_COMMANDS = (
    analyze_command,
    bulk_command,
    score_command,
    rank_command,
    compare_command,
    record_command,
    market_command,
    framework_command,
    doctor_command,
    app_command,
)
"""In the order in which people meet them; the help keeps it."""


class _Group(click.Group):
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


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("pitch-analyzer"), prog_name="pitch")
def cli() -> None:
    """Read pitches for ML tools, quote what they say, and judge them by a rulebook you can read.

    Name the model as provider/name (openai/gpt-6-luna, ollama/qwen3.5:9b, …) with --model or PITCH_MODEL. Two readers
    need no network: "recorded" replays recorded answers, and "keywords" looks for typical phrases (rough).

    For Tab to complete commands, options, models and files: eval "$(_PITCH_COMPLETE=bash_source pitch)" in bash; in zsh
    with zsh_source, in fish with fish_source.
    """


for _command in _COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command line; the entry point of `pitch`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    cli()
