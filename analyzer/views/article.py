"""The article behind the framework, and its words in two sentences each pair, for where people first meet them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.framework.rulebook import Side
from analyzer.views.html import Html, tag

AUTHOR: Final = "Assaf Pinhasi"
TITLE: Final = "A simple framework for evaluating ML infra and tooling product ideas"
ADDRESS: Final = (
    "https://assaf-pinhasi.medium.com/a-simple-framework-for-evaluating-ml-infra-and-tooling-product-ideas-be2b3b19d989"
)
MEANS: Final[Mapping[Side, str]] = {
    "day_1": "The basic mechanics needed to use machine learning at all, up to its first effect on customers.",
    "day_2": "Keeping and improving machine learning that already runs: maintenance, the last mile, its economics.",
    "ml": "Work of data scientists: data, experiments, the quality of models.",
    "engineering": "Work of engineers: machines, endpoints, what serving costs.",
}
"""What each side is about."""
_STAGES: Final = (
    "Day 1 is everything up to the first effect of machine learning on customers; day 2 is keeping and improving what "
    "already runs."
)
_FOCUSES: Final = (
    "ML problems are those of data scientists (data, experiments, the quality of models); engineering problems are "
    "those of machines, endpoints, and what serving costs."
)


def terms(heading: str) -> Html:
    """A heading that unfolds to what day 1, day 2, ML and engineering mean, with a link to the article."""
    link = tag("a", TITLE, class_="article", href=ADDRESS, target="_blank", rel="noopener noreferrer")
    source = tag("p", f"From {AUTHOR}, ", link, ".")
    return unfolding(heading, "what day 1 and ML mean", tag("p", f"{_STAGES} {_FOCUSES}"), source)


def unfolding(heading: str, hint: str, *paragraphs: Html) -> Html:
    """A heading that unfolds to its explanation."""
    return tag("details", tag("summary", tag("h2", heading), tag("span", hint)), *paragraphs, class_="terms")
