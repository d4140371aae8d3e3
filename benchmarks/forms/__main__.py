"""Read the same texts in every form of asking, from recorded answers, and show how each agrees with the settled scores.

python -m benchmarks.forms CLONES --recordings QUOTES IDS --model openai/some-model

Record the texts first, in each form: PITCH_FORM=quotes pitch record FOLDER --model ... --to QUOTES. Texts that are not
recorded in every form are left out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from analyzer.errors import MissingRecording
from analyzer.reading.conversation import ModelReader
from analyzer.reading.forms import FORMS
from analyzer.reading.pitch import Pitch
from analyzer.reading.recordings import Recordings
from analyzer.resources import resource
from analyzer.runs.one import assess
from analyzer.settings import Settings
from benchmarks.forms.figures import HERE, FormReading, settled, table, write
from benchmarks.real_texts.figures import reading_of
from benchmarks.real_texts.texts import rebuild


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark. Exit code: 0 some texts are recorded in every form, 2 none is."""
    options = _parser().parse_args(arguments)
    scored = {row.pitch for row in settled()}
    own = {path.stem: path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/reading").glob("*.txt"))}
    texts = {name: text for name, text in {**own, **rebuild(options.clones).texts}.items() if name in scored}
    recordings = Recordings(options.recordings)
    in_form = {form: _readings(form, texts, recordings, options.model) for form in FORMS}
    names = [name for name in texts if all(name in found for found in in_form.values())]
    if not names:
        print("no text is recorded in every form", file=sys.stderr)
        return 2
    readings = [found[name] for found in in_form.values() for name in names]
    if options.save:
        write(readings, options.home / "readings.jsonl")
    print("\n".join(table(readings)))
    return 0


def _readings(form: str, texts: dict[str, str], recordings: Recordings, model: str) -> dict[str, FormReading]:
    reader = ModelReader(model, replace(Settings.from_environment(), form=form), recordings=recordings)
    found = {}
    for name, text in texts.items():
        try:
            assessment = assess(Pitch.from_text(text, name), reader)
        except MissingRecording:
            continue
        usage = assessment.provenance.usage
        row = reading_of(name, assessment.signals, form)
        found[name] = FormReading(row, usage.requests, usage.input_tokens, usage.output_tokens)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.forms", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", type=Path, help="folder of clones, as for benchmarks.real_texts")
    parser.add_argument("--recordings", type=Path, nargs="+", required=True, help="folders of recorded answers")
    parser.add_argument("--model", required=True, help="the model whose answers are recorded, as provider/name")
    parser.add_argument(
        "--save", action="store_true", help="store the values that were read, without quotes, for the docs"
    )
    parser.add_argument("--home", type=Path, default=HERE, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
