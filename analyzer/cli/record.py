"""`pitch record`: a model's answers, saved to be replayed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.command import command
from analyzer.cli.inputs import load_pitch
from analyzer.cli.options import FILE, form_option, mode_option, settings_with, verify_option
from analyzer.errors import AnalyzerError
from analyzer.screen import note, say

if TYPE_CHECKING:
    from analyzer.files.pitches import Sources


@command("record")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...")
@click.option("--model", metavar="MODEL", required=True, help="provider/name of the model to ask.")
@mode_option
@form_option
@verify_option
@click.option("--to", "folder", type=FILE, metavar="FOLDER", help="Save the answers here. Default: PITCH_RECORDINGS.")
def record_command(
    sources: tuple[str, ...],
    model: str,
    mode: str | None,
    form: str | None,
    verify: str | None,
    folder: Path | None,
) -> None:
    """Ask a model about pitches and save its answers.

    INPUT is a file or a folder. Replay the answers with --model recorded. An answer is saved exactly as
    received, without keys, headers or paths.
    """
    from analyzer.files.pitches import Sources
    from analyzer.reading.readers import recording_reader

    settings = settings_with(mode, form, verify)
    target = folder or settings.own_recordings()
    reader = recording_reader(model, settings, target)
    try:
        failed = _record_each(Sources(sources), reader)
    finally:
        for notice in getattr(reader, "notices", ()):
            note(notice)
    say(str(target))
    if failed:
        sys.exit(1)


def _record_each(sources: Sources, reader: Any) -> int:
    """Record every document; the number that failed. Raises what would make all others fail too."""
    from analyzer.runs.one import assess

    failed = 0
    for path in sources.documents():
        try:
            assess(load_pitch(str(path)), reader)
            note(f"{path}: recorded")
        except AnalyzerError as error:
            if error.exit_code == 3:
                raise
            failed += 1
            note(f"pitch: {path}: {error}")
    for skipped in sources.notes():
        note(f"Note: {skipped}")
    return failed
