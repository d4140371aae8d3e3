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
VOCABULARY_VERSION: Final = 2
"""Raise it when a change of these records changes what an answer means: a value, a field, a rule that decides
otherwise. Recordings of an older version are then not played any more. A corrected comma keeps the number."""
VOCABULARY_CHANGES: Final = (
    "version 2 reads pricing, takes buyer as who signs and nothing else, places a product by what it is sold for, and "
    "has new values for difference, trust, demand, users and category"
)
"""What an older version's signals do not say, or say in another sense: for whoever has such a file."""

FAMILIES: Final[Mapping[str, str]] = {
    "need": "Need and stakes",
    "people": "Who uses it and who pays",
    "product": "The product",
    "rivals": "Competitors and difference",
    "market": "Market and demand",
    "entry": "Way in",
}
"""The families of signals that people look at together, and that share a color: id and title, in this order."""

Support = Literal["number", "name", "whole_text"]
SUPPORTS: Final[Mapping[Support, str]] = {
    "number": "a quote must hold a number",
    "name": "a quote must hold a name",
    "whole_text": "follows from the whole text, so no quote alone can show it",
}
"""What a value can need besides a quote from the pitch: id and words."""

LISTED: Final = "listed"
"""The values rank in the order in which they are listed, lowest first."""
Direction = Literal["rising", "falling", "none"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("rising", "falling", "none")
_DIRECTIONS_THAT_RANK: Final = ("rising", "falling")


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
    the model and for a person alike (docs/codebook.md). `family` is one of `FAMILIES`.

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
        rule="Who decides to pay. A free or open-source edition, a trial, a deployment that teams share, a plan or "
        "price without a signer: unknown.",
        meanings={
            "practitioner": "the text says that the user pays alone: own card, a seat bought in the product",
            "data_science_leadership": "head of data science or ML",
            "engineering_leadership": "CTO, VP engineering, head of platform or infrastructure",
            "business_leadership": "CEO, product, finance, risk or another business owner",
        },
        ranks=(),
        direction="none",
    ),
    SignalSpec(
        name="pricing",
        title="Pricing",
        family="entry",
        question="What is free, what is paid, and how does a customer begin to pay?",
        rule="What there is to pay, over all editions, announced ones too, and how paying begins. Free: the word "
        "free, open source, a licence (a badge counts, a link's address does not); a trial is not free. Something to "
        "buy: a plan, an edition the vendor runs (unless called free), an enterprise edition, paid support, also "
        "without a price. Neither free nor anything to buy, or a price model without a figure: unknown.",
        meanings={
            "free_only": "free, and nothing to buy",
            "by_quote": "to buy only by talking to sales, or every plan above $10,000 a year",
            "self_checkout": "nothing free; a price in figures, or a plan, that one can buy without talking",
            "free_then_paid": "free, and beside it something to buy",
        },
        ranks=(("by_quote", "free_then_paid"), ("self_checkout", "free_then_paid")),
        direction="rising",
        support={"free_only": "whole_text"},
    ),
    SignalSpec(
        name="category",
        title="Category",
        family="product",
        question="Which step of a customer's ML work do they buy it for?",
        rule="The step of the ML lifecycle it is sold for (see primary).",
        meanings={
            "data_labelling": "annotation and human feedback; data made, collected or rated by people",
            "synthetic_data": "artificial training or test data",
            "edge_case_mining": "finding hard samples, errors and gaps in data sets; curating them",
            "data_versioning": "versions, lineage, sharing or selling of data that exists",
            "data_quality": "tests and watch on tables and pipelines",
            "feature_store": "computing, storing and serving features",
            "vector_database": "storing and searching embeddings",
            "notebook_environments": "workspaces to explore data and write model code",
            "experiment_tracking": "recording and comparing runs; model registry",
            "training_platform": "rented machines for any work; training on one machine or many",
            "training_optimization": "the same training faster, cheaper or better; profiling it; whether it is optimal",
            "automl": "automatic modelling and tuning",
            "fine_tuning": "adapting an existing large model",
            "pipeline_orchestration": "scheduled, repeatable pipelines; CI/CD for ML",
            "gpu_orchestration": "scheduling and sharing one's own machines, or over several clouds",
            "model_serving": "putting a trained model behind an endpoint",
            "llm_inference_serving": "running or routing inference of large models, as engine or by the token",
            "inference_optimization": "smaller or faster models, other hardware",
            "cost_optimization": "cutting the cloud, GPU or LLM bill",
            "model_monitoring": "decisions, drift and performance of deployed models",
            "endpoint_monitoring": "health of endpoints and machines: latency, errors, uptime",
            "explainability": "why a model decided as it did",
            "robustness_testing": "testing models for weak spots and regressions",
            "llm_app_framework": "building blocks for LLM applications and agents; an agent's sandbox, memory, "
            "learning",
            "llm_evaluation": "writing, versioning and scoring prompts and LLM applications",
            "llm_observability": "traces of LLM applications in production",
            "llm_gateway_and_caching": "one managed entry to many model providers; routing, caching",
            "guardrails_and_ml_security": "protecting models from misuse, leaks, attacks",
            "privacy_preserving_ml": "ML on data that may not be moved or seen",
            "governance": "inventory, policy, bias checks, evidence for auditors",
            "end_to_end_platform": "most of the lifecycle in one product, with several steps described",
            "other": "an ML tool that none of these describes, or a platform without any action told",
        },
        ranks=(),
        direction="none",
        support={"end_to_end_platform": "whole_text", "other": "whole_text"},
    ),
    SignalSpec(
        name="lifecycle_scope",
        title="Share of the lifecycle",
        family="product",
        question="Which steps, from data to monitoring, does it cover today, and with what?",
        rule="How many of five steps have a described feature: a verb or action and its object that say what the "
        "product does there (one bullet is enough; a bare noun, adjective, benefit, example or roadmap is not). Data: "
        "also features, tables, pipelines, generated records. Training and tracking: also registry, preprocessing. "
        "Evaluation: also test sets, human ratings, writing and comparing prompts, explaining, benchmarks, scanning "
        "before use. Deployment and serving: also compression, routing calls. Monitoring and improvement: drift, "
        "alerts, tracing or guarding what is live, cost, retraining. Infrastructure, an orchestrator of the user's "
        "own steps, or an action that is no step adds none; alone it is single_step. No action told: unknown.",
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
        rule="The best-shown difference. The alternative may be a class of tools or a practice that the text says "
        "people follow now. Only a comparative adjective beside it is claimed.",
        meanings={
            "none": "it says it equals others",
            "claimed": "features, adjectives, or numbers with nothing beside them; a promise ('up to', 'can') without "
            "what was run",
            "specific": "a concrete difference and the alternative it differs from, both in the text; also a measured "
            "fact without what was run, or against its own unoptimised input",
            "measured": "the maker's own figure, what it is compared with (not its own product), and what was run: "
            "model, data or hardware",
            "proven": "somebody else says so: a named customer stating an outcome (praise is none), a third party's "
            "benchmark or paper",
        },
        ranks=LISTED,
        direction="rising",
        support={"claimed": "whole_text", "measured": "number"},
    ),
    SignalSpec(
        name="market_breadth",
        title="Breadth of the market",
        family="market",
        question="Which kinds of companies have this problem, and which do not?",
        rule="How many kinds of companies could use it.",
        meanings={
            "niche": "the text itself limits who has the problem",
            "vertical": "exactly one industry, or a kind of data tied to one field (medical images, LiDAR, genomes)",
            "horizontal": "no such limit: general ML wording (inferred), a general kind of data (tables, text, "
            "images), LLMs only, one framework",
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
        rule="How pressing the text says the problem it is sold for is to the customer today. A benefit alone, a flaw "
        "of one named competitor, the state of the world ('threats grow'), praise of the product's own activity "
        "('essential for'): unknown.",
        meanings={
            "nice_to_have": "it says it is optional",
            "important": "a word of pain, difficulty, cost or necessity put on the customer's present work, situation "
            "or class of tools, also as a question or inside a promise; fines, leaks, delays, a 'barrier', projects "
            "that fail",
            "critical_path": "said of the present: a release blocked, revenue or customers lost, a service stopped, "
            "people endangered",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="business_impact",
        title="Cost of the problem",
        family="need",
        question="What does the problem cost a typical customer in a year, in money, delay or risk?",
        rule="What the problem costs the customer, named or promised away by a verb or comparative ('cuts', "
        "'cheaper'): money; time with an amount; another person's time; a delayed release; failures of what is live; "
        "wrong decisions; idle or wasted machines; a risk with what is lost; also a statistic about companies that "
        "states such a loss. Ease, 'saves time', 'affordable', finding bugs, an attack or 'compliance' alone, "
        "spending, market size: unknown.",
        meanings={
            "none": "it says the problem costs nothing",
            "described": "such a cost without a figure",
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
        rule="How much hangs on the problem for one customer. An ordinary promised saving: unknown.",
        meanings={
            "modest": "it says that little hangs on it",
            "material": "a loss or realised gain at business scale: an outage, its customers or licence at risk, a "
            "customer's realised figure (in money from $100,000 a year); a very_high field among examples",
            "very_high": "sold for a safety-critical field (patients, vehicles, robots) or one where small gains are "
            "worth fortunes (ad-tech, risk)",
        },
        ranks=LISTED,
        direction="none",
    ),
    SignalSpec(
        name="onboarding",
        title="Way in",
        family="entry",
        question="What has to happen between the first click and the first useful result?",
        rule="What has to happen before first use, of the one edition that a single user starts with most easily. How "
        "one begins is not told, a framework, tool, system or platform without any sign of self_serve, still to be "
        "built or only announced: unknown.",
        meanings={
            "heavy_setup": "the text says that a cluster, servers or an appliance must be set up first",
            "assisted": "sales, a demo or an integration project required first (a demo on offer is not)",
            "self_serve": "pip install, download, or sign up and go; an install command, code that calls it, an SDK, "
            "'Quickstart', a link to its public repository; a library, command-line tool or open-source program that "
            "one person runs (inferred); a free tier; a part for a cluster the customer has, if open source or with "
            "an install command",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="data_movement",
        title="Where the data goes",
        family="entry",
        question="Which data has to leave the customer's own systems, if any?",
        rule="The lightest route of the same edition as onboarding (where none is self_serve, of the cheapest). A "
        "large model of another company that the user picks is not the vendor. Whose storage is not told, or still to "
        "be built: unknown.",
        meanings={
            "data_leaves": "work on the vendor's machines or its marketplace's; a hosted service ('SaaS') that holds "
            "data, models, prompts or logs",
            "metadata_only": "only statistics, metrics, links, identifiers or proofs leave; a hosted dashboard beside "
            "local work",
            "none": "data stays; a library, command-line tool, open-source, self-hosted or in-cluster edition, the "
            "user's own cloud (inferred), unless it uploads",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="trust_route",
        title="Why trust this vendor",
        family="rivals",
        question="Through whom can a cautious buyer get it: a community, a marketplace, a partner, a customer who "
        "vouches for it?",
        rule="Why a buyer would not simply take it from a vendor they know. Of several: customers first, then "
        "community.",
        meanings={
            "none": "it says it has nothing of the kind",
            "community": "wide open-source use with a number (stars, downloads, contributors), or a foundation's "
            "project",
            "marketplace_or_partner": "a marketplace listing, a partnership, a partner that runs it",
            "reference_customers": "customers named",
        },
        ranks=(("none", "community"), ("none", "marketplace_or_partner"), ("none", "reference_customers")),
        direction="rising",
        support={"reference_customers": "name"},
    ),
    SignalSpec(
        name="data_science_fit",
        title="What data scientists get",
        family="people",
        question="What changes for the data scientists, and would they say yes?",
        rule="What data scientists get from it. A main user data_scientist or data_science_manager makes it "
        "designed_for (inferred).",
        meanings={
            "ignored": "it says they are not needed",
            "mentioned": "it names them without a task",
            "designed_for": "it says what they do with it",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="traction",
        title="Evidence of demand",
        family="market",
        question="Who uses it today, and how many have told you that they have this problem?",
        rule="Evidence that others have the problem; the highest that is told. 'Trusted by many', an alpha or beta "
        "label, the maker's own company, figures of an earlier product: unknown.",
        meanings={
            "none": "it says it has no users yet",
            "interviews": "talks with possible customers",
            "pilots": "design partners, named beta users, unnamed collaborators who use it",
            "adoption": "free use with a number: users, downloads, stars, contributors",
            "customers": "organisations named or counted that use or pay for it, paying people counted",
        },
        ranks=LISTED,
        direction="rising",
        support={"adoption": "number"},
    ),
)

SIGNALS: Final[Mapping[str, SignalSpec]] = {spec.name: spec for spec in _SPECS}
"""The single-valued signals by name, in the order in which they are shown."""

_LISTS = (
    ListSpec(
        name="problems",
        title="Problems",
        family="need",
        rule="The customer problems that the product solves, one to six, most important first. A remark on a "
        "competitor, a customer's story or a detail of a feature is no problem of its own.",
    ),
    ListSpec(
        name="personas",
        title="Users",
        family="people",
        rule="Who uses it, main user first: of several roles named for it, the first. Researcher, ML practitioner, "
        "data-science or research team = data_scientist; ML developer = ml_engineer; AI developer, or building "
        "applications, agents or prompts on large language models = ai_engineer; infrastructure, DevOps, SRE, MLOps "
        "engineer = platform_engineer. Developer, engineer, user: the role of the work described; where it describes "
        "none, developer = software_engineer. 'You', 'your team', ML or AI team, technical or product users, 'MLOps', "
        "a role inside a feature's name: nobody. No role named, or only a business_user or other: infer one from work "
        "that one role has: training, tuning, tracking experiments, evaluating models, curating data, setting up "
        "labelling = data_scientist; only drawing labels = annotator; prompts, agents, LLM calls, retrieval = "
        "ai_engineer; serving or compressing models = ml_engineer; pods, clusters = platform_engineer; pipelines of "
        "tables = data_engineer. The work of two of these: empty.",
    ),
    ListSpec(
        name="competitors",
        title="Competitors",
        family="rivals",
        rule="What the pitch says customers use, or could use, instead: products, a class ('cloud providers') as one, "
        "in-house scripts, a practice; the alternative of a specific difference too. A base it builds on only if the "
        "product is said to be better than the base alone. No competitors: integrations, partners, customers, "
        "investors, hardware or models used as a measure, living with the problem.",
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
    "stage": "day_1: using ML at all, until its first effect on customers: labelling, data and features to train on, "
    "experiments, training without owning machines, getting or sharing machines, deploying, monitoring (a model's "
    "decisions, performance, drift, endpoints), seeing which runs fail, testing or evaluating a model, prompt or "
    "agent, guarding, scanning, red teaming, tuning a foundation model. day_2: keeping and improving ML that runs: "
    "edge cases, root causes, debugging, why a model decided so, whether a training was optimal, decay, alert noise, "
    "retraining, errors and gaps in data sets (not before the first labelling), improving training data, what to "
    "label next, tests on data that flows, a live model against its successor, compliance of models that exist; "
    "utilisation, waste, cost; speed and size of what works already (a first result sooner, or one machine to many, "
    "is day_1). A task named with its saving is coded by the saving. 'Manage' alone is day_1, 'maintain' day_2. both: "
    "one problem truly at both ends. unclear: cannot be told.",
    "focus": "By the hands-on work that the problem needs without the product, whoever uses it; not by the technology "
    "inside it. ml: labels, samples, training data, models, experiments, training and its methods (fine-tuning, "
    "compression, faster training), prompts, quality of what comes out, why an answer was wrong, compliance reports. "
    "engineering: machines, containers, clusters, runtimes, endpoints, calls (failed, slow), latency and cost of "
    "serving, tables, storage, pipelines, feature serving, vector stores, gateways, guardrails, sandboxes. both: only "
    "if the first one or two jobs named are of both kinds; a benefit or the end of a list does not count. unclear: "
    "cannot be told.",
    "primary": "true only for what the product is sold for: one problem, two where it plainly sells two. That is the "
    "first sentence, wherever it is, that says what the product does to a model, data, a prompt, an agent, an "
    "endpoint, a call or machines; skip sentences about ML, projects or applications in general. Its verbs and their "
    "objects count (nouns for them too), of a longer list the first two; adjectives, purpose clauses ('to improve …') "
    "and later lists do not. Verbs that share an object are one problem, unless one is day_1 and one day_2 ('deploy "
    "and maintain'): then two. If it has only a general word (manage, platform), take the first problem the text "
    "tells.",
    "personas": LISTS["personas"].rule,
    "competitors": LISTS["competitors"].rule,
    "name": "The competitor's name, or the pitch's words for it.",
    "kind": "in_house: customers build it themselves. manual_process: people do it, or a practice. cloud_vendor: AWS, "
    "Google Cloud, Azure and their services. established_vendor: a large, long-known vendor. Else startup or "
    "open_source.",
}
"""What decides for the lists and their parts, by field name (docs/codebook.md)."""
