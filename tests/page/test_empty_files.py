"""A file without anything to read is said to be that, wherever the page takes files, and nothing is asked or begun."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.page.session import ManualScoringState
from tests.page.test_portfolio import labels, with_table
from tests.page.visitor import button, visit

FILES = [
    ("a.txt", b"", "a.txt is empty (0 bytes)"),
    ("a.md", b" \n\t\n", "a.md holds nothing but spaces"),
    ("a.pdf", b"", "a.pdf is empty (0 bytes)"),
    ("a.html", b"<html></html>", "a.html holds no text"),
]
TABLES = [
    ("a.csv", b"", "a.csv is empty; its first line has to name the columns"),
    ("a.csv", b"id,pitch\n", "has no rows, so there is nothing to read"),
    ("a.csv", b"id,pitch\n1,\n2, \n", "the column of the pitch is empty. Choose another column or file"),
    ("a.json", b"[]", "has no rows"),
]


@pytest.mark.parametrize(("name", "data", "says"), FILES, ids=[each[2] for each in FILES])
def test_an_empty_file_is_said_to_be_that_on_analyze_and_manual_scoring(name: str, data: bytes, says: str) -> None:
    def script() -> None:
        from analyzer.page import manual_scoring_queue, pitch_field
        from analyzer.page.session import session

        pitch_field.field()
        pitch_field.file()
        pitch_field.show_error()
        manual_scoring_queue._from_file(session().manual_scoring)

    page = AppTest.from_function(script, default_timeout=30).run()
    for field in page.file_uploader:
        field.set_value((name, data, "text/plain"))
    page.run()

    assert not page.exception
    assert [says in each.value for each in page.error] == [True, True]
    assert visit(page).manual_scoring.file is None is ManualScoringState().file
    assert not page.text_area[0].value


@pytest.mark.parametrize(("name", "data", "says"), TABLES, ids=[each[2] for each in TABLES])
def test_a_table_without_a_pitch_is_said_to_be_that_and_cannot_be_started(name: str, data: bytes, says: str) -> None:
    page = with_table(data, name)

    assert not page.exception and says in page.warning[0].value
    assert name in page.warning[0].value
    if "first line" not in says:
        assert button(page, "Start").disabled
    assert not [label for label in labels(page) if label.startswith("Read ")]


@pytest.mark.parametrize(("name", "data", "says"), TABLES[1:], ids=[each[2] for each in TABLES[1:]])
def test_a_queue_of_a_table_without_a_pitch_is_said_to_be_empty(name: str, data: bytes, says: str) -> None:
    def script() -> None:
        from analyzer.page.manual_scoring_queue import choose_pitch
        from analyzer.page.session import session

        session().manual_scoring.fields["source"] = "A table"
        choose_pitch(session().manual_scoring, [])

    page = AppTest.from_function(script, default_timeout=30).run()
    page.file_uploader[0].set_value((name, data, "text/csv")).run()

    assert not page.exception and "has no row with a pitch" in page.error[0].value
