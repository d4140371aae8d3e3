"""What scripts pass by mistake is refused in one line before anything is sent, and one odd pitch costs itself only."""

from __future__ import annotations

import io
from collections import namedtuple
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
import respx

from analyzer import Rulebook, Signals, analyze, analyze_many, compare, score, score_table
from analyzer.errors import AnalyzerError, ConfigurationError, DocumentError, InputError
from analyzer.framework.rulebook import write_new
from analyzer.reading.clients import shared_client
from analyzer.resources import resource
from analyzer.settings import Settings
from tests.completions import CHAT, PITCH, URL, answer, completion
from tests.conftest import PITCHES

SETTINGS = Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789")
MODEL = "openai/gpt-4.1-mini"
FRAME = pandas.DataFrame({"id": [1, 2], "text": [PITCH, f"{PITCH} Really."]})
Named = namedtuple("Named", ["id", "text", "note"])  # as pandas' itertuples makes them


async def later() -> AsyncIterator[str]:
    yield PITCH


@pytest.fixture
def nothing_sent() -> Iterator[None]:
    shared_client.cache_clear()
    with respx.mock(assert_all_called=False) as router:
        route = router.post(CHAT).mock(side_effect=lambda _: completion(answer()))
        yield
        assert not route.called


def refused(call: Any) -> str:
    with pytest.raises(AnalyzerError) as told:
        call()
    assert isinstance(told.value, InputError | ConfigurationError)
    assert len(str(told.value).splitlines()) == 1 and len(str(told.value)) < 200
    return str(told.value)


# ---------------------------------------------------------------- what stands for many pitches


@pytest.mark.parametrize(
    ("pitches", "says"),
    [
        (PITCH, "pitches is a str; pass a list of texts"),
        (PITCH.encode(), "pitches is a bytes"),
        (Path("decks"), "pass a list of texts"),
        (FRAME, "pitches is a DataFrame; pass it to analyze_frame(frame, text="),
        (pyarrow.table({"text": [PITCH]}), "pitches is a Table; pass it to analyze_frame"),
        ({"a": PITCH}, "pitches is a dict; pass pairs (id, text): pitches.items()"),
        (MappingProxyType({"id": "a", "text": PITCH}), "or a list of dicts with 'text'"),
        (io.StringIO(f"{PITCH}\n"), "pitches is an open file"),
        (None, "pitches is None; pass texts or pairs (id, text)"),
        (7, "pitches is an int"),
        (later(), "an asynchronous iterable goes to analyze_many_async"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.usefixtures("nothing_sent")
def test_what_would_be_taken_apart_is_refused_before_anything_is_sent(pitches: Any, says: str) -> None:
    assert says in refused(lambda: analyze_many(pitches, model=MODEL, settings=SETTINGS))


@pytest.mark.parametrize(
    "pitches",
    [
        [PITCH],
        (PITCH,),
        {PITCH},
        np.array([PITCH]),
        FRAME["text"][:1],
        (text for text in [PITCH]),
        zip(FRAME["id"][:1], FRAME["text"][:1], strict=True),
        {"1": PITCH}.items(),
        FRAME[:1].to_dict("records"),
        FRAME[:1].itertuples(index=False),
        [Named("1", PITCH, "not looked at")],
        [{"id": 1, "text": PITCH, "note": None}],
        [[1, PITCH]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_usual_way_to_give_pitches_is_taken(pitches: Any) -> None:
    (result,) = analyze_many(pitches, model="keywords")
    assert result.error is None
    assert result.id == "1" or (result.assessment is not None and result.id == result.assessment.pitch.id)


def test_a_row_without_an_id_is_known_by_its_text_as_a_bare_text_is() -> None:
    results = list(analyze_many([PITCH, (None, PITCH), {"text": PITCH}, (float("nan"), PITCH)], model="keywords"))
    assert len({result.id for result in results}) == 1


ODD: list[tuple[Any, str, str]] = [
    (None, "1", "not None"),
    (7, "1", "not an int"),
    (("a", None), "a", "its text is missing"),
    (("a", float("nan")), "a", "its text is missing"),
    (("a", 7), "a", "the pitch is an int"),
    (("a", PITCH.encode()), "a", "decode it first"),
    (("a", "b", "c"), "a", "expected a text, a pair"),
    ({"id": "a", "pitch": PITCH}, "a", "a mapping needs 'text' (and may have 'id'); it has id, pitch"),
    ({}, "1", "it has nothing"),
    (("a", DocumentError("damaged")), "a", "damaged"),
    (Path("deck.pdf"), "1", "expected a text"),
    (str(PITCHES / "taperline.txt"), "1", "is the name of a file or folder"),
    ("no-such-deck.pdf", "1", "looks like the name of a file"),
    ("", "1", "the pitch is empty"),
]


@pytest.mark.parametrize(("entry", "known_by", "says"), ODD, ids=[says for _, _, says in ODD])
def test_one_odd_entry_is_one_failed_result_and_the_others_go_on(entry: Any, known_by: str, says: str) -> None:
    first, odd, last = sorted(analyze_many([PITCH, entry, ("z", PITCH)], model="keywords"), key=lambda r: r.number)
    assert first.error is None and last.error is None
    assert odd.error is not None and odd.error.kind in ("pitch", "document")
    assert odd.id == known_by and says in str(odd.error)
    assert len(str(odd.error).splitlines()) == 1


def test_a_text_that_comes_with_an_id_is_a_text_whatever_it_says() -> None:
    (result,) = analyze_many([("a", str(PITCHES / "taperline.txt"))], model="keywords")
    assert result.error is None


# ---------------------------------------------------------------- one pitch


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "the pitch is None; pass its text as a string"),
        (b"A tool", "the pitch is bytes; decode it first"),
        (PITCHES / "taperline.txt", "the pitch is a path (taperline.txt); read it first"),
        (str(PITCHES / "taperline.txt"), "taperline.txt' is the name of a file or folder, not a pitch; read it first"),
        (f" {PITCHES}\n", "is the name of a file or folder"),
        ("no-such-deck.pdf", "'no-such-deck.pdf' looks like the name of a file, and there is no such file"),
        ([PITCH], "the pitch is a list"),
    ],
)
@pytest.mark.usefixtures("nothing_sent")
def test_what_is_not_the_text_of_a_pitch_is_refused(text: Any, says: str) -> None:
    assert says in refused(lambda: analyze(text, model=MODEL, settings=SETTINGS))


@pytest.mark.parametrize("text", ["Wattwise reads deck.pdf", "x" * 300, "A\0b", "~nobody-of-this-name/x", "a.b"])
def test_a_short_text_is_a_pitch(text: str) -> None:
    assert analyze(text, model="keywords").pitch.id


def test_an_id_that_is_a_number_is_its_digits() -> None:
    assert analyze(PITCH, model="keywords", id=5).pitch.id == "5"  # type: ignore[arg-type]


# ---------------------------------------------------------------- the other arguments

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rulebook": "nowhere.toml"}, "nowhere.toml: 1 fault"),
    ({"rulebook": {"version": "1"}}, "rulebook is a dict; pass a Rulebook, the path of a TOML file, or None"),
    ({"market": 3}, "market is an int; pass a MarketMap"),
    ({"market": Path("nowhere.toml")}, "nowhere.toml: 1 fault"),
    ({"settings": {"timeout": 3}}, "settings is a dict; pass a Settings"),
    ({"model": ["openai/a", 4]}, "model is a list; pass one string like 'openai/gpt-6-luna', or a list of such"),
    ({"model": {"openai/a"}}, "model is a set; pass one string like 'openai/gpt-6-luna', or a list of such"),
    ({"model": 4}, "model is an int"),
]
WRONG_OF_MANY: list[tuple[dict[str, Any], str]] = [
    *[({"concurrency": each}, "pass a whole number from 1 to 256") for each in ("8", 0, -1, 257, 2.5, True, None)],
    *[({"max_cost": each}, "pass USD above 0") for each in (-1, 0, float("nan"), float("inf"), "3", True, [1])],
    ({"store": Path("s.db")}, "pass True, False or a URL"),
    ({"on_progress": "bar"}, "on_progress is a str; pass a function"),
    ({"stop": True}, "stop is a bool; pass a threading.Event"),
    ({"total": "many"}, "total is 'many'; pass the number of pitches"),
    ({"total": -1}, "total is -1"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG, ids=[says for _, says in WRONG])
@pytest.mark.parametrize("call", [analyze, lambda text, **more: analyze_many([text], **more)], ids=["one", "many"])
@pytest.mark.usefixtures("nothing_sent")
def test_an_argument_of_no_use_is_refused_before_anything_is_sent(
    call: Any, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(AnalyzerError) as told:
        call(PITCH, **{"model": MODEL, "settings": SETTINGS} | arguments)
    assert says in str(told.value) and len(str(told.value).splitlines()) <= 2


@pytest.mark.parametrize(("arguments", "says"), WRONG_OF_MANY, ids=[str(one) for one, _ in WRONG_OF_MANY])
@pytest.mark.usefixtures("nothing_sent")
def test_an_argument_of_a_run_that_is_of_no_use_is_refused_before_anything_is_sent(
    arguments: dict[str, Any], says: str
) -> None:
    usual: dict[str, Any] = {"model": MODEL, "settings": SETTINGS}
    assert says in refused(lambda: analyze_many([PITCH], **usual | arguments))


def test_numbers_of_other_libraries_are_numbers() -> None:
    arguments: dict[str, Any] = {"concurrency": np.int64(2), "max_cost": Decimal("0.5"), "total": np.int64(1)}
    (result,) = analyze_many([PITCH], model="keywords", **arguments)
    assert result.error is None


def test_rulebooks_and_market_maps_may_be_paths(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    write_new(path)
    path.write_text(path.read_text(encoding="utf-8").replace('version = "', 'version = "mine-', 1), encoding="utf-8")
    version = Rulebook.load(path).version
    assert version.startswith("mine-")
    one = analyze(PITCH, model="keywords", rulebook=str(path))
    (many,) = analyze_many([PITCH], model="keywords", rulebook=path)
    scored = score(Signals(), str(path))
    assert many.assessment is not None
    assert {each.provenance.rulebook.version for each in (one, many.assessment, scored)} == {version}
    frame = pandas.DataFrame({"buyer": ["practitioner"]})
    assert score_table(frame, path).equals(score_table(frame, Rulebook.load(path)))
    done = compare({"k": [one]}, manual_of(tmp_path, one.pitch.id), rulebook=path)
    assert done.rulebook.startswith(version)


def manual_of(folder: Path, pitch: str | None) -> Path:
    path = folder / "manual.csv"
    path.write_text(f"pitch_id,rater,buyer\n{pitch},anna,practitioner\n", encoding="utf-8")
    return path


def test_signals_to_score_may_be_a_document_and_nothing_else() -> None:
    document = {"buyer": {"value": "practitioner"}}
    assert score(document) == score(Signals.model_validate(document))
    for other, says in (
        (None, "signals is None; pass Signals or a signals document (a dict)"),
        ("buyer", "signals is a str"),
        (score(Signals()), "signals is an Assessment; pass its .signals"),
        ({"signals": document}, "this is an assessment, not signals"),
        ({"buyr": "practitioner"}, "signals: buyr: Extra inputs are not permitted"),
    ):
        assert says in refused(lambda other=other: score(other))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"manual": 7}, "manual is an int; pass the path of a CSV"),
        ({"manual": None}, "manual is None"),
        ({"pitches": {"cabstand": PITCH}}, "pitches is a dict; pass the path of a folder"),
        ({"extracted": None}, "extracted is None"),
        ({"rulebook": 3}, "rulebook is an int"),
        ({"draws": "many"}, "draws is 'many'"),
    ],
    ids=str,
)
def test_a_comparison_refuses_what_it_cannot_use_in_one_line(arguments: dict[str, Any], says: str) -> None:
    usual: dict[str, Any] = {
        "extracted": ["keywords"],
        "manual": resource("fixtures/manual_scores.csv"),
        "pitches": PITCHES,
    }
    assert says in refused(lambda: compare(**usual | arguments))
