"""What the signals and their values mean, in sentences that a person would say.

A record's rule and meanings decide cases, for a model and for a rater alike (docs/codebook.md). These sentences decide
nothing: they explain, in help texts and under the values of a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.vocabulary.labels import capital
from analyzer.vocabulary.records import SIGNALS, UNKNOWN

SAYS_NOTHING: Final = "The pitch does not say, or not clearly."

ABOUT: Final[Mapping[str, str]] = {
    "in_scope": "Whether it is for people who build, run or improve machine learning. A product that only uses AI is "
    "not.",
    "stage": "When a team has this problem: while it gets started with machine learning, or once models are in use.",
    "focus": "What kind of work the problem causes without the product, whoever does it.",
    "main_user": "Who works with it every day.",
    "competitors": "What customers use, or could use, instead.",
    "buyer": "Who decides to pay for it.",
    "pricing": "What is free, and what costs money.",
    "category": "The step of machine learning work that customers buy it for.",
    "lifecycle_scope": "How many of five steps it covers: data, training, evaluation, deployment, monitoring.",
    "differentiation": "How it differs from the alternatives, and who has shown that.",
    "market_breadth": "How many kinds of companies could use it.",
    "urgency": "How much the problem hurts customers today.",
    "business_impact": "What the problem costs a customer, in money, delay or risk.",
    "value_at_stake": "How much depends on the problem for one customer.",
    "onboarding": "What it takes before the first use.",
    "data_movement": "Which data leaves the customer's own systems.",
    "trust_route": "Why a careful buyer would trust this vendor.",
    "data_science_fit": "What data scientists get from it.",
    "traction": "Evidence that others have the problem too.",
}
"""What each thing that can be edited or scored is about, in a sentence."""

_EXPLAINED: Final[Mapping[str, Mapping[str, str]]] = {
    "in_scope": {
        "yes": "The framework applies.",
        "no": "The framework does not apply, so there is no score.",
    },
    "stage": {
        "day_1": "Getting to use machine learning at all: data, experiments, the first deployment.",
        "day_2": "Keeping or improving what already runs: cost, drift, errors, retraining.",
        "mixed": "As much of the one as of the other.",
        "both": "One problem that appears at both times.",
        "unclear": SAYS_NOTHING,
    },
    "focus": {
        "ml": "Work on data, models, training or prompts.",
        "engineering": "Work on machines, services, storage or pipelines.",
        "mixed": "As much of the one as of the other.",
        "both": "Both kinds of work alike.",
        "unclear": SAYS_NOTHING,
    },
    "main_user": {
        "data_scientist": "Trains models or works with data; also a researcher.",
        "ml_engineer": "Gets models into use: serves, compresses, deploys them.",
        "ai_engineer": "Builds applications or agents on large language models.",
        "data_science_manager": "Leads data scientists.",
        "data_engineer": "Builds pipelines and tables.",
        "platform_engineer": "Runs machines and clusters; also infrastructure, DevOps, SRE or MLOps.",
        "software_engineer": "Writes software in general.",
        "annotator": "Labels data.",
        "business_user": "Works in the business, not with code or data.",
        "other": "Somebody else.",
    },
    "competitors": {
        "startup": "A young company.",
        "open_source": "An open-source project.",
        "cloud_vendor": "AWS, Google Cloud or Azure.",
        "established_vendor": "A large company, known for long.",
        "in_house": "Customers build it themselves.",
        "manual_process": "People do the work, without a tool.",
    },
    "buyer": {
        "practitioner": "The people who use it pay for it themselves.",
        "data_science_leadership": "The head of data science or machine learning.",
        "engineering_leadership": "The CTO, a VP of engineering or the head of the platform.",
        "business_leadership": "The CEO, or whoever is responsible for product, finance or risk.",
    },
    "pricing": {
        "free_only": "All of it is free; there is nothing to buy.",
        "by_quote": "You have to talk to sales first, or it costs at least $10,000 a year.",
        "self_checkout": "Nothing is free, but anybody can pay without talking to sales.",
        "free_then_paid": "Part of it is free, and more is for sale.",
    },
    "category": {value: f"{capital(meaning)}." for value, meaning in SIGNALS["category"].meanings.items()},
    "lifecycle_scope": {
        "single_step": "At most one of the steps.",
        "several_steps": "Two or three of the steps.",
        "end_to_end": "Four of the steps, or all five.",
    },
    "differentiation": {
        "none": "The pitch says that it does the same as others.",
        "claimed": "It is said to be better, without saying than what, or how that was measured.",
        "specific": "The pitch names a concrete difference, and the alternative that lacks it.",
        "measured": "The vendor measured the difference, and says against what and with what.",
        "proven": "Others say so: a customer with a result, an independent benchmark, a paper.",
    },
    "market_breadth": {
        "niche": "The pitch itself limits who has the problem.",
        "vertical": "One industry, or one kind of data that only one field has.",
        "horizontal": "Companies of many kinds.",
    },
    "urgency": {
        "nice_to_have": "It helps, but customers can do without it.",
        "important": "It hurts: customers lose time, money or trust.",
        "critical_path": "It holds something up now: a release, a service, revenue.",
    },
    "business_impact": {
        "none": "The pitch says that the problem costs nothing.",
        "described": "The pitch names a cost, without a figure.",
        "quantified": "The pitch puts a figure on the cost, or on what is saved.",
    },
    "value_at_stake": {
        "modest": "The pitch says that little depends on it.",
        "material": "A loss or gain that a whole business feels, such as an outage or $100,000 a year.",
        "very_high": "Safety, or a field where a small improvement is worth a fortune.",
    },
    "onboarding": {
        "heavy_setup": "A cluster, servers or a device have to be set up first.",
        "assisted": "A sales call, a demo or a project with the vendor comes first.",
        "self_serve": "A user installs it or signs up, and starts.",
    },
    "data_movement": {
        "data_leaves": "Data, models, prompts or logs go to machines of the vendor.",
        "metadata_only": "Only figures, links or proofs go to the vendor; the data stays.",
        "none": "Nothing goes to the vendor.",
    },
    "trust_route": {
        "none": "The pitch says that there is no reason yet.",
        "community": "Many people use the open-source version, or a foundation owns the project.",
        "marketplace_or_partner": "It comes through a marketplace or a partner.",
        "reference_customers": "The pitch names customers.",
    },
    "data_science_fit": {
        "ignored": "They are not needed.",
        "mentioned": "The pitch mentions them, but not what they would do with it.",
        "designed_for": "It is made for them, and the pitch says what they do with it.",
    },
    "traction": {
        "none": "Nobody uses it yet.",
        "interviews": "The makers have talked to possible customers.",
        "pilots": "Design partners or beta users try it.",
        "adoption": "People use it for free, and the pitch says how many.",
        "customers": "Organizations use it or pay for it.",
    },
}

_ALSO: Final[Mapping[str, str]] = {"persona": "main_user", "personas": "main_user"}
"""Other names of the same thing: in manual scores, and the list that it comes from."""


def about(name: str) -> str:
    """What a signal is about, in a sentence; empty for what needs no explanation."""
    return ABOUT.get(_ALSO.get(name, name), "")


def explained(name: str, value: str) -> str:
    """What a value of a signal means, in a sentence; empty where there is none to explain."""
    return SAYS_NOTHING if value == UNKNOWN else _EXPLAINED.get(_ALSO.get(name, name), {}).get(value, "")


_GAPS: Final = [
    f"{name} ({value})"
    for name, spec in SIGNALS.items()
    for value in spec.values
    if not explained(name, value) or name not in ABOUT
]
if _GAPS:
    raise ValueError(f"no plain words for: {', '.join(_GAPS)}")
