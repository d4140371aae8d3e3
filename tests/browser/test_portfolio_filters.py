"""The portfolio as an HTML file filters as the page does."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from analyzer.framework.assessment import PitchRef
from analyzer.framework.one_pitch import score
from analyzer.results.result import Result
from analyzer.runs.portfolio import FILTER_FIELDS, Filter, Portfolio, filter_facts
from analyzer.views.portfolio import write_portfolio
from analyzer.vocabulary.signals import Signals

PROBLEM = {"statement": "s", "stage": "day_2", "focus": "engineering"}


def test_the_html_portfolio_filters_as_the_page_does(browser: Browser, tmp_path: Path) -> None:
    titles = ("Idle GPUs", "Straße & Söhne", "ΣΊΣΥΦΟΣ rolls", "İstanbul tables", "Words\u00a0apart")
    portfolio = Portfolio()
    for number, title in enumerate(titles):
        stage, focus = (("day_1", "ml"), ("day_2", "engineering"))[number % 2]
        signals = Signals.model_validate({"product": title, "problems": [PROBLEM | {"stage": stage, "focus": focus}]})
        found = score(signals, pitch=PitchRef(id=f"p{number}", title=title, sha256=str(number)))
        portfolio.add(Result(number, f"p{number}", found))
    write_portfolio(tmp_path / "portfolio.html", portfolio)
    words = (
        "",
        "gpus IDLE",
        "STRASSE",
        "straße",
        "σίσυφος",
        "ISTANBUL",
        "i̇stanbul",
        "words apart",
        "P3",
        "\u00a0 ",
        "none",
    )
    fields: list[dict[str, str]] = [
        {},
        *({field.name: value} for field in FILTER_FIELDS for value in field.choices(portfolio.entries)),
        {"stage": "day_1", "focus": "engineering"},
    ]
    wanted = [Filter(words=each) for each in words] + [Filter(chosen=each, without_warnings=True) for each in fields]

    page = browser.new_page()
    page.goto((tmp_path / "portfolio.html").as_uri())
    for filter_ in wanted:
        page.locator("[data-filter-words]").fill(filter_.words)
        for field in FILTER_FIELDS:
            page.locator(f"[data-filter-field={field.name}]").select_option(filter_.chosen.get(field.name, ""))
        page.locator("[data-filter-warnings]").set_checked(filter_.without_warnings)
        shown = page.locator("tbody tr[data-words]:visible").evaluate_all("rows => rows.map(row => row.dataset.words)")
        assert sorted(shown) == sorted(
            filter_facts(entry)["words"] for entry in portfolio.entries if filter_.matches(entry)
        ), filter_
