"""Login on the page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.page.visitor import ROOT, button


def test_where_login_is_set_up_nothing_is_shown_before_it() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    page.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "client_id": "x"}

    page.run()

    assert not page.exception
    assert not page.text_area
    assert [found.label for found in page.button] == ["Log in"]


def test_login_that_cannot_work_says_what_is_missing() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    page.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "client_id": "x"}
    page.run()

    button(page, "Log in").click().run()

    assert "Login is set up but does not work" in page.error[0].value
    assert not page.exception
