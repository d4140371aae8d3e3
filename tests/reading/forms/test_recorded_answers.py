"""The recorded answers, given as numbers of sentences: the same values come out, with quotes around the same words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.reading.answers import CheckedAnswer, check_answer
from analyzer.reading.forms import form
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.reading.splitting import split
from analyzer.vocabulary.signals import SIGNALS, Quote

FIXTURES = Path(__file__).parents[3] / "fixtures"


def samples(folder: str) -> list[tuple[str, Pitch]]:
    """Recorded first answers, with their pitches."""
    paths = [
        path for each in ("pitches", "reading", "hostile", "languages") for path in (FIXTURES / each).glob("*.txt")
    ]
    pitches = {pitch.ref.sha256: pitch for path in paths if (pitch := Pitch.from_text(path.read_text("utf-8")))}
    recorded = [json.loads(path.read_text("utf-8")) for path in sorted((FIXTURES / folder).glob("*.json"))]
    return [
        (one["response"]["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], pitches[sha256])
        for one in recorded
        if (sha256 := one["request"]["pitch_sha256"])
    ]


def with_numbers(checked: CheckedAnswer, pitch: Pitch) -> dict[str, Any]:
    """A checked answer as a model would give it in numbers of sentences, with words where a few carry the point."""
    signals, pieces = checked.signals(), split(pitch.text)

    def numbers(start: int, end: int) -> list[int]:
        return [number for number, piece in enumerate(pieces, 1) if piece.start < end and start < piece.end]

    def evidence(quote: Quote) -> tuple[list[int], str]:
        held = numbers(quote.start or 0, quote.end or 0)
        piece = pieces[held[0] - 1]
        narrow = len(held) == 1 and len(quote.text) < (piece.end - piece.start) / 2
        return held[:2], quote.text if narrow else ""

    def entry(record: Any) -> dict[str, Any]:
        held, words = evidence(record.quote)
        return {"sentence": held[0], "words": words, **record.model_dump(exclude={"quote"})}

    document: dict[str, Any] = {
        "instructions": [
            {"first": numbers(start, end)[0], "last": numbers(start, end)[-1]} for start, end in checked.planted
        ],
        "in_scope": signals.in_scope,
        "product": signals.product,
        "summary": signals.summary,
    }
    for name in ("problems", "personas", "competitors"):
        document[name] = [entry(record) for record in getattr(signals, name)]
    for name in SIGNALS:
        single = signals.single(name)
        held, words = evidence(single.quotes[0]) if single.quotes else ([], "")
        document[name] = {"sentences": held, "words": words, "basis": single.basis, "value": single.value}
    return document


@pytest.mark.parametrize("folder", ["recordings", "recordings/reading", "recordings/hostile", "recordings/languages"])
def test_a_recorded_answer_gives_the_same_values_when_its_evidence_is_numbers(folder: str) -> None:
    lengths = []
    for text, pitch in samples(folder):
        grounding = Grounding(pitch.text)
        quoted = check_answer(text, pitch, grounding)
        answer = json.dumps(with_numbers(quoted, pitch), ensure_ascii=False)
        numbered = check_answer(form("ids").document(answer, pitch), pitch, grounding)
        assert numbered.faults == (), pitch.ref.title
        values = [(name, quoted.signals().single(name).value) for name in SIGNALS]
        assert values == [(name, numbered.signals().single(name).value) for name in SIGNALS]
        for name in ("problems", "personas", "competitors"):
            assert len(getattr(numbered.signals(), name)) == len(getattr(quoted.signals(), name))
        lengths.append((len(answer), len(text)))
    numbers, quotes = map(sum, zip(*lengths, strict=True))
    assert numbers < quotes
