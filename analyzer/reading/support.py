"""Checks by rule, without a model, whether quotes hold what their value needs: a number, or a customer's name.

What a value needs is in its record (`SignalSpec.support`). The rules only refuse what is surely missing: they accept
every digit and number word, and any capitalized word that may be a name. Where a text does not tell names by
capitals (Japanese, Hebrew, all capitals or none), a name is not asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from analyzer.framework.assessment import ONE_SENTENCE, Warning
from analyzer.patterns import late
from analyzer.reading.splitting import sentences
from analyzer.vocabulary.labels import joined
from analyzer.vocabulary.records import LISTS, SIGNALS
from analyzer.vocabulary.signals import Quote, Signals

MOST_SIGNALS: Final = 5
"""How many signals one sentence may carry before a person should look at it."""
MOST_OF_ALL: Final = 2 / 3
"""The largest share of all quoted signals that one such sentence may carry. In 112 recorded readings of samples the
largest is 0.55; above it, the reading as a whole is in doubt."""
MOST_OF_TEXT: Final = 1 / 3
"""The share of the text above which a sentence may carry most of all signals: a text of a sentence or two has no other
place for them."""

_NUMBER_WORDS: Final = {
    "English": (
        r"two three four five six seven eight nine ten eleven twelve \w+teen twenty thirty forty fifty sixty "
        r"seventy eighty ninety hundreds? thousands? millions? billions? dozens? half halves halv(?:ed|ing) "
        r"twice (?:two|three|four|five|ten)fold (?:doubl|tripl)(?:e|es|ed|ing) percent "
        r"(?:an?|one|two)[\s-](?:thirds?|quarters?|fifths?|tenths?) "
        r"one\s(?:second|minute|hour|day|week|month|year)"
    ),
    "German": (
        r"zwei\w* zwanzig\w* drei\w* vier\w* fünf\w* sech\w* sieb(?:en|zehn|zig)\w* acht achtzehn achtzig "
        r"neun\w* zehn\w* elf zwölf\w* hundert\w* tausend\w* million\w* milliard\w* dutzend\w* halb\w* hälfte "
        r"doppelt\w* drittel viertel prozent eine[rm]?\s(?:sekunde|minute|stunde|woche) "
        r"eine[nm]\s(?:tag|monat) ein(?:em)?\sjahr"
    ),
    "French": (
        r"deux trois quatre cinq sept huit neuf dix\w* onze douze quinze vingt\w* trente quarante cinquante "
        r"soixante\w* cents? mille milliers? milliards? moitié demie? (?:un|le)\stiers quart doubl\w+ tripl\w+ "
        r"dizaines? centaines? une\s(?:seconde|minute|heure|journée|semaine|année) un\s(?:jour|mois|an)"
    ),
    "Spanish": (
        r"dos tres cuatro cinco seis siete ocho nueve diez doce quince veint\w+ treinta cuarenta cincuenta "
        r"sesenta setenta ochenta noventa cien(?:to|tos|tas)? mil miles\sde mill[oó]n(?:es)? mitad medio "
        r"media\shora tercio cuarto docenas? una\s(?:hora|semana) un\s(?:minuto|día|mes|año)"
    ),
    "Hebrew": (
        r"שני שתי שניים שתיים שלוש שלושה שלושת ארבע ארבעה ארבעת חמש חמישה חמשת שש שישה שבע שבעה שמונה תשע תשעה "
        r"עשר עשרה עשרת עשרות עשרים שלושים ארבעים חמישים שישים שבעים שמונים תשעים מאה מאות מאתיים אלף אלפי "
        r"אלפים אלפיים מיליון מיליוני מיליארד חצי מחצית שליש רבע כפול פי פעמיים שעתיים יומיים שבועיים חודשיים "
        r"שנתיים אחוז אחוזים"
    ),
}
"""Words for numbers, as patterns without spaces. Left out: words that mean something else in another language."""
_PREFIX: Final = {"Hebrew": "[ובלהמכש]{0,2}"}
"""Letters that are written onto a word."""
_NUMBER_WORD: Final = late(
    "|".join(
        rf"\b{_PREFIX.get(language, '')}(?:{'|'.join(words.split())})\b" for language, words in _NUMBER_WORDS.items()
    )
    + "|[半倍割両两双]",
    re.IGNORECASE,
)
_WORD: Final = late(r"[^\W_]+(?:['’&.+-][^\W_]+)*")
_BEGIN_SENTENCES: Final = (
    "a about after all although an and any are as at because before both but by can each even every few "
    "first for from has have he her here his how if in into is it its just many more most my new no not "
    "now of on one only or other our over people she since so some such than that the their then there "
    "these they this those three to today two under until was we were what when where which while who why "
    "will with without yes you your companies company customer customers teams trusted used users using"
)
_ABBREVIATIONS: Final = (
    "ai api apis b2b ceo cfo cio cli cpu cpus csv cto eu gpu gpus html http id ide it json llm llms ml "
    "mlops nlp ok pdf poc q1 q2 q3 q4 roi saas sdk sla sql tpu ui uk url us usa usd ux vp"
)
_NO_NAMES: Final = frozenset(f"{_BEGIN_SENTENCES} {_ABBREVIATIONS}".split())


def missing_support(name: str, value: str, quotes: Iterable[Quote], product: str = "") -> str:
    """What the quotes of a value lack, as a sentence for the model and for people; empty if they lack nothing.

    `product`: the product's name, which is not a customer's."""
    need = SIGNALS[name].support.get(value)
    texts = [quote.text for quote in quotes]
    if need == "number" and not any(map(has_number, texts)):
        return f"{value} needs a quote with a number"
    if need == "name" and not any(may_hold_name(text, product) for text in texts):
        return f"{value} needs a quote with the name of a customer"
    return ""


def names_competitor(name: str, quote: str) -> bool:
    """Whether a competitor's quote holds its name, or a word of it."""
    name, quote = " ".join(name.casefold().split()), " ".join(quote.casefold().split())
    return bool(name) and (name in quote or any(len(word) > 2 and word in quote for word in _WORD.findall(name)))


def has_number(text: str) -> bool:
    """Whether a text holds a digit, a number sign of any script, or a number word."""
    return any(unicodedata.numeric(char, None) is not None for char in text) or bool(_NUMBER_WORD.search(text))


def may_hold_name(text: str, product: str = "") -> bool:
    """Whether a text may hold somebody's name: a capitalized word that is neither common nor of the product's "
        "name; or
    letter case does not tell."""
    letters = [char for char in text if char.isalpha()]
    cased = [char for char in letters if char.islower() or char.isupper()]
    if len(cased) * 2 < len(letters) or all(map(str.isupper, cased)) or all(map(str.islower, cased)):
        return True
    own = _words_of(product) | _NO_NAMES
    return any(any(map(str.isupper, word)) and word.casefold() not in own for word in _WORD.findall(text))


def support_warnings(signals: Signals, pitch: str, *, checked: bool = False) -> tuple[Warning, ...]:
    """Warnings for a person: sentences that carry more than MOST_SIGNALS signals, and values whose quotes only repeat
    the product's name. A sentence that carries most of all signals opens the verdict, unless it is much of the text or
    a second look has `checked` them."""
    return (*_crowded(signals, pitch, checked), *_only_named(signals))


def lacking_warnings(signals: Signals) -> tuple[Warning, ...]:
    """A warning for each value and competitor whose quotes lack what it needs. For a reader that cannot be asked again:
    a model's answer loses such a value."""
    warnings = []
    for name in SIGNALS:
        signal = signals.single(name)
        lacks = missing_support(name, str(signal.value), signal.quotes, signals.product) if signal.quotes else ""
        if lacks:
            warnings.append(
                Warning(kind="unsupported", message=f"{name}: {lacks}.", signal=name, quote=signal.quotes[0])
            )
    for competitor in signals.competitors:
        if competitor.quote is not None and not names_competitor(competitor.name, competitor.quote.text):
            message = f"competitors: {competitor.name} needs a quote with its name."
            warnings.append(Warning(kind="unsupported", message=message, signal="competitors", quote=competitor.quote))
    return tuple(warnings)


def with_doubts(signals: Signals, warnings: Iterable[Warning]) -> Signals:
    """The same with a doubt at every quote that one of the warnings is about, so that it is seen wherever the quote is
    shown."""
    doubts = [warning for warning in warnings if warning.kind in _DOUBTED and warning.quote is not None]
    if not doubts:
        return signals

    def doubted(name: str, quote: Quote) -> Quote:
        return next(
            (
                quote.model_copy(update={"doubt": why})
                for one in doubts
                if (why := _doubt(one, name, quote, signals.product))
            ),
            quote,
        )

    fields: dict[str, Any] = {}
    for name in LISTS:
        entries = getattr(signals, name)
        fields[name] = tuple(
            entry if entry.quote is None else entry.model_copy(update={"quote": doubted(name, entry.quote)})
            for entry in entries
        )
    for name in SIGNALS:
        signal = signals.single(name)
        fields[name] = signal.model_copy(update={"quotes": tuple(doubted(name, quote) for quote in signal.quotes)})
    return signals.model_copy(update=fields)


_DOUBTED: Final = ("unsupported", ONE_SENTENCE, "doubtful")


def _doubt(warning: Warning, name: str, quote: Quote, product: str) -> str | None:
    """Why a warning puts this quote of a signal in doubt; None if it does not."""
    of = warning.quote
    if of is None:
        return None
    if warning.signal is None:
        begins, ends = (of.start, of.end) if of.start is not None and of.end is not None else (0, 0)
        inside = quote.start is not None and quote.end is not None and quote.start < ends and begins < quote.end
        return "many_signals" if inside else None
    if warning.signal != name or (name in LISTS and quote != of):
        return None
    if warning.kind == "doubtful":
        return "unclear"
    return "only_name" if _repeats([quote], product) else "lacking"


def _crowded(signals: Signals, pitch: str, checked: bool) -> Iterator[Warning]:
    carried: dict[int, dict[str, None]] = {}
    pieces = sentences(pitch)
    at = 0
    spans = sorted(
        (quote.start, quote.end, name) for name, quote in signals.quotes() if quote.start is not None and quote.end
    )
    for start, end, name in spans:
        while at < len(pieces) and pieces[at].last <= start:
            at += 1
        for number in range(at, len(pieces)):
            if pieces[number].first >= end:
                break
            carried.setdefault(number, {})[name] = None
    quoted = len({name for _, _, name in spans})
    whole = sum(piece.end - piece.start for piece in pieces)
    for number, names in carried.items():
        repeated = number - 1 in carried and set(carried[number - 1]) == set(names)  # one quote over both
        if len(names) > MOST_SIGNALS and not repeated:
            piece = pieces[number]
            quote = Quote(text=pitch[piece.start : piece.end], start=piece.start, end=piece.end)
            message = (
                f"One sentence carries {len(names)} signals ({joined(sorted(names))}); check that it supports each."
            )
            short = piece.end - piece.start > MOST_OF_TEXT * whole
            most = len(names) > MOST_OF_ALL * quoted and not short and not checked
            if most:
                message += f" It is most of what was read ({quoted} signals), so there is no verdict."
            kind = ONE_SENTENCE if most else "unsupported"
            yield Warning(kind=kind, message=message, quote=None if short else quote)  # which sentence is plain


def _only_named(signals: Signals) -> Iterator[Warning]:
    quotes: dict[str, list[Quote]] = {}
    for name, quote in signals.quotes():
        quotes.setdefault(name, []).append(quote)
    for name, each in quotes.items():
        if _repeats(each, signals.product):
            message = f"{name}: its quote only repeats the product's name; check that it supports the value."
            yield Warning(kind="unsupported", message=message, signal=name, quote=each[0])


def _repeats(quotes: Sequence[Quote], product: str) -> bool:
    """Whether quotes hold words of the product's name and no others."""
    own = _words_of(product)
    some = False
    for found in chain.from_iterable(_WORD.finditer(quote.text) for quote in quotes):
        if found.group().casefold() not in own:
            return False
        some = True
    return some


@lru_cache(maxsize=64)
def _words_of(product: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(product))
