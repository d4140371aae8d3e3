"""Saved portfolios: filled as a run goes, gone on with, and nobody else's business."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzer.store.answers import StoredAnswer
from analyzer.store.portfolios import Claim, NewPitch, SavedResult
from analyzer.store.store import Store
from tests.store.test_store import answer, store, url

__all__ = ["store", "url"]  # fixtures


def begun(store: Store, owner: str = "ann", count: int = 3, name: str = "t.csv") -> Claim:
    claim = store.portfolios.create(owner=owner, name=name, model="openai/m", options={"max_cost": 2.5})
    assert store.portfolios.add(claim, pitches(count))
    return claim


def pitches(count: int) -> Iterator[NewPitch]:
    for number in range(count):
        yield NewPitch(number, {"id": f"p{number}", "text": "Größe \ud83d 日本"})


def test_a_portfolio_is_found_by_its_owner_with_how_far_it_is(store: Store) -> None:
    claim = begun(store)
    assert store.portfolios.save_results(claim, [SavedResult(1, '{"word": "for"}', "sha")], {"elapsed": 2.0})

    found = store.portfolios.find("ann", claim.portfolio)

    assert found is not None
    assert (found.name, found.model, found.options) == ("t.csv", "openai/m", {"max_cost": 2.5})
    assert (found.total, found.finished, found.figures) == (3, 1, {"elapsed": 2.0})
    assert [(each.number, each.result, each.sha256) for each in store.portfolios.pitches("ann", claim.portfolio)] == [
        (0, None, None),
        (1, {"word": "for"}, "sha"),
        (2, None, None),
    ]
    assert {each.pitch["text"] for each in store.portfolios.pitches("ann", claim.portfolio)} == {"Größe \ud83d 日本"}


def test_many_pitches_come_back_in_their_order(store: Store) -> None:
    claim = begun(store, count=450)
    assert [each.number for each in store.portfolios.pitches("ann", claim.portfolio)] == list(range(450))


def test_a_portfolio_whose_pitches_are_not_all_saved_has_no_total(store: Store) -> None:
    claim = store.portfolios.create(owner="ann", name="t.csv", model="m", options={})

    def broken() -> Iterator[NewPitch]:
        yield from pitches(2)
        raise OSError

    with pytest.raises(OSError):
        store.portfolios.add(claim, broken())

    found = store.portfolios.find("ann", claim.portfolio)
    assert found is not None and found.total is None


def test_nobody_finds_reads_changes_or_deletes_another_owners_portfolio(store: Store) -> None:
    id_ = begun(store).portfolio

    assert store.portfolios.find("bob", id_) is None
    assert store.portfolios.search("bob") == []
    assert list(store.portfolios.pitches("bob", id_)) == []
    assert store.portfolios.claim("bob", id_) is None
    store.portfolios.choose("bob", id_, 0, True)
    assert store.portfolios.delete("bob", [id_]) == 0
    assert store.portfolios.delete("bob") == 0
    assert [each.shortlisted for each in store.portfolios.pitches("ann", id_)] == [False] * 3


def test_whoever_goes_on_with_a_portfolio_ends_the_writing_of_whoever_began_it(store: Store) -> None:
    before = begun(store)

    after = store.portfolios.claim("ann", before.portfolio)

    assert after is not None
    assert not store.portfolios.save_results(before, [SavedResult(0, '{"by": "before"}')])
    assert not store.portfolios.report(before, {"by": "before"})
    assert not store.portfolios.add(before, [NewPitch(9, {})])
    assert store.portfolios.save_results(after, [SavedResult(0, '{"by": "after"}')])
    assert next(store.portfolios.pitches("ann", before.portfolio)).result == {"by": "after"}


def test_a_deleted_portfolio_cannot_be_written_any_more(store: Store) -> None:
    claim = begun(store)
    store.portfolios.delete("ann", [claim.portfolio])

    assert not store.portfolios.save_results(claim, [SavedResult(0, "{}")])
    assert list(store.portfolios.pitches("ann", claim.portfolio)) == []
    assert store.portfolios.count() == 0


def test_the_shortlist_is_saved(store: Store) -> None:
    id_ = begun(store).portfolio
    store.portfolios.choose("ann", id_, 1, True)
    store.portfolios.choose("ann", id_, 2, True)
    store.portfolios.choose("ann", id_, 1, False)
    assert [each.shortlisted for each in store.portfolios.pitches("ann", id_)] == [False, False, True]


def test_portfolios_are_found_by_their_names_newest_first(store: Store) -> None:
    first, second = begun(store, name="Batch one.csv").portfolio, begun(store, name="batch TWO.csv").portfolio
    begun(store, owner="bob", name="batch three.csv")

    assert [each.id for each in store.portfolios.search("ann")] == [second, first]
    assert [each.id for each in store.portfolios.search("ann", "one BATCH")] == [first]
    assert store.portfolios.search("ann", "%") == []


def test_answers_go_with_the_last_portfolio_or_assessment_of_their_pitch(store: Store) -> None:
    def asked(key: str, pitch: str) -> StoredAnswer:
        return answer(key, pitch_sha256=pitch)

    claim, other = begun(store), begun(store, owner="bob")
    store.portfolios.save_results(claim, [SavedResult(0, "{}", "own"), SavedResult(1, "{}", "shared")])
    store.portfolios.save_results(claim, [SavedResult(2, "{}", "assessed")])
    store.portfolios.save_results(other, [SavedResult(0, "{}", "shared")])
    store.history.save(owner="ann", title="T", pitch_sha256="assessed", model="m", text="t", document="{}")
    store.answers.save([asked("1", "own"), asked("2", "shared"), asked("3", "assessed")])

    store.portfolios.delete("ann", [claim.portfolio])
    assert set(store.answers.find(["1", "2", "3"])) == {"2", "3"}

    store.history.delete("ann")
    assert set(store.answers.find(["1", "2", "3"])) == {"2"}
    store.portfolios.delete("bob")
    assert store.answers.find(["1", "2", "3"]) == {}
