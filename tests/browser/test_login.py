"""A login by OpenID Connect, the whole way round: to the provider and back, and what belongs to whom then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import harness

pytest.importorskip("authlib", reason="the extra `login` is not installed")

from tests.browser.login_provider import CLIENT, login_provider


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page, for those who log in with a provider on this machine."""
    port = harness.free_port()
    with login_provider() as issuer:
        secrets = tmp_path / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(
            f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "only-for-this-test-and-long-enough"
client_id = "{CLIENT[0]}"
client_secret = "{CLIENT[1]}"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
""",
            encoding="utf-8",
        )
        settings = {
            "PITCH_MODEL": "",
            "PITCH_STORE": f"sqlite:///{tmp_path / 'store.db'}",
            "HOME": str(tmp_path),
            "AUTHLIB_INSECURE_TRANSPORT": "1",
        }
        with harness.served_page(settings, port=port, log=tmp_path / "log") as address:
            yield address


def log_in(page: Page, who: str) -> None:
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    page.get_by_role("link", name=who).click()
    expect(page.get_by_text(f"Logged in as {who}@example.com")).to_be_visible()


def test_a_visitor_logs_in_at_the_provider_and_nobody_else_sees_what_is_theirs(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/portfolio")
    expect(page.get_by_text("Log in to use this page.")).to_be_visible()
    expect(page.get_by_role("button", name="Use the samples")).to_have_count(0)

    log_in(page, "ann")
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").click()
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    expect(page.get_by_text("Saved in your History")).to_be_visible()
    expect(page).to_have_url(re.compile("run=[0-9a-f]{32}"))
    portfolio = page.url

    other = browser.new_context().new_page()
    other.set_default_timeout(60_000)
    other.goto(portfolio)
    expect(other.get_by_text("Log in to use this page.")).to_be_visible()
    log_in(other, "bob")
    other.goto(portfolio)
    expect(other.get_by_text("There is no portfolio at this address")).to_be_visible()
    expect(other.get_by_text("Nightmill")).to_have_count(0)
    other.goto(f"{address}/history")
    expect(other.get_by_text("Nothing is saved yet.")).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.goto(portfolio)
    expect(page.get_by_text("Log in to use this page.")).to_be_visible()
