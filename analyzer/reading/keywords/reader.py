"""Reads signals from a pitch without a model: by cue phrases, in milliseconds, with the same answer every time.

It is rough, and says so. It would rather miss a signal than invent one: without a cue, or with cues that contradict
each other, a signal is unknown, and every value carries the sentence it was read from. `rules` holds which words speak
for which value, `evidence` where a cue counts; one module for each kind of signal settles several cues into one value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Final

from analyzer.framework.assessment import ReaderRef, Warning
from analyzer.framework.market import MarketMap
from analyzer.reading.keywords.categories import CategoryFinder
from analyzer.reading.keywords.competitors import CompetitorFinder
from analyzer.reading.keywords.evidence import Evidence
from analyzer.reading.keywords.personas import PersonaFinder
from analyzer.reading.keywords.problems import ProblemFinder
from analyzer.reading.keywords.rules import keyword_rules, rules_content
from analyzer.reading.keywords.sentences import Text
from analyzer.reading.keywords.single_values import SingleValues
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.reading.support import lacking_warnings, support_warnings
from analyzer.vocabulary.signals import Signals

_SUMMARY_WORDS: Final = 30
_SETTLED_APART: Final = ("data_science_fit", "market_breadth")
"""Signals whose value depends on more than their own cues."""
_ROUGH: Final = (
    "Read by cue phrases, without a model: rough, and for English only. Check the quotes, and what is unknown, "
    "against the pitch."
)
_NO_SIGN: Final = (
    "No words about machine-learning work were found, so the product counts as out of scope. The pitch may only use "
    "other words or another language."
)


def read_with_keywords(text: str, ignore: Sequence[tuple[int, int]] = ()) -> Signals:
    """Read the signals that cue phrases show. Pure and deterministic; accepts any text and never raises.

    `ignore`: spans (start, end) in characters whose text is not evidence. Every quote is verbatim with its offsets. A
    text with no sign of being about the making of ML is out of scope.
    """
    rules = keyword_rules()
    evidence = Evidence(rules, Text(text, rules.index, ignore))
    competitors, categories = CompetitorFinder(evidence), CategoryFinder(evidence)
    values = SingleValues(evidence, competitors, categories)
    in_scope = categories.in_scope()
    problems = ProblemFinder(evidence, categories).find() if in_scope else ()
    personas = PersonaFinder(evidence, categories, values).find() if in_scope else ()
    singles = {name: values.find(name) for name in evidence.rules.signal if name not in _SETTLED_APART}
    if in_scope:
        singles["pricing"] = values.pricing()
        singles["category"] = categories.value()
        singles["lifecycle_scope"] = values.lifecycle_scope()
        singles["market_breadth"] = values.market_breadth()
        singles["data_science_fit"] = values.data_science_fit(personas)
        for name, value in rules.whole_text.items():
            singles[name] = singles[name] or values.of_the_whole(value, problems)
    return Signals.model_validate(
        {
            "in_scope": in_scope,
            "product": evidence.product,
            "summary": _summary(evidence),
            "problems": problems,
            "personas": personas,
            "competitors": competitors.mentioned.competitors,
            **singles,
        }
    )


@cache
def keywords_sha256() -> str:
    """Fingerprint of the rules: of the data file's content, without its comments, and of the market map."""
    content = [rules_content(), MarketMap.built_in().sha256]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class KeywordReader:
    """The keyword reader, with the interface of every reader. It reads a pitch the same way every time, and waits for
    nothing (`waits`), so that one pitch needs no event loop."""

    waits: Final = False

    async def read(self, pitch: Pitch, number: int = 1) -> Reading:
        signals = read_with_keywords(pitch.text, pitch.planted)
        messages = [_ROUGH] if signals.in_scope else [_ROUGH, _NO_SIGN]
        rough = (Warning(kind="rough_reader", message=message) for message in messages)
        doubts = (*support_warnings(signals, pitch.text), *lacking_warnings(signals)) if signals.in_scope else ()
        ref = ReaderRef(model="keywords", prompt_sha256=keywords_sha256())
        return Reading(signals, ref, (*pitch.warnings, *rough, *doubts))


def _summary(evidence: Evidence) -> str:
    """The first sentence of the opening that is more than a name; of a letter, from where it names the product."""
    sentences = [evidence.text.words(number).split() for number in evidence.letter or evidence.front]
    naming = (at for at, words in enumerate(sentences) if evidence.product and evidence.product in " ".join(words))
    if evidence.letter:
        sentences = sentences[next(naming, 0) :]
    words = next((words for words in sentences if len(words) > 3), sentences[0] if sentences else [])
    return " ".join(words[:_SUMMARY_WORDS]) + "…" * (len(words) > _SUMMARY_WORDS)
