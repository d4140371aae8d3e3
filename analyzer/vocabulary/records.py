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
        rule="Who decides to pay. An audience, edition, trial, plan, price or shared deployment without a signer: "
        "unknown.",
        meanings={
            "practitioner": "it says the user pays alone: own card, a seat bought in the product",
            "data_science_leadership": "head of data science or ML",
            "engineering_leadership": "CTO, VP engineering, head of platform",
            "business_leadership": "CEO, product, finance, risk, other owners",
        },
        ranks=(),
        direction="none",
    ),
    SignalSpec(
        name="pricing",
        title="Pricing",
        family="entry",
        question="What is free, what is paid, and how does a customer begin to pay?",
        rule="Over all editions, announced ones too. Free: the word free, open source, a license (a badge counts, "
        "a link's address does not); a trial is not. To buy: a plan, an edition the vendor runs (unless called "
        "free), an enterprise edition, paid support. Nothing free: only an amount of money or a purchase through "
        "sales is a value; a plan or subscription without an amount, a commission in percent, an example deal, a "
        "call or demo on offer: unknown.",
        meanings={
            "free_only": "free, and nothing to buy",
            "by_quote": "to buy only through sales, a quote or a contract, or from $10,000 a year",
            "self_checkout": "nothing free; an amount that one can pay without talking",
            "free_then_paid": "free, and something to buy, also without a price",
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
        rule="The step of the ML lifecycle it is sold for.",
        meanings={
            "data_labelling": "annotation; data made, collected or rated by people",
            "synthetic_data": "artificial data",
            "edge_case_mining": "hard samples, errors and gaps in data sets; curating",
            "data_versioning": "versions, lineage, sharing, sale of data that exists",
            "data_quality": "testing and watching tables and pipelines",
            "feature_store": "computing, storing, serving features",
            "vector_database": "storing and searching embeddings",
            "notebook_environments": "workspaces for data and model code",
            "experiment_tracking": "recording and comparing runs; model registry",
            "training_platform": "getting or renting machines; training on one or many",
            "training_optimization": "the same training faster, cheaper or better; profiling it; whether it is optimal",
            "automl": "automatic modeling and tuning",
            "fine_tuning": "adapting a large model",
            "pipeline_orchestration": "scheduled, repeatable pipelines; CI/CD",
            "gpu_orchestration": "scheduling and sharing one's own machines or clouds",
            "model_serving": "a trained model behind an endpoint",
            "llm_inference_serving": "running or routing inference of large models, as engine or by the token",
            "inference_optimization": "smaller or faster models, other hardware",
            "cost_optimization": "cutting the cloud, GPU or LLM bill",
            "model_monitoring": "decisions, drift, performance of deployed models",
            "endpoint_monitoring": "latency, errors, uptime of endpoints and machines",
            "explainability": "why a model decided so",
            "robustness_testing": "testing models for weak spots, regressions",
            "llm_app_framework": "building blocks of LLM applications and agents: sandbox, memory, learning too",
            "llm_evaluation": "writing, versioning, scoring prompts and LLM applications",
            "llm_observability": "traces of live LLM applications",
            "llm_gateway_and_caching": "one entry to many model providers; routing, caching",
            "guardrails_and_ml_security": "protecting models from misuse, leaks, attacks",
            "privacy_preserving_ml": "ML on data that may not move or be seen",
            "governance": "inventory, policy, bias checks, audit evidence",
            "end_to_end_platform": "most of the lifecycle, several steps described",
            "other": "none of these, or a platform for which no action is stated",
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
        rule="In how many of five steps a verb or action and its object say what the product does (one bullet is "
        "enough; a bare noun, adjective, benefit, example or roadmap is not). Data: also features, tables, "
        "pipelines, generated records. Training and tracking: also registry, preprocessing. Evaluation: also test "
        "sets, ratings, writing and comparing prompts, explaining, scanning before use. Deployment: also "
        "compression, routing calls. Monitoring and improvement: also drift, tracing or guarding what is live, "
        "cost, retraining. Infrastructure, an orchestrator of the user's own steps, or an action that is no step "
        "adds none; alone it is single_step. No action stated: unknown.",
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
        rule="The best-shown difference. An alternative may be a class of tools, or a practice the text says "
        "people follow now.",
        meanings={
            "none": "it says it equals others",
            "claimed": "features, adjectives (comparative ones too), numbers compared with nothing; a promise ('up "
            "to', 'can') without what was run",
            "specific": "a concrete difference and the alternative it differs from, both in the text; the same on "
            "cheaper means, both named; a measured fact without what was run, or against its own unoptimized "
            "input",
            "measured": "the maker's figure, what it is compared with (not its own product), and what was run "
            "(model, data, hardware)",
            "proven": "others say so: a named customer stating an outcome (praise is none), a third party's "
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
            "vertical": "exactly one industry, or data tied to one field (medical images, LiDAR, genomes)",
            "horizontal": "no such limit: general ML wording (inferred), general data (tables, text, images), "
            "LLMs only, one framework",
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
        rule="How pressing the text says the problem it is sold for is today. A benefit alone, a flaw of one "
        "named competitor, the state of the world ('threats grow'), praise of what the product does: unknown.",
        meanings={
            "nice_to_have": "it says it is optional",
            "important": "a word of pain, difficulty, cost or necessity put on the customer's present work, "
            "situation or class of tools, also in a question or promise; fines, leaks, delays, failed projects",
            "critical_path": "said of the present: a release blocked, revenue or customers lost, a service "
            "stopped, people endangered",
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
        "'cheaper'): money, time with an amount, another person's time, a delayed release, failures of what is "
        "live, wrong decisions, idle or wasted machines, a risk with what is lost; also a statistic about "
        "companies that states such a loss. Ease, 'saves time', 'affordable', finding failures or bugs, an attack "
        "or 'compliance' alone, spending, market size: unknown.",
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
        rule="How much the text says hangs on the problem for one customer. An ordinary promised saving, a kind "
        "of data without its stakes: unknown.",
        meanings={
            "modest": "it says little hangs on it",
            "material": "a loss or realized gain at business scale: an outage, its customers or license at risk, "
            "a customer's realized figure (in money from $100,000 a year); a very_high field among examples or "
            "customers",
            "very_high": "sold for a safety-critical field (patients, vehicles, robots), or one where small gains "
            "are worth fortunes (ad-tech, risk)",
        },
        ranks=LISTED,
        direction="none",
    ),
    SignalSpec(
        name="onboarding",
        title="Way in",
        family="entry",
        question="What has to happen between the first click and the first useful result?",
        rule="What has to happen before first use, of the edition that a single user starts with most easily. "
        "Unknown: how one begins is not stated (handing over data, 'open source' in a list do not state it); a "
        "framework, tool, system or platform without any sign of self_serve; a product still to be built.",
        meanings={
            "heavy_setup": "it says a cluster, servers or an appliance must be set up first",
            "assisted": "sales, a demo or an integration project required first (one on offer is not)",
            "self_serve": "pip install, download, or sign up and go: an install command, code that calls it, an "
            "SDK, 'Quickstart', a link to its public repository; a library, command-line tool or open-source "
            "program one person runs (inferred); a free hosted tier; a part for the customer's cluster, if open "
            "source or with an install command",
        },
        ranks=LISTED,
        direction="rising",
    ),
    SignalSpec(
        name="data_movement",
        title="Where the data goes",
        family="entry",
        question="Which data has to leave the customer's own systems, if any?",
        rule="Of the same edition as onboarding; of several as easy (hosted, or run by oneself), the lightest "
        "route; where none is self_serve, the cheapest. Another company's large model that the user picks is not "
        "the vendor. Unknown: whose storage is not stated; a product still to be built.",
        meanings={
            "data_leaves": "work on machines of the vendor or its marketplace; a hosted service ('SaaS') that "
            "holds data, models, prompts or logs",
            "metadata_only": "only statistics, links, identifiers or proofs leave; a hosted dashboard for local work",
            "none": "data stays: a library, command-line tool, open-source, self-hosted or in-cluster edition, "
            "the user's own cloud (inferred), unless it uploads",
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
        rule="Why a buyer would take it from this vendor. Of several: customers first, then community.",
        meanings={
            "none": "it says it has nothing of the kind",
            "community": "open-source use with a number (stars, downloads, contributors), or a foundation's project",
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
        rule="What data scientists get from it; designed_for (inferred) if the main user is data_scientist or "
        "data_science_manager.",
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
        rule="Evidence that others have the problem; the highest that is stated. 'Trusted by many', an alpha or "
        "beta label, the maker's own company, figures of an earlier product: unknown.",
        meanings={
            "none": "it says it has no users yet",
            "interviews": "talks with possible customers",
            "pilots": "design partners, named beta users, unnamed collaborators who use it",
            "adoption": "free use with a number: users, downloads, stars, contributors",
            "customers": "organizations named or counted that use or pay for it; paying people counted",
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
        rule="The customer's problems that the product solves, most important first. Begin with what it is sold "
        "for: find that sentence (see primary) and enter its one or two jobs with it as evidence. A remark on a "
        "competitor, a customer's story or a feature's detail is no problem of its own.",
    ),
    ListSpec(
        name="personas",
        title="Users",
        family="people",
        rule="Who uses it, main user first. 1. Of the roles named as its users, the first: researcher, ML "
        "practitioner, data-science or research team = data_scientist, their head = data_science_manager; ML "
        "developer = ml_engineer; AI developer = ai_engineer; infrastructure, DevOps, SRE, MLOps engineer = "
        "platform_engineer. Of two sides (seller, buyer), the one that needs the model or data. 'You', 'your "
        "team', ML or AI team, technical users, product teams, 'MLOps', a role in a feature's name: nobody. 2. "
        "Developer, engineer, user, or no role named: the one role whose work is described: training, tuning, "
        "tracking experiments, evaluating models, curating data, setting up labeling = data_scientist; only "
        "drawing labels = annotator; prompts, agents, LLM calls, retrieval = ai_engineer; serving or compressing "
        "models = ml_engineer; pods, clusters = platform_engineer; pipelines of tables = data_engineer. Of two: "
        "empty. Of none: developer = software_engineer. business_user and other come first only where 1 and 2 "
        "give no other role.",
    ),
    ListSpec(
        name="competitors",
        title="Competitors",
        family="rivals",
        rule="What the pitch says customers use, or could use, instead: products, a class ('cloud providers') as "
        "one, in-house scripts, a practice; also the alternative of a specific difference. A base it builds on "
        "only if the product is said to be better than the base alone. Not: integrations, partners, customers, "
        "investors, hardware or models used as a measure, living with the problem.",
    ),
)
LISTS: Final[Mapping[str, ListSpec]] = {spec.name: spec for spec in _LISTS}
"""The lists by name, in the order in which they are shown."""

LIST_RULES: Final[Mapping[str, str]] = {
    "in_scope": "Is it for people who build, run or improve machine learning (LLM applications included)? An "
    "application that merely uses AI is not.",
    "product": "Its name in the pitch, or a short description.",
    "summary": "What it is and for whom, in your own words, at most 30.",
    "problems": LISTS["problems"].rule,
    "statement": "The problem, in your own words, at most 25.",
    "quote": "Verbatim from the pitch: one continuous span, enough words to carry the point.",
    "stage": "In this order: 1. Lower cost, better-used machines, more speed or smaller size of what the customer "
    "runs already (people's effort does not count), or a task named with such a saving: day_2 (a first result "
    "sooner, one machine to many: day_1). 2. Keeping or improving ML that exists: edge cases, root causes, "
    "debugging (where or why it fails), why a model decided so, whether a training was optimal, decay, alert "
    "noise, retraining, errors and gaps in data sets (not before the first labeling), improving training data, "
    "what to label next, tests on data that flows, a live model against its successor, compliance of models that "
    "exist, 'maintain': day_2. 3. Getting to use ML at all: labeling, data and features to train on, experiments, "
    "getting or sharing machines, deploying, monitoring (decisions, performance, drift), seeing which runs fail, "
    "testing or evaluating a model, prompt or agent, guarding, scanning, red teaming, one entry to models, tuning "
    "a foundation model, 'manage' alone: day_1. both: one problem truly at both ends. unclear: not said.",
    "focus": "The hands-on work that the problem needs without the product, whoever uses it; not the technology "
    "inside it. ml: labels, samples, training data, models, experiments, training and its methods (fine-tuning, "
    "compression, faster training), prompts, quality of what comes out, why an answer was wrong, compliance "
    "reports. engineering: machines (also to train on), containers, clusters, runtimes, endpoints, calls (failed, "
    "slow), latency and cost of serving, tables, storage, pipelines, feature serving, vector stores, gateways, "
    "guardrails, sandboxes. both: only if the first one or two jobs named are of both kinds; a benefit or the end "
    "of a list does not count. unclear: not said.",
    "primary": "true only for what the product is sold for: the first sentence, wherever it is, that says what "
    "the product does to a model, data, a prompt, an agent, an endpoint, a call or machines. Skip sentences about "
    "ML, projects or applications in general. Its verbs (or nouns for them) with their objects count, of a longer "
    "list the first two; not 'manage' next to an exact verb, adjectives, purpose clauses ('to improve …') or "
    "later lists. Verbs that share an object are one problem, unless one is day_1 and one day_2 ('deploy and "
    "maintain'): then two. If it has only a general word (manage, platform), take the first problem the text "
    "tells.",
    "personas": LISTS["personas"].rule,
    "competitors": LISTS["competitors"].rule,
    "name": "Its name, or the pitch's words for it.",
    "kind": "in_house: customers build it themselves. manual_process: people do it, or a practice. cloud_vendor: "
    "AWS, Google Cloud, Azure. established_vendor: large and long known. Else startup or open_source.",
}
"""What decides for the lists and their parts, by field name (docs/codebook.md)."""
