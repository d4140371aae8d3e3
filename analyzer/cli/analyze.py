"""`pitch analyze`: one pitch."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from analyzer.cli.command import command
from analyzer.cli.completion import files
from analyzer.cli.inputs import load_market, load_pitch, load_rulebook
from analyzer.cli.options import (
    form_option,
    json_option,
    market_option,
    mode_option,
    model_option,
    output_option,
    readings_option,
    rulebook_option,
    settings_with,
    verify_option,
)
from analyzer.cli.show import show_assessment
from analyzer.screen import note, screen


@command("analyze")
@click.argument("source", metavar="[FILE or -]", default="-", shell_complete=files)
@model_option
@readings_option
@mode_option
@form_option
@verify_option
@rulebook_option
@market_option
@json_option("assessment")
@output_option("--report", "OUT", "Also write a report. OUT ends in .html or .md.")
@click.option("--notes", is_flag=True, help="Include speaker notes, comments and earlier messages in the pitch.")
@click.option("--no-store", is_flag=True, help="Ask the model even if its answer is stored, and store nothing.")
def analyze_command(
    source: str,
    model: tuple[str, ...],
    readings: int | None,
    mode: str | None,
    form: str | None,
    verify: str | None,
    rulebook: Path | None,
    market: Path | None,
    as_json: bool,
    report: Path | None,
    notes: bool,
    no_store: bool,
) -> None:
    """Assess one pitch: a text, PDF, PPTX, DOCX, HTML or e-mail file, or standard input.

    What is not read of a file is named. Pages that are pictures are read if the extra "ocr" is installed.

    The model's answer is stored (PITCH_STORE), so you pay for it once: analyzing the same pitch again uses it.

    With --readings, or several models, the assessment shows where readings agree, and its range covers where they do
    not.
    """
    from analyzer.reading.readers import choose
    from analyzer.runs.one import assess

    if report is not None:
        from analyzer.views.report_file import check_report_path

        check_report_path(report, [Path(source)])
    rules, map_, pitch = load_rulebook(rulebook), load_market(market), load_pitch(source, notes)
    settings = settings_with(mode, form, readings, verify)
    choice = choose(pitch, model, settings, None if no_store else settings.store_url(), market=map_)
    if choice.note:
        note(choice.note)
    try:
        with _waiting(choice.asks, pitch.text):
            assessment = assess(pitch, choice.reader, rules, map_)
    finally:
        for notice in choice.notices:
            note(notice)
    if choice.from_store:
        note("Used the stored answer; the model was not asked. To ask it again: --no-store")
    if report is not None:
        from analyzer.views.report_file import write_report

        write_report(report, assessment, pitch.text)
        note(f"Report: {report}")
    show_assessment(assessment, as_json)


def _waiting(model: str | None, text: str) -> AbstractContextManager[object]:
    """A line on the terminal that counts the seconds while a model is asked."""
    if model is None or not sys.stderr.isatty():
        return nullcontext()
    from analyzer.views.waiting import waiting

    return waiting(screen(err=True), f"{model} is reading the pitch ({len(text.split()):,} words)")
