"""What a local model is worth: the samples and the reading set, read by it, next to `keywords` and the recorded model.

    python -m benchmarks.local_model [--model qwen2.5-coder-1.5b] [--form ids] [--pitches kilnday oddmile ...]
    python -m benchmarks.local_model --url http://localhost:11434/v1 --model NAME      # a server that runs already

    python -m benchmarks.local_model --report      # what was read so far, without a model

Sets up and starts llama.cpp's server (`benchmarks.local_server`) unless --url names one. Each reading is saved in
--into when it is done, with its answers as recordings, so a run that was interrupted goes on where it ended. The model
is asked with a JSON schema that its server enforces. All 48 pitches take a small model hours on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from analyzer import analyze, compare, score
from analyzer.agreement.records import FigureValue
from analyzer.errors import AnalyzerError
from analyzer.files.manual_scores import ManualScores, read_manual
from analyzer.framework.assessment import PitchRef
from analyzer.reading import background
from analyzer.reading.answers import NotAnAnswer
from analyzer.reading.conversation import ModelReader
from analyzer.reading.forms import form
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.reading.prompts import IDS
from analyzer.resources import resource
from analyzer.runs.one import assessment_of
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.store.answers import StoredAnswer
from analyzer.vocabulary.signals import SIGNALS
from benchmarks.local_server import LARGEST, WEIGHTS, serving, set_up

FIXTURES = resource("fixtures")
SETS: Final = (("pitches", "manual_scores.csv", "a"), ("reading", "reading_scores.csv", "settled"))
"""Folders of pitches, their manual scores, and whose scores count."""
RESULTS: Final = FIXTURES / "local_model"
SCORED: Final = ("stage", "focus", "persona", *SIGNALS)
CONTEXT: Final = 8192


@dataclass(slots=True)
class Answers:
    """Keeps what a model answers about one pitch, in place of a store."""

    saved: list[StoredAnswer] = field(default_factory=list)

    async def find(self, *keys: str) -> StoredAnswer | None:
        return None

    async def save(self, answer: StoredAnswer) -> None:
        self.saved.append(answer)

    async def discard(self, keys: list[str]) -> None:
        pass


def read(pitch: Pitch, settings: Settings, model: str, record_to: Path | None = None) -> dict[str, Any]:
    """One reading as a line of the results: the signals or the error, the quotes of the first answer, seconds."""
    answers = Answers()
    reader = ModelReader(model, settings, answers=answers, record_to=record_to)
    started = time.monotonic()
    line: dict[str, Any] = {"id": pitch.ref.id}
    try:
        reading = background.run(reader.read(pitch))
    except AnalyzerError as error:
        line["error"] = str(error)
    else:
        line["signals"] = json.loads(assessment_of(reading, pitch, None, None).to_json(None))["signals"]
    line |= {
        "seconds": round(time.monotonic() - started, 1),
        "mode": reader.connection.way.mode,
        "notices": reader.notices,
    }
    line["answers"] = [[one.input_tokens, one.output_tokens] for one in answers.saved]
    if answers.saved:
        line["grounded"] = _grounded(answers.saved[0].text, settings.form, pitch)
    background.run(reader.aclose())
    return line


def _grounded(text: str, form_name: str, pitch: Pitch) -> list[int] | None:
    """How many quotes of an answer are in the pitch, of how many; None if it is not an answer."""
    try:
        quotes = list(_quotes(json.loads(form(form_name).document(text, pitch), object_hook=_as_quote)))
    except (NotAnAnswer, ValueError):
        return None
    grounding = Grounding(pitch.text)
    return [sum(grounding.find(quote) is not None for quote in quotes), len(quotes)]


def _as_quote(part: dict[str, Any]) -> dict[str, Any]:
    """In the form `quotes` a quote is a plain text; as in the other form afterwards."""
    copied = part.get("quotes", [part["quote"]] if "quote" in part else [])
    texts = [{"text": one} for one in copied if isinstance(one, str)] if isinstance(copied, list) else []
    return {**part, "quotes": texts, "quote": None} if texts else part


def _quotes(part: Any) -> Iterator[str]:
    """All quotes of an answer; a number without a sentence is one that is in no pitch."""
    if isinstance(part, dict):
        if "text" in part or "fault" in part:
            yield str(part.get("text", ""))
            return
        part = part.values()
    elif isinstance(part, str) or not isinstance(part, list):
        return
    for value in part:
        yield from _quotes(value)


# ---------------------------------------------------------------- the table


def report(lines: Sequence[dict[str, Any]], model: str) -> Iterator[str]:
    """The results as Markdown, for the pitches that were read."""
    failed = [line for line in lines if "error" in line]
    usable = [line for line in lines if "signals" in line]
    yield f"{len(lines)} pitches, {len(failed)} of them without a usable answer and left out of the figures:\n"
    yield "| reader | pitches | same value | mean kappa | adds | misses | grounded at first asking | median seconds |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    if usable:
        yield from _rows(usable, model)
    unknown = [line["id"] for line in lines if line.get("grounded") is None]
    if unknown:
        yield f"\nThe first answer was not JSON of the asked shape: {', '.join(unknown)}."
    for line in failed:
        yield f"\n{line['id']}: {line['error']}"
    yield f"\nRead: {', '.join(str(line['id']) for line in lines)}."


def section() -> Iterator[str]:
    """The section of the page of measured quality: a table for each file of results."""
    for path in sorted(RESULTS.glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        name, form_name, mode = path.stem.rsplit("-", 2)
        yield f"`{name}`, form `{form_name}`, mode `{mode}`: " + "\n".join(report(lines, name)) + "\n"


def _rows(lines: Sequence[dict[str, Any]], model: str) -> Iterator[str]:
    texts = {line["id"]: _text(line["id"]) for line in lines}
    others = {
        reader: [analyze(texts[name], model=reader, id=name) for name in texts] for reader in (KEYWORDS, RECORDED)
    }
    documents = [score(line["signals"], pitch=PitchRef(id=line["id"])) for line in lines]
    found = compare({model: documents, **others}, _manual(texts), draws=100)
    for reader in (model, KEYWORDS, RECORDED):
        signals = [found.signals[reader][name] for name in SCORED]
        kappas = [one["kappa"].value for one in signals if one["kappa"].value is not None]
        grounded = [line["grounded"] for line in lines if line.get("grounded")]
        share = sum(one[0] for one in grounded) / max(1, sum(one[1] for one in grounded))
        cells = [
            reader,
            str(len(lines)),
            f"{mean(one['agreement'].value or 0 for one in signals):.0%}",
            f"{mean(kappas):.2f}" if kappas else "–",
            _share([one["overclaimed"] for one in signals]),
            _share([one["missed"] for one in signals]),
            f"{share:.0%}" if reader == model else "",
            f"{median(line['seconds'] for line in lines):.0f}" if reader == model else "",
        ]
        yield f"| {' | '.join(cells)} |"


def _text(name: str) -> str:
    return next(
        path for folder_name, *_ in SETS if (path := FIXTURES / folder_name / f"{name}.txt").exists()
    ).read_text("utf-8")


def _manual(names: Container[str]) -> ManualScores:
    """The manual scores of these pitches, of samples and reading set together."""
    sets = [(read_manual(FIXTURES / scores), rater) for _, scores, rater in SETS]
    rows = [row for scores, rater in sets for row in scores.rows if row.rater == rater and row.pitch in names]
    return ManualScores(sets[0][0].source, tuple(replace(row, rater="manual") for row in rows), sets[0][0].notes)


def _share(shares: Sequence[FigureValue]) -> str:
    of = sum(one.of for one in shares if one.value is not None)
    return f"{sum(one.value * one.of for one in shares if one.value is not None) / of:.0%}" if of else "–"


# ---------------------------------------------------------------- the command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=LARGEST, help=f"one of {', '.join(WEIGHTS)}, or the model at --url")
    parser.add_argument("--url", help="a server that runs already, with /v1")
    parser.add_argument("--form", default=IDS)
    parser.add_argument("--mode", default="json_schema")
    parser.add_argument("--pitches", nargs="*", default=[], help="names; by default all")
    parser.add_argument("--threads", type=int, default=int(os.environ.get("THREADS", "2")))
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for one answer")
    parser.add_argument("--into", type=Path, default=RESULTS, help="folder of the readings")
    parser.add_argument("--report", action="store_true", help="show the readings there are, and read nothing")
    chosen = parser.parse_args()
    paths = [path for folder_name, *_ in SETS for path in sorted((FIXTURES / folder_name).glob("*.txt"))]
    paths = [path for path in paths if not chosen.pitches or path.stem in chosen.pitches]
    results = chosen.into / f"{chosen.model.replace('/', '-')}-{chosen.form}-{chosen.mode}.jsonl"
    results.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()] if results.exists() else []
    done = {line["id"] for line in lines}
    left = [path for path in paths if path.stem not in done and not chosen.report]
    if left:
        with _address(chosen) as url:
            settings = Settings(openai_base_url=url, form=chosen.form, mode=chosen.mode, timeout=chosen.timeout)
            for path in left:
                pitch = Pitch.from_text(path.read_text("utf-8"), path.stem)
                line = read(pitch, settings, f"openai/{chosen.model}", chosen.into / "recordings")
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                lines.append(line)
                print(f"{path.stem}: {line['seconds']:.0f} s {line.get('error', '')}", flush=True)
    wanted = {path.stem for path in paths}
    print(f"Results: {results}\n")
    print("\n".join(report([line for line in lines if line["id"] in wanted], chosen.model)))


def _address(chosen: argparse.Namespace) -> AbstractContextManager[str]:
    if chosen.url:
        return nullcontext(chosen.url)
    if chosen.model not in WEIGHTS:
        raise SystemExit(f"{chosen.model}: name the server with --url, or one of {', '.join(WEIGHTS)}")
    set_up(WEIGHTS[chosen.model])
    return serving(WEIGHTS[chosen.model], context=CONTEXT, threads=chosen.threads)


if __name__ == "__main__":
    main()
