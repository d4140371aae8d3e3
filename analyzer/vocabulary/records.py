"""The vocabulary's records: each signal is one record that owns everything that is said about it anywhere.

Values, their meanings and order, which of them is better for a score, the deciding rule, title, family and question:
the model's answer schema, forms, tables, reports and the rulebook's checks follow from here. A record with a gap stops
the import and says what is missing. The types in `signals` are checked against these records there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from analyzer.vocabulary.partial_order import Order, Pair

UNKNOWN: Final = "unknown"
VOCABULARY_VERSION: Final = 1
"""Raise it when a change of these records changes what an answer means: a value, a field, a rule that decides
otherwise. Recordings of an older version are then not played any more. A corrected comma keeps the number."""

FAMILIES: Final[Mapping[str, str]] = {
    "need": "Need and stakes",
    "people": "Who uses it and who pays",
    "product": "The product",
    "rivals": "Competitors and difference",
    "market": "Market and demand",
    "entry": "Way in",
}
"""The families of signals that people look at together, and that share a color: id and title, in this order."""

LISTED: Final = "listed"
"""The values rank in the order in which they are listed, lowest first."""
Direction = Literal["rising", "falling", "none"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("rising", "falling", "none")
_DIRECTIONS_THAT_RANK: Final = ("rising", "falling")

Support = Literal["number", "name", "whole_text"]
"""What a value needs in its quotes: a number, the name of a customer, or more than a quote can hold."""
SUPPORTS: Final[tuple[Support, ...]] = ("number", "name", "whole_text")


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """What the rulebook may look at: a name with its values, how they rank, and which is better for a score.

    `ranks`: pairs (lower, higher), or LISTED for all in their order; values without a pair are not comparable.
    `direction`: in general, a higher value never lowers a score (rising) or never raises one (falling); none where that
    depends on the consideration, which then states its own. `question`: what to ask where the value is unknown.
    Raises ValueError naming what is missing or contradicts itself.
    """

    name: str
    title: str
    question: str
    values: tuple[str, ...]
    ranks: Sequence[Pair] | Literal["listed"]
    direction: Direction

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError(f"{type(self).__name__} {self.name!r}: {'; '.join(faults)}")

    def _faults(self) -> list[str]:
        faults = [f"it has no {field}" for field in ("name", "title", "question") if not getattr(self, field)]
        if len(self.values) < 2 or len(set(self.values)) < len(self.values) or UNKNOWN in self.values:
            faults.append("it needs two or more different values, and unknown is not one of them")
        if self.direction not in DIRECTIONS:
            faults.append(f"its direction is {self.direction!r}; it is one of {', '.join(DIRECTIONS)}")
        if self.ranks != LISTED:
            strange = sorted({value for pair in self.ranks for value in pair} - set(self.values))
            if strange:
                faults.append(f"it ranks {', '.join(strange)}, which is not one of its values")
        try:
            ranked = bool(self.order)
        except ValueError as error:
            faults.append(f"its order contradicts itself: {error}")
        else:
            if self.direction in _DIRECTIONS_THAT_RANK and not ranked:
                faults.append(f"it is {self.direction}, but its values have no order")
        return faults

    @cached_property
    def order(self) -> Order:
        """How the values rank, as pairs (lower, higher)."""
        return Order.listed(self.values) if self.ranks == LISTED else Order.of(self.ranks)

    @property
    def better(self) -> Order:
        """Which value is better for a score in general, as pairs (worse, better)."""
        return self.directed(self.direction)

    def directed(self, direction: Direction) -> Order:
        """The order as pairs (worse, better) if a score rises, falls or depends on neither with it."""
        return {"rising": self.order, "falling": self.order.reversed, "none": Order()}[direction]


@dataclass(frozen=True, kw_only=True)
class SignalSpec(InputSpec):
    """One single-valued signal: everything that is said about it anywhere.

    `meanings` maps each value to what it means; `values` follows from it. `rule` is what decides between the values, for
    the model and for a person alike (docs/vocabulary.md). `family` is one of `FAMILIES`.

    `support`: values whose quotes need a `number` or a customer's `name`, and values that rest on the `whole_text`, so
    that nobody can check them from a quote. Of every other value a quote shows that it holds.
    """

    family: str
    rule: str
    meanings: Mapping[str, str]
    support: Mapping[str, Support] = field(default_factory=dict)
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.meanings))
        super().__post_init__()

    def _faults(self) -> list[str]:
        faults = super()._faults()
        if self.family not in FAMILIES:
            faults.append(f"its family is {self.family!r}; it is one of {', '.join(FAMILIES)}")
        if not self.rule:
            faults.append("it has no rule")
        faults += [f"its value {value} has no meaning" for value, meaning in self.meanings.items() if not meaning]
        strange = sorted(set(self.support) - set(self.values))
        if strange:
            faults.append(f"it says what supports {', '.join(strange)}, which is not one of its values")
        if set(self.support.values()) - set(SUPPORTS):
            faults.append(f"what supports a value is one of {', '.join(SUPPORTS)}")
        return faults

    @property
    def description(self) -> str:
        """Rule and values in one text, as the model reads it in the schema."""
        values = "; ".join(f"{value}: {meaning}" for value, meaning in self.meanings.items())
        return f"{self.rule} {values}."


@dataclass(frozen=True, kw_only=True)
class ListSpec:
    """One list that is read from a pitch: its name, its title, its family and the rule for what belongs in it."""

    name: str
    title: str
    family: str
    rule: str

    def __post_init__(self) -> None:
        if not (self.name and self.title and self.rule and self.family in FAMILIES):
            raise ValueError(f"ListSpec {self.name!r}: it needs a name, title, rule and one of the families")


_SPECS = (
    SignalSpec(
        name="buyer",
        title="Who signs",
        family="people",
        question="Who signs, and from which budget?",
        rule="Who decides to pay. A shared deployment, a trial that ends or a paid plan with no signer named is unknown.",
        meanings={
            "practitioner": "one person can begin free and alone (a free edition for one user is enough)",
            "data_science_leadership": "head of data science or ML",
            "engineering_leadership": "CTO, VP engineering, head of platform or infrastructure",
            "business_leadership": "CEO, product, finance, risk or another business owner",
        },
        ranks=(),
        direction="none",
    ),
    SignalSpec(
        name="category",
        title="Category",
        family="product",
        question="Which step of a customer's ML work do they buy it for?",
        rule="The step of the ML lifecycle the product is sold for; what its title and opening sell decides.",
        meanings={
            "data_labelling": "annotation and human feedback",
            "synthetic_data": "artificial training or test data",
            "edge_case_mining": "finding hard samples, label errors and gaps; curating the data",
            "data_versioning": "versions and lineage of datasets",
            "data_quality": "tests and watch on tables and pipelines that feed models",
            "feature_store": "computing, storing and serving features",
            "vector_database": "storing and searching embeddings",
            "notebook_environments": "workspaces to explore data and write model code",
            "experiment_tracking": "recording and comparing runs; model registry",
            "training_platform": "compute to train on, one machine or many",
            "automl": "automatic modelling and tuning",
            "fine_tuning": "adapting an existing large model",
            "pipeline_orchestration": "scheduled, repeatable pipelines; CI/CD for ML",
            "gpu_orchestration": "sharing and scheduling GPUs a company has",
            "model_serving": "putting a trained model behind an endpoint",
            "llm_inference_serving": "running large models, as engine or by the token",
            "inference_optimization": "smaller or faster models, other hardware",
            "cost_optimization": "seeing and cutting cloud, GPU or LLM cost",
            "model_monitoring": "decisions, drift and performance of deployed models",
            "endpoint_monitoring": "health of endpoints and machines: latency, errors, uptime",
            "explainability": "why a model decided as it did",
            "robustness_testing": "testing models for weak spots and regressions",
            "llm_app_framework": "building blocks for LLM applications and agents",
            "llm_evaluation": "writing, versioning and scoring prompts and LLM applications",
            "llm_observability": "traces of LLM applications in production",
            "llm_gateway_and_caching": "one managed entry to many model providers; routing, caching",
            "guardrails_and_ml_security": "protecting models from misuse, leaks, attacks",
            "privacy_preserving_ml": "ML on data that may not be moved or seen",
            "governance": "inventory, policy, bias checks, evidence for auditors",
            "end_to_end_platform": "most of the lifecycle in one product",
            "other": "an ML tool that none of these describes",
        },
        ranks=(),
        direction="none",
    ),
    SignalSpec(
        name="lifecycle_scope",
        title="Share of the lifecycle",
        family="product",
        question="Which steps, from data to monitoring, does it cover today, and with what?",
        rule="Count the steps with a feature described in the text, of five: data; training and tracking; evaluation; "
        "deployment and serving; monitoring and improvement. A step counts when the text says what is done there; "
        "adjectives, roadmap and what is named only in passing do not. Infrastructure alone is single_step.",
        meanings={"single_step": "one", "several_steps": "two or three", "end_to_end": "four or five"},
        ranks=LISTED,
        direction="rising",
        support={"single_step": "whole_text", "several_steps": "whole_text", "end_to_end": "whole_text"},
    ),
    SignalSpec(
        name="differentiation",
        title="Difference from others",
        family="rivals",
        question="What do you do that the nearest alternative cannot, and who has measured it?",
        rule="How well the text shows that it differs from alternatives. Praise is no outcome.",
        meanings={
            "none": "it says it equals others",
            "claimed": "features, adjectives, or numbers with nothing beside them",
            "specific": "a concrete difference and the alternative or class it differs from, both in the text",
            "proven": "a figure with its setting (what against what, and not against its own product), "
            "or a named customer stating an outcome",
        },
        ranks=LISTED,
        direction="rising",
        support={"claimed": "whole_text"},
    ),
    SignalSpec(
        name="market_breadth",
        title="Breadth of the market",
        family="market",
        question="Which kinds of companies have this problem, and which do not?",
        rule="How many kinds of companies could use it. General ML wording without a limit is horizontal (inferred).",
        meanings={
            "niche": "the text itself limits who has the problem",
            "vertical": "exactly one industry or exactly one kind of data",
            "horizontal": "several kinds of data or industries; limited only to LLMs or to one framework counts too",
        },
        ranks=LISTED,
        direction="rising",
        support={"horizontal": "whole_text"},
    ),
    SignalSpec(
        name="urgency",
        title="Urgency",
        family="need",
        question="What happens in the next quarter at a customer that does nothing about it?",
        rule="How pressing the text says the problem is. A promised benefit alone is unknown.",
        meanings={
            "nice_to_have": "it says it is optional",
            "important": "the text itself tells the problem as painful or necessary",
            "critical_path": "a release, revenue, safety, service or customers suffer while the problem stands",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="business_impact",
        title="Cost of the problem",
        family="need",
        question="What does the problem cost a typical customer in a year, in money, delay or risk?",
        rule="What the problem costs the customer. A promised saving of money, delay, failures or risk is the cost it "
        "removes, so 'twice as fast' or 'half the errors' is quantified. Ease, or time saved without more, is unknown.",
        meanings={
            "none": "it says the problem costs nothing",
            "described": "the cost is named without a figure",
            "quantified": "the cost or the saving has a figure",
        },
        ranks=LISTED,
        direction="rising",
        support={"quantified": "number"},
    ),
    SignalSpec(
        name="value_at_stake",
        title="Value at stake",
        family="need",
        question="How much would one more per cent be worth to your best customer?",
        rule="How much hangs on the problem for one customer. An ordinary promised saving is not at stake: unknown.",
        meanings={
            "modest": "it says that little hangs on it",
            "material": "a loss or gain at business scale: an outage, stakes it names, a customer's realised figure",
            "very_high": "safety-critical (patients, vehicles, robots), or small gains are worth fortunes: ad-tech, risk",
        },
        ranks=LISTED,
        direction="none",
    ),
    SignalSpec(
        name="onboarding",
        title="Way in",
        family="entry",
        question="What has to happen between the first click and the first useful result?",
        rule="What has to happen before first use; the lightest way that is offered. How it is used, or a price, says nothing "
        "of how one begins.",
        meanings={
            "heavy_setup": "new infrastructure first",
            "assisted": "sales contact, a demo or an integration project first",
            "self_serve": "pip install, download, or sign up and go",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="data_movement",
        title="Where the data goes",
        family="entry",
        question="Which data has to leave the customer's own systems, if any?",
        rule="The lightest route offered today. A large model of another company that the user picks is not the vendor.",
        meanings={
            "data_leaves": "every way described hands data to the vendor",
            "metadata_only": "only metrics, metadata, statistics or model updates leave",
            "none": "data stays; a library, a command-line tool, a self-hosted or in-cluster edition is none (inferred) "
            "unless it uploads",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="trust_route",
        title="Why trust this vendor",
        family="rivals",
        question="Through whom can a cautious buyer get it: a marketplace, a partner, a customer who vouches for it?",
        rule="Why a buyer would not simply take it from a vendor they know.",
        meanings={
            "none": "it says it has neither",
            "marketplace_or_partner": "a marketplace listing or a partnership",
            "reference_customers": "customers named",
        },
        ranks=(("none", "marketplace_or_partner"), ("none", "reference_customers")),
        direction="rising",
        support={"reference_customers": "name"},
    ),
    SignalSpec(
        name="data_science_fit",
        title="What data scientists get",
        family="people",
        question="What changes for the data scientists, and would they say yes?",
        rule="What is in it for data scientists. A main user in data science (data_scientist, ml_engineer, "
        "data_science_manager) makes it designed_for (inferred).",
        meanings={
            "ignored": "it says they are not needed",
            "mentioned": "it names them",
            "designed_for": "it shows what they do with it",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="traction",
        title="Evidence of demand",
        family="market",
        question="Who uses it today, and how many have told you that they have this problem?",
        rule="Evidence that others have the problem. Stars and downloads are not evidence.",
        meanings={
            "none": "it says it has no users yet",
            "interviews": "conversations with possible customers",
            "pilots": "design partners or a beta, also where they are counted",
            "customers": "organisations or people who use it, named, counted or described; 'trusted by many' is not",
        },
        ranks=LISTED,
        direction="rising",
    ),
)

SIGNALS: Final[Mapping[str, SignalSpec]] = {spec.name: spec for spec in _SPECS}
"""The single-valued signals by name, in the order in which they are shown."""

_LISTS = (
    ListSpec(
        name="problems",
        title="Problems",
        family="need",
        rule="The customer problems it is sold for, one to six, most important first; a second thing it is plainly "
        "sold for counts, also of the other stage or focus. A remark on a rival, a customer's story or a detail of a "
        "feature is no problem of its own.",
    ),
    ListSpec(
        name="personas",
        title="Users",
        family="people",
        rule="Who uses it, main user first. Researcher or ML practitioner = data_scientist; developer = "
        "software_engineer, or ml_engineer where they train or compress models; infrastructure, DevOps, SRE or MLOps "
        "people = platform_engineer. With no role named, infer one only from work or a tool that one role has (training, "
        "tuning, analysing models or data = data_scientist; pods and clusters = platform_engineer). 'You', 'your team', "
        "'AI teams', a line of code, an API or a price name nobody. Conflicting cues: leave the list empty.",
    ),
    ListSpec(
        name="competitors",
        title="Competitors",
        family="rivals",
        rule="Alternatives that the pitch says customers use, or could use, instead of the product; a class "
        "('cloud providers', 'home-grown scripts') is one. Merely living with the problem, or the steps of a story "
        "about it, is none, and integrations, "
        "partners, customers and investors are not competitors.",
    ),
)
LISTS: Final[Mapping[str, ListSpec]] = {spec.name: spec for spec in _LISTS}
"""The lists by name, in the order in which they are shown."""

LIST_RULES: Final[Mapping[str, str]] = {
    "in_scope": "Is this a product for people who build, run or improve machine learning (applications on large "
    "language models included)? An application that merely uses AI is not.",
    "product": "The product's name as the pitch gives it, or a short description if it has none.",
    "summary": "What it is and for whom, in your own words, at most 30 words.",
    "problems": LISTS["problems"].rule,
    "statement": "The problem in your own words, at most 25 words.",
    "quote": "Verbatim from the pitch: one continuous span, enough words to carry the point.",
    "stage": "day_1: the basic mechanics of using ML at all, from the first trained model to its first effect on "
    "customers: train without owning infrastructure, get a model into production, manage features, keep track of data, "
    "versions and runs, get or share machines, and see at all what a model decides or how well it does, drift included. "
    "day_2: keeping and improving ML that already runs: root causes, too many alerts, decay, retraining, edge cases, "
    "better training data, utilisation, waste, cost. Code the problem that is sold, not the story that illustrates it. "
    "both: truly both ends; a product sold for one problem of each has two primary problems. unclear: cannot be told.",
    "focus": "By the skill the work needs without the product, whoever uses it. ml: data, labels, experiments, model "
    "quality, fine-tuning, decisions of a model. engineering: machines, containers, clusters, endpoints, latency, "
    "cost of serving or calling models. both: only if this one problem names both kinds. Code the customer's problem, not the "
    "technology inside the product.",
    "primary": "true for the one or two problems that the title or the first paragraph sells, and only for those.",
    "personas": LISTS["personas"].rule,
    "competitors": LISTS["competitors"].rule,
    "name": "The competitor's name, or the pitch's words for it.",
    "kind": "in_house: customers build it themselves. manual_process: done by hand today. cloud_vendor: AWS, Google "
    "Cloud, Azure and their services. established_vendor: a large, long-known vendor. Else startup or open_source.",
}
"""What decides for the lists and their parts, by field name (docs/vocabulary.md)."""
