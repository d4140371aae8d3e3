"""A ranking says how far it can be trusted, and the same seed says it again."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analyzer import Rulebook, Signals, score
from analyzer.cli.main import cli
from analyzer.errors import InputError
from analyzer.framework.assessment import PitchRef
from analyzer.framework.many_pitches import coded_documents
from analyzer.framework.ranking import Ranked, rank
from analyzer.framework.scorer import Coded
from analyzer.results.result import Result
from analyzer.runs.portfolio import DRAWS, Portfolio
from analyzer.views.portfolio import write_portfolio
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import SIGNALS
from tests.framework.test_scoring import BEST, WORST
from tests.properties import runs
from tests.worlds import documents, flat_table

RIVAL = {"name": "A", "kind": "startup"}
MIDDLING: dict[str, Any] = {**BEST, "traction": "none", "differentiation": "claimed", "urgency": "important"}


def coded(*documents: dict[str, Any]) -> Coded:
    return coded_documents(Signals.model_validate(document) for document in documents)


def test_pitches_that_differ_in_everything_are_ranked_for_sure() -> None:
    first, second, third = rank(coded(WORST, BEST, MIDDLING), top=1, draws=200)
    assert [first.row, second.row, third.row] == [1, 2, 0]
    assert (first.best, first.worst, first.first, first.top, first.beats_next) == (1, 1, 1.0, 1.0, 1.0)
    assert third.beats_next is None


def test_equal_pitches_beat_each_other_half_the_time() -> None:
    known = {**BEST, "competitors": [{"name": "A", "kind": "established_vendor"}]}
    first, second = rank(coded(known, known), draws=50)
    assert first.beats_next == 0.5
    assert first.overall == second.overall


def test_pitches_that_say_nothing_can_be_anywhere() -> None:
    ranking = rank(coded(*[{}] * 5), draws=2000)
    assert all(found.best == 1 and found.worst == 5 for found in ranking)
    assert all(abs(found.first - 0.2) < 0.05 for found in ranking)


def test_the_expected_score_is_that_of_the_scorer() -> None:
    documents: list[dict[str, Any]] = [{}, BEST, WORST, {"buyer": {"value": "practitioner"}}]
    for found in rank(coded(*documents), draws=5):
        scores = score(Signals.model_validate(documents[found.row])).scores
        assert scores is not None
        assert found.overall == scores.overall.value


def test_chances_add_up_and_the_same_seed_gives_the_same_result() -> None:
    many = coded({}, BEST, MIDDLING, {"urgency": {"value": "important"}})
    one, again, other = (rank(many, draws=300, seed=seed, top=2) for seed in (1, 1, 2))
    assert one == again != other
    assert sum(found.first for found in one) == pytest.approx(1)
    assert sum(found.top for found in one) == pytest.approx(2)


@given(st.lists(documents(), min_size=1, max_size=12), st.integers(1, 40), st.integers(0, 5))
@runs(60)
def test_every_rank_lies_in_its_interval_and_the_list_is_in_its_order(
    many: list[dict[str, Any]], draws: int, seed: int
) -> None:
    ranking = rank(coded(*many), draws=draws, seed=seed)
    assert sorted(found.row for found in ranking) == list(range(len(many)))
    assert all(1 <= found.best <= found.rank <= found.worst <= len(many) for found in ranking)
    assert [found.rank for found in ranking] == sorted(found.rank for found in ranking)
    assert all(found.first <= found.top for found in ranking)


@given(documents(most_unknown=0).filter(lambda one: len(one["problems"]) > 0), st.integers(2, 4))
@runs(25)
def test_pitches_that_say_the_same_and_leave_nothing_out_share_a_rank(one: dict[str, Any], copies: int) -> None:
    one = {**one, "problems": [{"statement": "a problem", "stage": "day_2", "focus": "ml", "primary": True}]}
    one |= {"category": "model_serving", "personas": [{"role": "data_scientist"}], "competitors": [RIVAL]}
    ranking = rank(coded(*[one] * copies, {**one, "traction": "none"}, one), draws=20)
    shared = {(found.rank, found.best, found.worst, found.first) for found in ranking if found.row != copies}
    assert shared == {(1, 1, 1, 1.0)}


def test_a_favorite_that_is_uncertain_is_ranked_by_its_median_and_not_by_its_score() -> None:
    rng = random.Random(3)
    names = [name for name, values in INPUTS.items() if name not in LEANS]
    many = [
        {name: rng.choice(SIGNALS[name].values) for name in names if name in SIGNALS and rng.random() < 0.4}
        for _ in range(60)
    ]
    ranking = rank(coded(*many), draws=200)
    first = ranking[0]
    assert first.best < first.worst
    assert first.best <= first.rank == min(found.rank for found in ranking)
    assert [found.overall for found in ranking] != sorted((found.overall for found in ranking), reverse=True)


def test_weights_matter_where_pitches_have_different_strengths() -> None:
    strong_market = {**BEST, "buyer": "practitioner", "trust_route": "none"}
    strong_sales = {**BEST, "traction": "none", "urgency": "nice_to_have"}
    first, _ = rank(coded(strong_market, strong_sales), draws=500)
    assert first.beats_next is not None
    assert 0 < first.beats_next < 1


def test_what_is_out_of_scope_is_not_ranked() -> None:
    assert [found.row for found in rank(coded({"in_scope": False}, {}), draws=5)] == [1]
    assert rank(coded({"in_scope": False}), draws=5) == []


@pytest.mark.parametrize("arguments", [{"draws": 0}, {"draws": 10**9}, {"top": 0}, {"seed": -1}])
def test_draws_and_top_must_make_sense(arguments: dict[str, int]) -> None:
    with pytest.raises(InputError):
        rank(coded({}), **arguments)  # type: ignore[arg-type]


# ---------------------------------------------------------------- as commands


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    named = [("Best", BEST), ("Silent <b>", {}), ("Worst", WORST)]
    lines = [score(Signals.model_validate({**document, "product": name})).to_json(None) for name, document in named]
    path.write_text("\n".join([*lines, "{oops"]), encoding="utf-8")
    return path


def pitch(*arguments: object) -> Any:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def test_rank_shows_the_order_and_names_what_it_could_not_read(results: Path, tmp_path: Path) -> None:
    done = pitch("rank", results, "--draws", 50, "--report", tmp_path / "rank.html")
    assert done.exit_code == 1
    assert f"{results}, line 4" in done.stderr
    assert [done.stdout.index(name) for name in ("Best", "Silent", "Worst")] == sorted(
        done.stdout.index(name) for name in ("Best", "Silent", "Worst")
    )
    page = (tmp_path / "rank.html").read_text(encoding="utf-8")
    assert "Silent &lt;b&gt;" in page
    assert "stochastic multicriteria acceptability analysis" in page


def test_rank_as_json_is_a_list_best_first(results: Path) -> None:
    ranking = json.loads(pitch("rank", results, "--draws", 50, "--json").stdout)
    assert [row["pitch"] for row in ranking] == ["Best", "Silent <b>", "Worst"]
    assert set(ranking[0]) == {"id", "pitch", *Ranked.__dataclass_fields__}


def saved(path: Path, *pitches: tuple[str | None, str, dict[str, Any]]) -> Path:
    lines = [
        score(Signals.model_validate(document), pitch=PitchRef(id=own, title=title)).to_json(None)
        for own, title, document in pitches
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_each_ranked_pitch_carries_its_id_so_that_it_can_be_looked_up(tmp_path: Path) -> None:
    path = saved(tmp_path / "r.jsonl", ("a7", "One", BEST), ("b9", "Other", WORST), (None, "Nameless", MIDDLING))
    ranking = json.loads(pitch("rank", path, "--draws", 20, "--json").stdout)
    assert [(row["id"], row["pitch"]) for row in ranking] == [("a7", "One"), (None, "Nameless"), ("b9", "Other")]


def test_the_same_ranks_are_shown_in_the_terminal_in_json_and_in_both_reports(tmp_path: Path) -> None:
    pitches = [
        (f"p{n}", f"Pitch {n}", document) for n, document in enumerate([BEST, BEST, {}, {}, {}, MIDDLING, WORST])
    ]
    path = saved(tmp_path / "r.jsonl", *pitches)
    ranking = json.loads(pitch("rank", path, "--draws", DRAWS, "--json", "--report", tmp_path / "r.html").stdout)
    ranks = [str(row["rank"]) for row in ranking]
    assert ranks[:2] == ["1", "1"] and len(set(ranks)) < len(ranks)

    terminal = pitch("rank", path, "--draws", DRAWS).stdout.splitlines()[1 : len(ranking) + 1]
    assert [line.split()[0] for line in terminal] == ranks
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.findall(r'<tr><td class="n">(\d+)</td><td>(.*?)</td>', report) == [
        (str(row["rank"]), row["pitch"]) for row in ranking
    ]

    portfolio = Portfolio()
    for number, (own, title, document) in enumerate(pitches):
        assessment = score(Signals.model_validate(document), pitch=PitchRef(id=own, title=title))
        portfolio.add(Result(number, own, assessment))
    assert [(entry.id, found.rank, found.best, found.worst) for entry, found in portfolio.ranked()] == [
        (row["id"], row["rank"], row["best"], row["worst"]) for row in ranking
    ]
    write_portfolio(tmp_path / "portfolio.html", portfolio)
    page = (tmp_path / "portfolio.html").read_text(encoding="utf-8")
    assert re.findall(r'<tr id="(r\d+)".*?\n<td class="n">(\d+)</td>', page) == [
        (f"r{n}", place) for n, place in enumerate(ranks, 1)
    ]


@pytest.mark.parametrize("command", [["rank", "--draws", "20"], ["score"]], ids=["rank", "score"])
def test_a_file_named_twice_counts_once_whatever_way_its_path_is_written(tmp_path: Path, command: list[str]) -> None:
    path = saved(tmp_path / "r.jsonl", ("a", "One", BEST), ("b", "Other", WORST))
    again = tmp_path / "there" / ".." / "r.jsonl"
    (tmp_path / "there").mkdir()
    once, twice = pitch(*command, path, "--json"), pitch(*command, path, again, "--json")
    assert len(twice.stdout.splitlines()) >= 2
    assert json.loads(f"[{','.join(once.stdout.splitlines())}]" if command == ["score"] else once.stdout) == json.loads(
        f"[{','.join(twice.stdout.splitlines())}]" if command == ["score"] else twice.stdout
    )
    assert f"pitch: {again} is named twice; it counts once\n" in twice.stderr


def test_a_pitch_that_is_in_two_files_is_ranked_twice_and_named(tmp_path: Path) -> None:
    one = saved(tmp_path / "one.jsonl", ("a", "One", BEST), ("b", "Other", WORST))
    other = saved(tmp_path / "other.jsonl", ("a", "One", MIDDLING), ("c", "Third", {}))
    done = pitch("rank", one, other, "--draws", 20, "--json")
    assert [row["id"] for row in json.loads(done.stdout)].count("a") == 2
    assert done.stderr == "pitch: 1 pitch appears more than once and is ranked as often: One\n"


def test_a_parquet_file_is_scored_into_another_and_ranked(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    parquet.write_table(flat_table([Signals(), Signals.model_validate(BEST)], ids=["a", "b"]), source)
    assert pitch("score", source, "-o", target).exit_code == 0
    rows = parquet.read_table(target).to_pylist()
    alone = score(Signals.model_validate(BEST)).scores
    assert alone is not None
    assert [row["id"] for row in rows] == ["a", "b"]
    assert (rows[1]["overall"], rows[1]["overall_low"]) == (alone.overall.value, alone.overall.low)
    assert [row["pitch"] for row in json.loads(pitch("rank", source, "--json", "--draws", 20).stdout)] == ["b", "a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"text": ["x"]}, "holds no signals"),
        ({"buyer": ["cto"]}, "in the rows from 1 on: row 1: buyer has no value 'cto'"),
    ],
)
def test_a_parquet_file_that_does_not_fit_leaves_nothing_behind(
    tmp_path: Path, columns: dict[str, list[str]], says: str
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    done = pitch("score", tmp_path / "in.parquet", "-o", tmp_path / "out.parquet")
    assert done.exit_code == 2
    assert says in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_a_file_is_never_scored_over_itself(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "in.parquet"
    parquet.write_table(flat_table([Signals()], ids=["a"]), path)
    before = path.read_bytes()
    done = pitch("score", path, "-o", path)
    assert done.exit_code == 2
    assert "is one of the inputs" in done.stderr
    assert path.read_bytes() == before


def test_several_files_are_ranked_together(tmp_path: Path, results: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("a", "b"):
        parquet.write_table(flat_table([Signals()], ids=[name]), tmp_path / f"{name}.parquet")
    ranking = json.loads(
        pitch("rank", results, tmp_path / "a.parquet", tmp_path / "b.parquet", "--json", "--draws", 9).stdout
    )
    assert {row["pitch"] for row in ranking} == {"Best", "Silent <b>", "Worst", "a", "b"}


@pytest.mark.parametrize("command", ["score", "rank"])
def test_a_file_without_signals_gets_an_error(tmp_path: Path, command: str) -> None:
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    done = pitch(command, tmp_path / "empty.jsonl")
    assert done.exit_code == 2
    assert "no signals found in" in done.stderr


# ---------------------------------------------------------------- rulebooks of one's own


def test_a_rulebook_of_ones_own_starts_as_a_copy_that_judges_alike(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert pitch("framework", "--new", mine).exit_code == 0
    assert Rulebook.load(mine).sha256 == Rulebook.built_in().sha256
    again = pitch("framework", "--new", mine)
    assert again.exit_code == 2
    assert "left as it is" in again.stderr
    assert pitch("framework", "--diff", mine, mine).stdout == "No differences: both judge alike, in the same words.\n"


CHANGES = {
    r'\["crowded", 1, "many"\]': '["crowded", 3, "many"]',
    r"for_above = 55": "for_above = 60",
    r'(id = "built-in-house"\n(?:.+\n)*?)weight = 2\n': r"\1weight = 3\n",
}
"""What a new rulebook changes: points, a limit of the verdict and a weight, whatever the cards are titled."""


@pytest.fixture
def changed(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    pitch("framework", "--new", old)
    text = old.read_text(encoding="utf-8")
    for pattern, replacement in CHANGES.items():
        text, count = re.subn(pattern, replacement, text)
        assert count == 1, f"{pattern} matches {count} places of the rulebook"
    new.write_text(text, encoding="utf-8")
    return old, new


def test_diff_names_every_change_of_the_rules(changed: tuple[Path, Path]) -> None:
    assert pitch("framework", "--diff", *changed).stdout.splitlines() == [
        "verdict: against below 45, for above 55 -> 45, 60",
        "less-crowded: crowding=crowded: 1 -> 3 points",
        "built-in-house: weight 2 -> 3",
    ]


def test_against_shows_which_pitches_change_by_how_much_and_through_what(
    changed: tuple[Path, Path], results: Path
) -> None:
    old, new = changed
    done = pitch("score", results, "--rulebook", new, "--against", old)
    assert done.exit_code == 1
    assert "Worst" in done.stdout
    assert "through" in done.stdout
    shifts = json.loads(pitch("score", results, "--rulebook", new, "--against", old, "--json").stdout)
    worst = next(shift for shift in shifts if shift["title"] == "Worst")
    assert {effect["consideration"] for effect in worst["effects"]} >= {"less-crowded"}
    assert sum(effect["by"] for effect in worst["effects"]) == pytest.approx(worst["by"], abs=0.05)


def test_the_same_rulebook_changes_nothing(results: Path, changed: tuple[Path, Path]) -> None:
    assert "agree on all" in pitch("score", results, "--against", changed[0]).stdout
