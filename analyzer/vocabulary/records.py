"""The vocabulary's records: each signal is one record that owns everything that is said about it anywhere.

Values, their meanings and order, which of them is better for a score, the deciding rule, title, family and question:
the model's answer schema, forms, tables, reports and the rulebook's checks follow from here. What a record must have is
in `specs`. The types in `signals` are checked against these records there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.vocabulary.specs import (
    DIRECTIONS,
    FAMILIES,
    LISTED,
    UNKNOWN,
    Direction,
    InputSpec,
    ListSpec,
    SignalSpec,
)

__all__ = [
    "DIRECTIONS",
    "FAMILIES",
    "LISTED",
    "LISTS",
    "LIST_RULES",
    "SIGNALS",
    "UNKNOWN",
    "VOCABULARY_CHANGES",
    "VOCABULARY_VERSION",
    "Direction",
    "InputSpec",
    "ListSpec",
    "SignalSpec",
]

VOCABULARY_VERSION: Final = 2
"""Raise it when a change of these records changes what an answer means: a value, a field, a rule that decides
otherwise. Recordings of an older version are then not played any more. A corrected comma keeps the number."""
VOCABULARY_CHANGES: Final = (
    "version 2 reads pricing, takes buyer as who signs and nothing else, places a product by what it is sold for, and "
    "has new values for difference, trust, demand, users and category"
)
"""What an older version's signals do not say, or say in another sense: for whoever has such a file."""


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
        "free, open source, a license (a badge counts, a link's address does not); a trial is not free. Something to "
        "buy: a plan, an edition the vendor runs (unless called free), an enterprise edition, paid support, also "
        "without a price. Neither free nor anything to buy, or a price model without a figure: unknown.",
        meanings={
            "free_only": "free, and nothing to buy",
            "by_quote": "to buy only by talking to sales, or every plan above $10,000 a year",
            "self_checkout": "nothing free; a price in figures, or a plan, that one can buy without talking",
            "free_then_paid": "free, and also something to buy",
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
            "automl": "automatic modeling and tuning",
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
            "other": "an ML tool that none of these describes, or a platform for which no action is stated",
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
        "own steps, or an action that is no step adds none; alone it is single_step. No action stated: unknown.",
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
        "people follow now. With only a comparative adjective it is claimed.",
        meanings={
            "none": "it says it equals others",
            "claimed": "features, adjectives, or numbers compared with nothing; a promise ('up to', 'can') without "
            "what was run",
            "specific": "a concrete difference and the alternative it differs from, both in the text; also a measured "
            "fact without what was run, or against its own unoptimized input",
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
        question="How much would one more percent be worth to your best customer?",
        rule="How much hangs on the problem for one customer. An ordinary promised saving: unknown.",
        meanings={
            "modest": "it says that little hangs on it",
            "material": "a loss or realized gain at business scale: an outage, its customers or license at risk, a "
            "customer's realized figure (in money from $100,000 a year); a very_high field among examples",
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
        rule="What has to happen before first use, of the one edition that a single user starts with most easily. "
        "Unknown: how one begins is not stated; a framework, tool, system or platform without any sign of self_serve; "
        "a product still to be built, an edition only announced.",
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
        "large model of another company that the user picks is not the vendor. Unknown: whose "
        "storage is not stated; a product still to be built.",
        meanings={
            "data_leaves": "work on the vendor's machines or its marketplace's; a hosted service ('SaaS') that holds "
            "data, models, prompts or logs",
            "metadata_only": "only statistics, metrics, links, identifiers or proofs leave; a hosted dashboard next to "
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
        rule="Evidence that others have the problem; the highest that is stated. 'Trusted by many', an alpha or beta "
        "label, the maker's own company, figures of an earlier product: unknown.",
        meanings={
            "none": "it says it has no users yet",
            "interviews": "talks with possible customers",
            "pilots": "design partners, named beta users, unnamed collaborators who use it",
            "adoption": "free use with a number: users, downloads, stars, contributors",
            "customers": "organizations named or counted that use or pay for it, paying people counted",
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
        "none, developer = software_engineer. 'You', 'your team', ML or AI team, technical users, product teams, "
        "'MLOps', a role inside a feature's name: nobody. No role named, or only a business_user or other: infer one "
        "from work that one role has: training, tuning, tracking experiments, evaluating models, curating data, "
        "setting up labeling = data_scientist; only drawing labels = annotator; prompts, agents, LLM calls, retrieval "
        "= ai_engineer; serving or compressing models = ml_engineer; pods, clusters = platform_engineer; pipelines of "
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
    "stage": "day_1: using ML at all, until its first effect on customers: labeling, data and features to train on, "
    "experiments, training without owning machines, getting or sharing machines, deploying, monitoring (a model's "
    "decisions, performance, drift), seeing which runs fail, testing or evaluating a model, prompt or "
    "agent, guarding, scanning, red teaming, tuning a foundation model. day_2: keeping and improving ML that runs: "
    "edge cases, root causes, debugging, why a model decided so, whether a training was optimal, decay, alert noise, "
    "retraining, errors and gaps in data sets (not before the first labeling), improving training data, what to "
    "label next, tests on data that flows, a live model against its successor, compliance of models that exist; "
    "utilization, waste, cost; speed and size of what works already (a first result sooner, or one machine to many, "
    "is day_1). A task named with its saving is coded by the saving. 'Manage' alone is day_1, 'maintain' day_2. both: "
    "one problem truly at both ends. unclear: the text does not say.",
    "focus": "By the hands-on work that the problem needs without the product, whoever uses it; not by the technology "
    "inside it. ml: labels, samples, training data, models, experiments, training and its methods (fine-tuning, "
    "compression, faster training), prompts, quality of what comes out, why an answer was wrong, compliance reports. "
    "engineering: machines, containers, clusters, runtimes, endpoints, calls (failed, slow), latency and cost of "
    "serving, tables, storage, pipelines, feature serving, vector stores, gateways, guardrails, sandboxes. both: only "
    "if the first one or two jobs named are of both kinds; a benefit or the end of a list does not count. unclear: "
    "the text does not say.",
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
