"""A figure needs a number in its quote, a named customer a name, a competitor its own; and doubtful quotes are shown."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from analyzer import Assessment, Rulebook, analyze, score
from analyzer.framework.assessment import Warning
from analyzer.page.assessment import details
from analyzer.reading.answers import check_answer
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.reading.support import (
    has_number,
    lacking_warnings,
    may_hold_name,
    names_competitor,
    support_warnings,
    with_doubts,
)
from analyzer.views.assessment_content import quote_place
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report
from analyzer.views.assessment_terminal import print_assessment
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Quote, Signals
from tests.completions import answer, single

NUMBERS = {
    "digits": "from $90,000 to $61,000",
    "word": "it saves them half of their bill",
    "fraction": "a third of the runs is wasted",
    "twice": "runs twice as fast",
    "German": "Die Teams verlieren jede Woche zwei Tage.",
    "German decade": "Es kostet achtzig Stunden.",
    "French": "L'équipe perd deux semaines.",
    "French third": "un tiers des images",
    "Spanish": "Cuesta treinta días de trabajo.",
    "Hebrew": "זה עולה שלושה ימים בשבוע",
    "Hebrew with a prefix": "חוסך להם בשעתיים עבודה",
    "Japanese": "作業時間が半分になります",
    "Chinese": "节省三成费用",
    "Arabic digits": "٤٠ ساعة",
    "full width": "３０時間",
    "vulgar fraction": "½ of the bill",
}
NO_NUMBERS = {
    "nobody": "no one reads them",
    "once": "Your CTO signs once",
    "third party": "third-party tools waste money",
    "tiers": "pricing tiers are confusing",
    "media": "social media teams lose money",
    "German only": "das einzige Werkzeug, das Geld spart",
    "words": "bills grow quickly and teams lose money",
    "none": "",
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_seen_in_digits_and_words_of_several_languages(name: str) -> None:
    assert has_number(NUMBERS[name])


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_words_that_only_resemble_numbers_are_none(name: str) -> None:
    assert not has_number(NO_NUMBERS[name])


@pytest.mark.parametrize(
    "text",
    ["Acme cut its bill", "used by Merrow Bank", "trusted by eBay", "IBM runs it", "Unsere Kunden sind Banken",
     "導入企業はメロー銀行です", "משתמשי הבנק", "trusted by acme and others", "USED BY ACME"],
    ids=["first word", "two words", "inner capital", "abbreviation", "German nouns", "Japanese", "Hebrew", "no capitals",
         "all capitals"],
)  # fmt: skip
def test_a_name_is_seen_or_its_absence_is_uncertain(text: str) -> None:
    assert may_hold_name(text, "Wattwise")


@pytest.mark.parametrize(
    "text",
    ["Trusted by many customers", "Customers love Wattwise", "Our CTO and GPU teams use it", "We have two customers."],
    ids=["nobody", "the product", "abbreviations", "small words"],
)
def test_the_product_and_common_words_are_no_customers_name(text: str) -> None:
    assert not may_hold_name(text, "Wattwise")


@pytest.mark.parametrize(
    ("name", "quote", "named"),
    [("AWS", "unlike AWS, we", True), ("home-grown scripts", "with their scripts", True), ("MLflow", "an MLflow server", True),
     ("ラベル会社", "従来のラベル会社は", True), ("AWS", "We do not bill", False), ("", "anything", False)],
)  # fmt: skip
def test_a_competitors_quote_holds_its_name_or_a_word_of_it(name: str, quote: str, named: bool) -> None:
    assert names_competitor(name, quote) is named


TEXT = (
    "Wattwise: cut your GPU bill\n\nTeams lose money while GPUs stand idle. They lose $90,000 a month. "
    "Customers love Wattwise. Acme Corp uses it. AWS is slow. It bills by the hour. Scripts are written in-house. They rot."
)
CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a figure without a number": ({"business_impact": single("quantified", "Teams lose money")}, "business_impact"),
    "a figure in one of two quotes": (
        {"business_impact": single("quantified", "Teams lose money", "They lose $90,000 a month")},
        None,
    ),
    "described needs none": ({"business_impact": single("described", "Teams lose money")}, None),
    "a customer without a name": (
        {"trust_route": single("reference_customers", "Customers love Wattwise")},
        "trust_route",
    ),
    "a customer with a name": ({"trust_route": single("reference_customers", "Acme Corp uses it")}, None),
    "a competitor named elsewhere": (
        {"competitors": [{"quote": "It bills by the hour", "name": "AWS", "kind": "cloud_vendor"}]},
        "competitors",
    ),
    "own work named elsewhere": ({"competitors": [{"quote": "They rot", "name": "Scripts", "kind": "in_house"}]}, None),
    "own work that nobody names": (
        {"competitors": [{"quote": "They rot", "name": "Notebooks", "kind": "in_house"}]},
        "competitors",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_value_whose_quotes_lack_what_it_needs_is_a_fault(name: str) -> None:
    changes, faulty = CASES[name]
    whole = answer(problems=[], personas=[], competitors=[], buyer=single("unknown"), category=single("unknown"))
    pitch = Pitch.from_text(TEXT)
    checked = check_answer(json.dumps({**whole, **changes}), pitch, Grounding(TEXT))
    assert [(fault.signal, fault.kind) for fault in checked.faults] == ([(faulty, "unsupported")] if faulty else [])
    if faulty in SIGNALS:
        assert not checked.signals().single(str(faulty)).known


def quoted(text: str) -> Quote:
    start = TEXT.index(text)
    return Quote(text=text, start=start, end=start + len(text))


def test_a_sentence_that_carries_more_than_five_signals_is_shown_once() -> None:
    both = "Teams lose money while GPUs stand idle. They lose $90,000 a month."
    values = {"urgency": "important", "business_impact": "quantified", "value_at_stake": "material",
              "market_breadth": "horizontal", "traction": "customers", "onboarding": "self_serve"}  # fmt: skip
    signals = Signals.model_validate(
        {name: {"value": value, "basis": "stated", "quotes": [quoted(both)]} for name, value in values.items()}
    )
    (warning,) = support_warnings(signals, TEXT)
    assert "carries 6 signals (business_impact, market_breadth" in warning.message
    assert warning.quote == quoted("Teams lose money while GPUs stand idle.")
    fewer = signals.model_copy(update={"traction": Signals().traction})
    assert support_warnings(fewer, TEXT) == ()


def test_a_quote_that_only_repeats_the_products_name_is_shown() -> None:
    named = {"value": "cost_optimization", "basis": "stated", "quotes": [quoted("Wattwise")]}
    signals = Signals.model_validate({"product": "Wattwise", "category": named})
    (warning,) = support_warnings(signals, TEXT)
    assert (warning.kind, warning.signal) == ("unsupported", "category")
    more = {**named, "quotes": [quoted("Wattwise: cut your GPU bill")]}
    assert support_warnings(Signals.model_validate({"product": "Wattwise", "category": more}), TEXT) == ()


MANY = ("urgency", "business_impact", "value_at_stake", "market_breadth", "traction", "onboarding")
OTHERS = ("buyer", "pricing", "category", "data_movement")


def hung(elsewhere: int) -> Signals:
    """Six signals on one sentence, and some on another."""
    one, other = quoted("Teams lose money while GPUs stand idle."), quoted("They lose $90,000 a month.")
    quotes = dict.fromkeys(MANY, one) | dict.fromkeys(OTHERS[:elsewhere], other)
    return Signals.model_validate(
        {name: {"value": SIGNALS[name].values[-1], "quotes": [quote]} for name, quote in quotes.items()}
    )


@pytest.mark.parametrize(("elsewhere", "kind"), [(0, "one_sentence"), (2, "one_sentence"), (3, "unsupported")])
def test_a_sentence_that_carries_most_of_all_signals_puts_the_reading_in_doubt(elsewhere: int, kind: str) -> None:
    signals = hung(elsewhere)
    (warning,) = support_warnings(signals, TEXT)
    assert warning.kind == kind
    verdict = score(signals, warnings=[warning]).verdict
    assert verdict is not None and verdict.sentence.count("the reading is in doubt") == (kind == "one_sentence")
    (checked,) = support_warnings(signals, TEXT, checked=True)
    assert checked.kind == "unsupported"


@pytest.mark.parametrize(
    "rest", ["", " They lose $90,000 a month.", " \u5f88\u8d35\u3002"], ids=["one", "two", "Chinese"]
)
def test_in_a_text_of_a_sentence_or_two_one_may_carry_most_signals_and_there_is_a_verdict(rest: str) -> None:
    text = "Wattwise\n\nTeams lose money while GPUs stand idle." + rest
    start = text.index("Teams")
    quote = Quote(text="Teams lose money", start=start, end=start + 16)
    signals = Signals.model_validate(
        {name: {"value": SIGNALS[name].values[-1], "quotes": [quote]} for name in (*MANY, *OTHERS)}
    )
    (warning,) = support_warnings(signals, text)
    assert warning.kind == "unsupported" and "carries 10 signals" in warning.message
    assert not any(quote.doubt for _, quote in with_doubts(signals, [warning]).quotes())
    verdict = score(signals, warnings=[warning]).verdict
    assert verdict is not None and "in doubt" not in verdict.sentence


def test_every_quote_of_a_crowded_sentence_says_so_wherever_it_is_shown() -> None:
    signals = hung(3)
    doubted = with_doubts(signals, support_warnings(signals, TEXT))
    assert {name: quote.doubt for name, quote in doubted.quotes()} == {
        **dict.fromkeys(MANY, "many_signals"),
        **dict.fromkeys(OTHERS[:3]),
    }
    assessment = score(doubted)
    words = "check it: its sentence carries many signals"
    shown = [quote for one in assessment.considerations for quote in one.quotes if quote.doubt]
    assert shown and all(words in quote_place(quote) for quote in shown)
    report = html_report(assessment, TEXT)
    assert words in report and words in markdown_report(assessment)
    assert words in details(assessment, Rulebook.built_in())
    assert words in printed(assessment)
    assert json.loads(assessment.to_json())["signals"]["urgency"]["quotes"][0]["doubt"] == "many_signals"


def test_a_doubt_about_one_signal_is_at_its_own_quotes_alone() -> None:
    signals = hung(0)
    quote = signals.urgency.quotes[0]
    doubted = with_doubts(signals, [Warning(kind="doubtful", message="?", signal="urgency", quote=quote)])
    assert [name for name, one in doubted.quotes() if one.doubt] == ["urgency"]
    assert with_doubts(signals, [Warning(kind="doubtful", message="?", signal="urgency")]) == signals


def test_what_cue_phrases_read_is_in_doubt_by_the_same_rules() -> None:
    text = (
        "Customer story: eleven alerts a day, and then two\n\nTrainlight watches machine learning models in production."
    )
    assessment = analyze(text, model="keywords")
    (quote,) = assessment.signals.trust_route.quotes
    assert quote.doubt == "lacking" and "it lacks what this value needs" in quote_place(quote)
    assert any("needs a quote with the name of a customer" in warning.message for warning in assessment.warnings)

    named = Signals.model_validate({"competitors": [{"name": "Acme", "kind": "startup", "quote": quoted("Wattwise")}]})
    doubted = with_doubts(named, lacking_warnings(named))
    assert [one.doubt for _, one in doubted.quotes()] == ["lacking"]


def printed(assessment: Assessment) -> str:
    console = Console(width=300, record=True, file=StringIO())
    print_assessment(console, assessment)
    return console.export_text()
