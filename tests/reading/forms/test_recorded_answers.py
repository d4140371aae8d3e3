"""The recorded answers, which name sentences, given as copied quotes: the same values come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.reading.answers import CheckedAnswer, check_answer
from analyzer.reading.forms import form
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.signals import SIGNALS

FIXTURES = Path(__file__).parents[3] / "fixtures"


def samples(folder: str) -> list[tuple[str, Pitch]]:
    """Recorded first answers, with their pitches."""
    paths = [
        path for each in ("pitches", "reading", "hostile", "languages") for path in (FIXTURES / each).glob("*.txt")
    ]
    pitches = {pitch.ref.sha256: pitch for path in paths if (pitch := Pitch.from_text(path.read_text("utf-8")))}
    recorded = [json.loads(path.read_text("utf-8")) for path in sorted((FIXTURES / folder).glob("*.json"))]
    return [
        (one["response"]["choices"][0]["message"]["content"], pitches[sha256])
        for one in recorded
        if (sha256 := one["request"]["pitch_sha256"]) and one["request"]["turn"] == 0
    ]


def with_quotes(checked: CheckedAnswer, pitch: Pitch) -> dict[str, Any]:
    """A checked answer as a model would give it in the form that copies quotes."""
    signals = checked.signals()

    def entry(record: Any) -> dict[str, Any]:
        return {"quote": record.quote.text, **record.model_dump(exclude={"quote"})}

    document: dict[str, Any] = {
        "instructions": [pitch.text[start:end] for start, end in checked.planted],
        "in_scope": signals.in_scope,
        "product": signals.product,
        "summary": signals.summary,
    }
    for name in ("problems", "personas", "competitors"):
        document[name] = [entry(record) for record in getattr(signals, name)]
    for name in SIGNALS:
        single = signals.single(name)
        quotes = [quote.text for quote in single.quotes]
        document[name] = {"quotes": quotes, "basis": single.basis, "value": single.value}
    return document


@pytest.mark.parametrize("folder", ["recordings", "recordings/reading", "recordings/hostile", "recordings/languages"])
def test_a_recorded_answer_gives_the_same_values_when_its_evidence_is_copied(folder: str) -> None:
    lengths = []
    for text, pitch in samples(folder):
        grounding = Grounding(pitch.text)
        numbered = check_answer(form("ids").document(text, pitch), pitch, grounding)
        answer = json.dumps(with_quotes(numbered, pitch), ensure_ascii=False)
        quoted = check_answer(form("quotes").document(answer, pitch), pitch, grounding)
        assert quoted.faults == (), pitch.ref.title
        values = [(name, numbered.signals().single(name).value) for name in SIGNALS]
        assert values == [(name, quoted.signals().single(name).value) for name in SIGNALS]
        for name in ("problems", "personas", "competitors"):
            assert len(getattr(numbered.signals(), name)) == len(getattr(quoted.signals(), name))
        lengths.append((len(text), len(answer)))
    numbers, quotes = map(sum, zip(*lengths, strict=True))
    assert numbers < quotes
