"""What the server keeps under an address is found by those who have the address, for a while, and only by its owner."""

from __future__ import annotations

from analyzer.page.shelf import LONGEST, Shelf


def test_a_value_is_found_by_its_id_and_by_no_other() -> None:
    shelf: Shelf[str] = Shelf(room=3)
    one, other = shelf.put("one", None), shelf.put("other", None)

    assert (shelf.get(one, None), shelf.get(other, "anna"), shelf.get("guess", None)) == ("one", "other", None)
    assert len({one, other}) == 2
    assert min(len(one), len(other)) >= 22


def test_a_value_with_an_owner_opens_for_nobody_else() -> None:
    shelf: Shelf[str] = Shelf(room=3)
    id_ = shelf.put("mine", "anna")

    assert [shelf.get(id_, owner) for owner in ("anna", "ben", None)] == ["mine", None, None]


def test_the_oldest_gives_way_and_nothing_stays_for_good() -> None:
    now = [0.0]
    shelf: Shelf[str] = Shelf(room=2, clock=lambda: now[0])
    ids = [shelf.put(value, None) for value in ("a", "b", "c")]
    assert [shelf.get(id_, None) for id_ in ids] == [None, "b", "c"]

    now[0] = LONGEST + 1
    assert [shelf.get(id_, None) for id_ in ids] == [None, None, None]


def test_what_an_owner_deletes_is_gone_and_what_belongs_to_others_stays() -> None:
    shelf: Shelf[str] = Shelf(room=5)
    mine, also_mine, theirs = shelf.put("x", "anna"), shelf.put("y", "anna"), shelf.put("x", "ben")

    shelf.remove(lambda value: value == "x", "anna")

    assert [shelf.get(mine, "anna"), shelf.get(also_mine, "anna"), shelf.get(theirs, "ben")] == [None, "y", "x"]
