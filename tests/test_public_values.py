"""What the package hands out is a value: it goes through pickle, copies and process pools, and equal ones are equal."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import analyzer
from analyzer import MarketMap, Rulebook, Signals, analyze, analyze_many, compare, read_manual, score
from analyzer import errors as tree
from analyzer.errors import AnalyzerError, RulebookError
from analyzer.files.document import Document, Page, Unread
from analyzer.framework.many_pitches import coded_documents
from analyzer.framework.one_pitch import what_if
from analyzer.framework.ranking import rank
from analyzer.framework.revision import shift
from analyzer.resources import resource
from analyzer.results.result import Progress, UnexpectedError
from analyzer.settings import Settings
from tests.conftest import PITCHES

MODULES = (
    "analyzer.framework.assessment",
    "analyzer.vocabulary.signals",
    "analyzer.agreement.records",
    "analyzer.files.manual_scores",
    "analyzer.framework.ranking",
    "analyzer.framework.revision",
    "analyzer.framework.rulebook",
    "analyzer.framework.market",
)
"""Where the types of public values live; what their public functions return holds others of the same modules."""


def every_error() -> list[type[AnalyzerError]]:
    found = [AnalyzerError]
    for each in found:
        found += each.__subclasses__()
    return [each for each in dict.fromkeys(found) if each.__module__.startswith("analyzer.")]


def one_of(kind: type[AnalyzerError]) -> AnalyzerError:
    error = kind("a.toml", ["this is wrong", "that too"]) if issubclass(kind, tree._FaultyData) else kind("it broke")
    error.retry_after = 3.5  # type: ignore[attr-defined]  # what is set on an error goes along
    return error


@cache
def public_values() -> list[Any]:
    """Values of the kinds that the public functions return, from the samples; together they hold every public type."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PITCHES.glob("*.txt"))}
    assessments = [analyze(text, model="recorded", id=name) for name, text in texts.items()]
    fail = "A pitch that nobody recorded."
    seen: list[Progress] = []
    results = list(analyze_many([*texts.items(), fail], model="recorded", on_progress=seen.append))
    edited = what_if(assessments[0], {"buyer": "engineering_leadership"})
    coded = coded_documents(one.signals for one in assessments)
    manual = read_manual(resource("fixtures/manual_scores.csv"))
    comparison = compare(["recorded", "keywords"], resource("fixtures/manual_scores.csv"), pitches=PITCHES, draws=100)
    deck = Document(
        "deck.pptx", "pptx", "0" * 64, "slide", (Page(1, fail),), (Unread("hidden_slides", 1, (2,)),), total=2
    )
    values = [
        *assessments,
        *results,
        edited,
        analyze(deck, model="keywords"),
        analyze(next(iter(texts.values())), model="recorded", verify=True),
        analyze(next(iter(texts.values())), model=["recorded", "keywords"]),
        seen[-1],
        *rank(coded, draws=5),
        analyzer.rank(assessments, draws=5),
        shift(assessments[0], edited),
    ]
    return [
        *values,
        manual,
        comparison,
        Rulebook.built_in(),
        MarketMap.built_in(),
        Settings(),
        *map(one_of, every_error()),
    ]


def within(value: Any) -> Iterator[Any]:
    """The value and every record in it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from within(getattr(value, name))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in dataclasses.fields(value):
            yield from within(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from within(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from within(entry)
    elif isinstance(value, BaseException):
        yield value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, BaseException):
        return type(one) is type(other) and str(one) == str(other) and one.__dict__ == other.__dict__
    if type(one) is not type(other):
        return False
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    return repr(one) == repr(other)  # NaN is not equal to itself; everything else is compared too


def test_what_the_public_functions_return_holds_every_public_type() -> None:
    reached = {kind for value in public_values() for found in within(value) for kind in type(found).__mro__}
    named = [getattr(analyzer, name) for name in analyzer.__all__]
    wanted = {each for each in named if inspect.isclass(each)} | set(every_error())
    for module in map(import_module, MODULES):
        for name, each in vars(module).items():
            own = inspect.isclass(each) and each.__module__ == module.__name__ and not name.startswith("_")
            if own and (issubclass(each, BaseModel) or dataclasses.is_dataclass(each)):
                wanted.add(each)
    not_returned = {"SignalSpec", "ManualError"}
    assert {each.__name__ for each in wanted - reached} <= not_returned


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_public_value_comes_back_from_pickle_as_it_was(protocol: int) -> None:
    for value in public_values():
        back = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  # our own
        assert same(back, value), type(value)


def test_every_record_by_itself_comes_back_from_pickle_and_from_copies() -> None:
    kinds: dict[type, Any] = {}
    for value in public_values():
        for found in within(value):
            kinds.setdefault(type(found), found)
    for kind, found in kinds.items():
        for back in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):  # noqa: S301
            assert same(back, found), kind
            if not isinstance(found, BaseException) and getattr(found, "error", None) is None:  # errors have no ==
                assert back == found, kind


def test_what_comes_back_scores_to_the_same_bytes() -> None:
    assessment = analyze((PITCHES / "taperline.txt").read_text(encoding="utf-8"), model="keywords")
    signals, rules = pickle.loads(pickle.dumps((assessment.signals, Rulebook.built_in())))  # noqa: S301
    assert score(signals, rules).scores == assessment.scores
    assert type(signals.buyer) is type(assessment.signals.buyer)
    assert Signals.model_validate(signals.model_dump()) == signals


def test_equal_rulebooks_are_equal_whatever_has_been_scored_with_them() -> None:
    content = Rulebook.built_in().model_dump(mode="json")
    one, other = Rulebook.model_validate(content), Rulebook.model_validate(content)
    score(Signals(), one)
    heavier = content | {"considerations": [dict(each, weight=1.5) for each in content["considerations"]]}
    assert one == other and hash(one) == hash(other) and len({one, other}) == 1
    assert one != Rulebook.model_validate(heavier)
    assert one != "a rulebook"
    assert other in [one]
    assert one.considerations[0] == other.considerations[0]
    assert hash(one.considerations[0]) == hash(other.considerations[0])
    shuffled = json.loads(json.dumps(content, sort_keys=True))
    assert hash(Rulebook.model_validate(shuffled).considerations[0]) == hash(one.considerations[0])


def test_equal_market_maps_are_equal_and_have_one_hash() -> None:
    one, other = (MarketMap.model_validate(MarketMap.built_in().model_dump()) for _ in range(2))
    one.match("Kubeflow")
    assert one == other and len({one, other}) == 1


POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from analyzer import Rulebook, analyze, analyze_many, score
from analyzer.errors import PitchError, RulebookError

TEXT = "Wattwise cuts the GPU bill of teams that train models. Free to try: pip install wattwise."

def read(number):
    return analyze(f"{TEXT} It is number {number}.", model="keywords")

def judge(given):
    return score(*given)

def many(number):
    return list(analyze_many([TEXT, ""], model="keywords"))

def fail(number):
    return analyze("", model="keywords")

def misread(number):
    return Rulebook.load("no-such-rulebook.toml")

if __name__ == "__main__":
    here = read(0)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[1])) as pool:
        assert list(pool.map(read, [0, 0], timeout=60)) == [here, here]
        (again,) = pool.map(judge, [(here.signals, Rulebook.built_in())], timeout=60)
        assert again.scores == here.scores
        (results,) = pool.map(many, [0], timeout=60)
        assert sorted(result.error.kind if result.error else "read" for result in results) == ["pitch", "read"]
        for broken, error in ((fail, PitchError), (misread, RulebookError)):
            try:
                list(pool.map(broken, [0], timeout=60))
            except error as told:
                print(type(told).__name__, str(told).splitlines()[0])
    print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_assessments_and_errors_come_back_from_process_pools(method: str, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not {method}")
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "PitchError the pitch is empty; it needs at least a sentence of text",
        "RulebookError no-such-rulebook.toml: 1 fault",
        "done",
    ]


def test_an_error_with_its_faults_keeps_them_on_the_way() -> None:
    back = pickle.loads(pickle.dumps(RulebookError("my.toml", ["a", "b"])))  # noqa: S301
    assert (back.source, back.faults, str(back)) == ("my.toml", ("a", "b"), "my.toml: 2 faults\n  a\n  b")
    assert pickle.loads(pickle.dumps(UnexpectedError("x"))).kind == "unexpected"  # noqa: S301
