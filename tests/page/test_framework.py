"""The page of the framework."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.page.visitor import markup


def test_the_framework_page_shows_every_consideration_with_its_table() -> None:
    def script() -> None:
        from analyzer.page import framework

        framework.show()

    page = AppTest.from_function(script, default_timeout=30).run()

    assert not page.exception
    assert markup(page).count("Decision table, ") == 12
    assert "Benefit for data scientists" in markup(page)
