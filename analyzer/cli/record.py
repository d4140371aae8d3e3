"""`pitch record`: a model's answers, saved to be replayed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.cli.command import command
from analyzer.cli.completion import files, models
from analyzer.cli.inputs import note_what_was_read
from analyzer.cli.options import FILE, form_option, mode_option, readings_option, settings_with, verify_option
from analyzer.errors import AnalyzerError, InputError
from analyzer.screen import note, say

if TYPE_CHECKING:
    from analyzer.files.pitches import Sources
    from analyzer.reading.readers import RecordingReaders


@command("record")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...", shell_complete=files)
@click.option(
    "--model",
    shell_complete=models,
    metavar="MODEL",
    required=True,
    multiple=True,
    help="provider/name of the model to ask. Repeat it for several.",
)
@readings_option
@mode_option
@form_option
@verify_option
@click.option(
    "--text-column", metavar="NAME", help="Column of a table that holds the pitches. Default: found by its name."
)
@click.option("--again", is_flag=True, help="Ask also for answers that are recorded already, and replace them.")
@click.option("--to", "folder", type=FILE, metavar="FOLDER", help="Save the answers here. Default: PITCH_RECORDINGS.")
def record_command(
    sources: tuple[str, ...],
    model: tuple[str, ...],
    readings: int | None,
    mode: str | None,
    form: str | None,
    verify: str | None,
    text_column: str | None,
    folder: Path | None,
    again: bool,
) -> None:
    """Ask a model about pitches and save its answers.

    INPUT is a file, a folder, or a table with one pitch a row. Replay the answers with --model recorded. An answer is
    saved exactly as received, without keys, headers or paths. What the folder has already is not asked for; after a
    change of the prompt's wording it is. With --readings K, every reading is saved; replay them
    with the same option. With --model recorded --verify MODEL, only second looks at recorded readings are asked for.
    """
    from analyzer.files.pitches import Sources
    from analyzer.reading.readers import recording_readers

    settings = settings_with(mode, form, readings, verify)
    inputs = Sources(sources, text_column=text_column)
    target = folder or settings.own_recordings()
    readers = recording_readers(model, settings, target, again=again)
    try:
        inputs.check()
        failed = _record_each(inputs, readers)
    finally:
        for notice in readers.notices:
            note(notice)
    if readers.skipped:
        count = "1 answer was" if readers.skipped == 1 else f"{readers.skipped:,} answers were"
        note(f"{count} recorded already and not asked for. To ask again: --again")
    say(str(target))
    if failed:
        sys.exit(1)


def _record_each(sources: Sources, readers: RecordingReaders) -> int:
    """Record every pitch; the number that failed. Raises what would make all others fail too."""
    from analyzer.reading.pitch import Pitch
    from analyzer.runs.one import assess

    entries = failed = 0
    for entry in sources:
        entries += 1
        try:
            if entry.error is not None:
                raise entry.error
            if entry.document is not None:
                note_what_was_read(entry.document)
            pitch = Pitch.of(entry.document or entry.text, entry.id, entry.title or None)
            before = readers.written
            missing = [each for each in assess(pitch, readers.reader_for(pitch)).warnings if each.kind == "readings"]
            outcome = "recorded" if readers.written > before else "recorded already"
            note(f"{entry.source}: {missing[0].message if missing else outcome}")
            failed += bool(missing)
        except AnalyzerError as error:
            if error.exit_code == 3:
                raise
            failed += 1
            note(f"pitch: {entry.source}: {error}")
    for skipped in sources.notes():
        note(f"Note: {skipped}")
    if not entries:
        raise InputError(f"{', '.join(sources.names)}: no pitches found")
    return failed
