"""The keyword reader: what a cue tells, what takes it back, and that every quote stands in the text."""

from __future__ import annotations

import pytest

from analyzer import analyze
from analyzer.reading.keywords.reader import read_with_keywords
from analyzer.vocabulary.signals import SIGNALS, Signals

TITLE = "Foldline: experiment tracking for ML teams"


def read(*sentences: str) -> Signals:
    """A pitch for an ML tool that says these sentences and nothing else worth a cue."""
    return read_with_keywords(f"{TITLE}\n\n" + " ".join(sentences))


# ---------------------------------------------------------------- cues


RESTS_ON_THE_WHOLE = {
    "differentiation": "claimed",
    "market_breadth": "horizontal",
    "lifecycle_scope": "single_step",
}

CUES = {
    "a named signer": ("buyer", "The contract is signed by the CTO.", "engineering_leadership", "stated"),
    "a head of ML who signs": ("buyer", "The head of machine learning signs.", "data_science_leadership", "stated"),
    "a risk officer who buys": ("buyer", "Chief risk officers buy it.", "business_leadership", "stated"),
    "a user who pays alone": ("buyer", "Developers pay for it with their own credit card.", "practitioner", "stated"),
    "a signer beside a user who pays": (
        "buyer",
        "Developers pay with their own credit card. Team contracts are signed by a VP of Engineering.",
        "engineering_leadership",
        "stated",
    ),
    "equal to others": ("differentiation", "These are the same cards everyone rents.", "none", "stated"),
    "adjectives": ("differentiation", "It is blazing fast.", "claimed", "stated"),
    "a difference from a rival": (
        "differentiation",
        "Unlike MLflow, it keeps runs without a server.",
        "specific",
        "stated",
    ),
    "a figure against another on the same thing": (
        "differentiation",
        "Another compiler took 31 ms, ours took 12 ms, on the same board.",
        "measured",
        "stated",
    ),
    "a customer who states an outcome": (
        "differentiation",
        "Northwind Bank cut its labelling bill by 40%.",
        "proven",
        "stated",
    ),
    "free, and nothing to buy": ("pricing", "It is free and open source.", "free_only", "inferred"),
    "free, and a plan": ("pricing", "Free for one person. The team plan is paid.", "free_then_paid", "stated"),
    "a price in figures": ("pricing", "It costs $20 a month.", "self_checkout", "stated"),
    "a plan by talking to sales": ("pricing", "Contact sales about the enterprise plan.", "by_quote", "stated"),
    "a price that nobody pays alone": ("pricing", "It costs $5,000 a month.", "by_quote", "stated"),
    "a limit to one kind of data": ("market_breadth", "It handles only images.", "vertical", "stated"),
    "any framework": ("market_breadth", "It works with any framework and any model.", "horizontal", "stated"),
    "a release that was held": ("urgency", "The winter release was held for weeks.", "critical_path", "stated"),
    "pain": ("urgency", "Comparing runs is tedious.", "important", "stated"),
    "optional": ("urgency", "It is nice to have.", "nice_to_have", "stated"),
    "a saving with a figure": ("business_impact", "It cuts your GPU bill by 30%.", "quantified", "stated"),
    "a saving without a figure": ("business_impact", "It reduces training costs.", "described", "stated"),
    "safety": ("value_at_stake", "It is used in safety-critical systems.", "very_high", "stated"),
    "an outage": ("value_at_stake", "We had a major outage.", "material", "stated"),
    "a hobby": ("value_at_stake", "Made for hobby projects.", "modest", "stated"),
    "sign up": ("onboarding", "Sign up and go.", "self_serve", "stated"),
    "a workshop first": ("onboarding", "We start with a workshop.", "assisted", "stated"),
    "open source": ("onboarding", "Foldline is an open-source tool.", "self_serve", "inferred"),
    "own hardware first": ("onboarding", "It needs a dedicated server.", "heavy_setup", "stated"),
    "the lightest way in": ("onboarding", "Contact sales, or pip install foldline.", "self_serve", "stated"),
    "data that never leaves": ("data_movement", "Your data never leaves your VPC.", "none", "stated"),
    "data that is not moved": ("data_movement", "We don't move your data.", "none", "stated"),
    "a library": ("data_movement", "It is a Python library.", "none", "inferred"),
    "only metadata": ("data_movement", "Only metadata is sent.", "metadata_only", "stated"),
    "an upload": ("data_movement", "Upload your data to our cloud.", "data_leaves", "stated"),
    "the lightest route": (
        "data_movement",
        "Upload your data to our cloud. A self-hosted edition exists.",
        "none",
        "inferred",
    ),
    "a marketplace": ("trust_route", "Available on AWS Marketplace.", "marketplace_or_partner", "stated"),
    "named customers": (
        "trust_route",
        "Customers such as Northwind Bank and Contoso use it.",
        "reference_customers",
        "stated",
    ),
    "no marketplace": ("trust_route", "We are not on any marketplace.", "none", "stated"),
    "a community that is counted": ("trust_route", "It has 11,400 stars on GitHub.", "community", "stated"),
    "free use that is counted": ("traction", "It has 380k downloads a month.", "adoption", "stated"),
    "customers counted": ("traction", "Seventeen companies pay for it.", "customers", "stated"),
    "pilots": ("traction", "We have three design partners.", "pilots", "stated"),
    "conversations": ("traction", "I talked to eleven teams.", "interviews", "stated"),
    "no users": ("traction", "We have zero users.", "none", "stated"),
}


@pytest.mark.parametrize(("signal", "text", "value", "basis"), CUES.values(), ids=CUES.keys())
def test_a_cue_gives_its_value_and_the_words_it_was_read_from(signal: str, text: str, value: str, basis: str) -> None:
    found = read(text).single(signal)
    assert (found.value, found.basis) == (value, basis)
    assert any(quote.text in text for quote in found.quotes)


@pytest.mark.parametrize(
    "signal",
    [name for name in SIGNALS if name not in (*RESTS_ON_THE_WHOLE, "category", "data_science_fit")],
)
def test_a_signal_without_a_cue_is_unknown(signal: str) -> None:
    assert not read("We would like to hear from you.").single(signal).known


@pytest.mark.parametrize(("signal", "value"), RESTS_ON_THE_WHOLE.items(), ids=RESTS_ON_THE_WHOLE.keys())
def test_what_rests_on_the_whole_text_is_inferred_from_what_is_sold(signal: str, value: str) -> None:
    found = read("We would like to hear from you.").single(signal)
    assert (found.value, found.basis) == (value, "inferred")
    assert found.quotes


@pytest.mark.parametrize(
    ("signal", "text", "value"),
    [
        ("pricing", "License: MIT", "free_only"),
        ("pricing", "License: Apache 2.0", "free_only"),
        ("pricing", "[License: MIT](https://example.org/licence)", "free_only"),
        ("trust_route", "stars 11.4k", "community"),
        ("traction", "downloads 380k/month", "adoption"),
        ("traction", "GitHub stars: 11,400", "adoption"),
        ("onboarding", "Get the code at github.com/foldline/foldline.", "self_serve"),
    ],
)
def test_what_a_badge_or_a_link_says_counts_like_prose(signal: str, text: str, value: str) -> None:
    assert read(text).single(signal).value == value


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ("onboarding", "Book a demo."),
        ("buyer", "It is free for one person."),
        ("pricing", "Langfuse is free and open source, unlike us."),
        ("pricing", "There is a free trial."),
        ("pricing", "You pay less for your GPUs."),
        ("onboarding", "It runs open-source models."),
        ("traction", "We will have 500 users by the end of the year."),
        ("trust_route", "Feel free to give us stars."),
    ],
)
def test_what_only_sounds_like_a_value_gives_none(signal: str, text: str) -> None:
    assert not read(text).single(signal).known


@pytest.mark.parametrize(
    "text", ["The CTO signs it. The CFO signs it.", "It is sold to CTOs and sold to heads of data science."]
)
def test_cues_that_contradict_each_other_are_unknown(text: str) -> None:
    assert not read(text).buyer.known


TYPOGRAPHIC = {
    "curly apostrophe": "We don’t move your data.",
    "hyphen for space": "We don't move your\u00a0data.",
    "markdown": "We **don't move** your data.",
    "wrapped line": "We don't\nmove your data.",
    "capitals": "WE DON'T MOVE YOUR DATA.",
}


@pytest.mark.parametrize("text", TYPOGRAPHIC.values(), ids=TYPOGRAPHIC.keys())
def test_a_cue_is_found_however_it_is_typed(text: str) -> None:
    found = read(text).data_movement
    assert found.value == "none" and found.quotes[0].text == text


# ---------------------------------------------------------------- what takes a cue back


DENIED = {
    "no install": ("onboarding", "No pip install needed."),
    "no demo": ("onboarding", "Start without a demo or a sales call."),
    "nobody uploads": ("data_movement", "Nobody has to upload your data to our servers."),
    "not supported": ("data_movement", "Self-hosting is not supported."),
    "planned": ("data_movement", "On-prem is on our roadmap."),
    "no customers": ("traction", "We do not have 40 customers."),
    "no saving": ("business_impact", "It does not reduce costs."),
    "no marketplace": ("trust_route", "We never list on the AWS Marketplace."),
    "not painful": ("urgency", "This was never painful."),
}


@pytest.mark.parametrize(("signal", "text"), DENIED.values(), ids=DENIED.keys())
def test_what_is_denied_or_planned_is_no_evidence(signal: str, text: str) -> None:
    assert read(text).single(signal).value in ("unknown", "none")
    assert read(text).single(signal).value != "none" or signal == "trust_route"


def test_not_only_denies_nothing() -> None:
    assert read("It is not only self-hosted.").data_movement.value == "none"


@pytest.mark.parametrize(
    "text", ["Not for data scientists.", "Data scientists are not needed.", "No data science expertise required."]
)
def test_data_scientists_who_are_not_needed_are_no_users(text: str) -> None:
    signals = read(text)
    assert signals.data_science_fit.value == "ignored"
    assert "data_scientist" not in [persona.role for persona in signals.personas]


def test_a_platform_team_that_is_not_needed_is_no_user() -> None:
    signals = read("Built for data scientists. You won't need a platform team.")
    assert [persona.role for persona in signals.personas] == ["data_scientist"]


def test_the_readers_own_people_come_after_whom_the_product_is_for() -> None:
    signals = read("Your data scientists hold whole cards. Platform engineers can slice them.")
    assert signals.personas[0].role == "platform_engineer"


# ---------------------------------------------------------------- rivals


RIVALS = {
    "unlike": ("Unlike MLflow, it needs no server.", [("MLflow", "open_source")]),
    "compared": ("Compared to Weights & Biases it is small.", [("Weights & Biases", "startup")]),
    "instead of": ("Use it instead of SageMaker.", [("SageMaker", "cloud_vendor")]),
    "alternatives": (
        "Alternatives such as Comet ML and ClearML need a server.",
        [("Comet ML", "startup"), ("ClearML", "startup")],
    ),
    "versus": ("How it compares: Foldline vs DataRobot.", [("DataRobot", "established_vendor")]),
    "said of it": ("KServe gives you more knobs.", [("KServe", "open_source")]),
    "unknown name": ("Unlike Zonkly, it is small.", [("Zonkly", "startup")]),
    "own scripts": ("Today teams write their own scripts.", [("write their own scripts", "in_house")]),
    "by hand": ("Today results are kept in spreadsheets.", [("spreadsheets", "manual_process")]),
    "clouds": ("In contrast to hyperscalers we are neutral.", [("hyperscalers", "cloud_vendor")]),
    "a cloud beside a rival": ("Unlike AWS, it is simple.", [("AWS", "cloud_vendor")]),
}


@pytest.mark.parametrize(("text", "rivals"), RIVALS.values(), ids=RIVALS.keys())
def test_an_alternative_is_a_competitor(text: str, rivals: list[tuple[str, str]]) -> None:
    assert [(rival.name, rival.kind) for rival in read(text).competitors] == rivals


@pytest.mark.parametrize(
    "text",
    [
        "Works with MLflow.",
        "Integrates with MLflow, SageMaker and Weights & Biases.",
        "Runs on AWS and Azure.",
        "Deploys to SageMaker or Vertex AI.",
        "Supports LangChain.",
        "Built on Ray Tune.",
        "Plugs into Airflow.",
        "Exports to Label Studio.",
        "Available on the AWS Marketplace.",
        "Customers such as Databricks use it.",
        "Backed by NVIDIA and Databricks.",
        "It reads MLflow logs.",
        "Unlike other tools, it is free.",
        "No spreadsheets needed.",
    ],
)
def test_integrations_partners_customers_and_investors_are_no_competitors(text: str) -> None:
    assert read(text).competitors == ()


def test_names_under_a_heading_on_competition_are_competitors() -> None:
    signals = read_with_keywords(f"{TITLE}\n\nIt keeps runs.\n\n## Alternatives\n\nNeptune. Also MLflow.")
    assert [rival.name for rival in signals.competitors] == ["Neptune", "MLflow"]


def test_a_product_is_no_competitor_of_itself() -> None:
    signals = read_with_keywords(
        "# MLflow\n\nMLflow is an experiment tracking tool. MLflow gives you a model registry."
    )
    assert signals.product == "MLflow" and signals.competitors == ()


# ---------------------------------------------------------------- scope, category, problems


@pytest.mark.parametrize(
    "text",
    [
        "Acme: AI that writes sales emails\n\nOur models are trained on 10 million emails. Sales teams save hours.",
        "Acme - AI scheduling for dental clinics\n\nOur machine-learning model fills the diary with patients.",
        "Acme: see which service breaks\n\nIt reads your OpenAPI files and draws who calls whom.",
        "Acme: Postgres that scales to zero\n\nBranch your database like code.",
        "Wir backen Brot. Jeden Morgen frisch.",
        "Acme: contract review for law firms\n\nBuilt on a large language model fine-tuned on two million agreements. "
        "The model learns from every clause you accept. Retrieval over your own documents, no hallucinations.",
        "Acme: AI agents that answer your customers\n\nTrained on your help center, our agents use a mix of models from "
        "OpenAI and Anthropic with guardrails, and hand support tickets over when they are unsure.",
        "Acme: a job queue on Postgres\n\nUsed in production for emails, invoices and nightly model training. "
        "Benchmarks: 18,000 jobs per second.",
        "Acme: object storage without egress fees\n\nBackups, logs, video. Customers include research labs and AI "
        "companies who keep their training data with us.",
    ],
    ids=["sales", "dentists", "developer tool", "database", "german", "law", "support", "queue", "storage"],
)
def test_a_product_that_is_not_for_makers_of_ml_is_out_of_scope(text: str) -> None:
    signals = read_with_keywords(text)
    assert not signals.in_scope
    assert not signals.category.known and signals.problems == () and signals.personas == ()


@pytest.mark.parametrize(
    "text",
    [
        "Acme\n\nYou change a prompt. Is the answer better now? Acme runs both on your examples and a model marks them.",
        "Acme\n\nFour runs or four thousand: see which settings differ and in which epoch the validation loss turns.",
        "Acme\n\nWho picks what gets labelled? Acme runs your weights over the stored frames, and you retrain on the rest.",
        "Acme\n\nLlama and Mistral by the token, from one OpenAI-compatible endpoint.",
    ],
    ids=["prompts", "runs", "labels", "tokens"],
)
def test_a_pitch_in_the_words_of_ml_work_is_in_scope_without_saying_ml(text: str) -> None:
    assert read_with_keywords(text).in_scope


CATEGORIES = {
    "data_labelling": "Markle: an annotation tool for medical images",
    "feature_store": "Rill: a feature store with online and offline serving",
    "vector_database": "Quiver: a vector database for embeddings",
    "experiment_tracking": TITLE,
    "model_serving": "Porter: deploy your ML models behind an autoscaling endpoint",
    "llm_inference_serving": "Torrent: an inference engine for LLMs",
    "model_monitoring": "Lookout: model monitoring that catches data drift",
    "explainability": "Because: explain the predictions of your model with feature attributions",
    "gpu_orchestration": "Slicer: GPU scheduling and sharing for Kubernetes clusters",
    "guardrails_and_ml_security": "Palisade: guardrails against prompt injection for LLM applications",
    "privacy_preserving_ml": "Cohort: federated learning for hospitals",
    "end_to_end_platform": "Orchard: an end-to-end MLOps platform",
}


@pytest.mark.parametrize(("category", "title"), CATEGORIES.items(), ids=CATEGORIES.keys())
def test_the_title_tells_the_category(category: str, title: str) -> None:
    signals = read_with_keywords(f"{title}\n\nWe would like to hear from you.")
    assert signals.in_scope and signals.category.value == category and signals.category.basis == "stated"


PLACES = {
    "labels": ("Markle: label images at acceptable cost", "day_1", "ml"),
    "into production": ("Porter: deploy models without managing servers", "day_1", "engineering"),
    "edge cases": ("Miner: find the edge cases that your model gets wrong", "day_2", "ml"),
    "a GPU bill": ("Saver: cut the GPU bill of your training cluster", "day_2", "engineering"),
    "monitoring is day 1": ("Lookout: monitor the predictions of your models", "day_1", "ml"),
    "root causes are day 2": ("Because: the root cause of wrong predictions of your model", "day_2", "ml"),
}


@pytest.mark.parametrize(("title", "stage", "focus"), PLACES.values(), ids=PLACES.keys())
def test_the_title_places_the_primary_problem(title: str, stage: str, focus: str) -> None:
    problem = read_with_keywords(f"{title}\n\nWe would like to hear from you.").problems[0]
    assert (problem.stage, problem.focus, problem.primary) == (stage, focus, True)
    assert problem.statement == title.partition(": ")[2]


def test_a_pitch_that_sells_both_ends_has_two_primary_problems() -> None:
    signals = read_with_keywords(
        "Weir: features for every model\n\nFor a first model, it serves features to live requests from one endpoint. "
        "For old models it finds the root cause of wrong predictions in stale training data."
    )
    assert [(problem.stage, problem.focus) for problem in signals.problems if problem.primary] == [
        ("day_1", "engineering"),
        ("day_2", "ml"),
    ]


def test_a_problem_without_a_cue_takes_the_usual_place_of_its_category() -> None:
    signals = read_with_keywords("Lookout\n\nML observability. We would like to hear from you.")
    assert signals.category.value == "model_monitoring"
    assert [(problem.stage, problem.focus) for problem in signals.problems] == [("day_1", "ml")]


def test_the_user_is_the_one_whose_work_the_category_is_where_no_role_is_named() -> None:
    signals = read_with_keywords("Slicer: GPU scheduling and sharing\n\nWe would like to hear from you.")
    assert [persona.role for persona in signals.personas] == ["platform_engineer"]
    named = read_with_keywords("Slicer: GPU scheduling and sharing\n\nData scientists use it to queue for cards.")
    assert [persona.role for persona in named.personas] == ["data_scientist"]


def test_saying_below_the_title_what_the_product_does_is_a_claim() -> None:
    signals = read("It compares experiments.")
    assert (signals.differentiation.value, signals.differentiation.basis) == ("claimed", "inferred")


def test_a_list_after_the_title_ends_the_opening() -> None:
    bullets = "\n".join(f"- keeps {number} things in order, as every tool of its kind does" for number in range(9))
    problem = read_with_keywords(f"Porter\n\n- deploy models\n{bullets}\n- finds edge cases").problems[0]
    assert (problem.stage, problem.focus) == ("day_1", "engineering")


# ---------------------------------------------------------------- names and forms


def test_the_name_in_the_title_of_a_customers_story_is_the_customers() -> None:
    signals = read_with_keywords(
        "How Alderby Bank cut its retraining in half\n\nAlderby runs forty models. Lookout watches their drift."
    )
    assert signals.product == "Lookout"
    assert signals.trust_route.value == "reference_customers" and signals.traction.value == "customers"


@pytest.mark.parametrize(
    ("letter", "product"),
    [
        (
            "Hello Ms. Okafor,\n\nYour fund wrote about models. We run Rainledger. It watches drift of models.",
            "Rainledger",
        ),
        (
            "Hey Dana, thx for the intro! Moving you to bcc.\n\nHi Michael,\n\nso we built Driftwell. It watches drift.",
            "Driftwell",
        ),
        ("Hi all\n\nFoldline tracks experiments, so that runs can be compared.", "Foldline"),
        ("Hi Ana,\n\nhere are two paragraphs on Row Ledger. We record training data.", "Row Ledger"),
        ("Hi Ana,\n\nThree European banks pay for it. Foldline tracks experiments.", "Foldline"),
        ("Dear investors,\n\nour tool tracks experiments, so that runs can be compared.", ""),
    ],
)
def test_a_greeting_is_not_the_product(letter: str, product: str) -> None:
    signals = read_with_keywords(letter)
    assert signals.product == product
    assert not signals.summary.startswith(("Hello", "Hi", "Hey", "Dear"))


TITLES = {
    "colon": ("Foldline: experiment tracking", "Foldline"),
    "dash": ("Foldline — experiment tracking", "Foldline"),
    "markdown": ("# Foldline", "Foldline"),
    "news": ("Foldline raises $3 million to tame experiments", "Foldline"),
    "show hn": ("Show HN: Foldline, experiment tracking", "Foldline"),
    "list entry": ("* [Foldline](https://fold.example) - Experiment tracking for everyone.", "Foldline"),
    "sentence": ("Foldline is an experiment tracker.", "Foldline"),
    "no name": ("Track your experiments without a server and without tears", "Track your experiments without a"),
}


@pytest.mark.parametrize(("title", "product"), TITLES.values(), ids=TITLES.keys())
def test_the_product_is_named_by_the_title(title: str, product: str) -> None:
    assert read_with_keywords(f"{title}\n\nIt keeps the runs of your models in one file.").product == product


def test_a_readme_is_read_past_badges_tags_and_code() -> None:
    signals = read_with_keywords(
        '<p align="center"><img src="https://x.example/data-never-leaves-your-vpc.png"></p>\n\n'
        "[![build](https://ci.example/b.svg)](https://ci.example)\n\n# Foldline\n\n"
        "[Docs](https://x.example) | [Blog](https://y.example)\n\nFoldline is an experiment tracker for data scientists.\n\n"
        "```python\n# contact sales, unlike MLflow\n```\n\n```\npip install foldline\n```\n"
    )
    assert signals.product == "Foldline"
    assert signals.summary == "Foldline is an experiment tracker for data scientists."
    assert signals.onboarding.value == "self_serve" and signals.onboarding.quotes[0].text == "pip install foldline"
    assert signals.data_movement.basis == "inferred" and signals.competitors == ()


def test_a_long_sentence_is_quoted_by_the_clauses_that_carry_the_cue() -> None:
    filler = "and there is more to say of it than fits on one line of any page"
    text = ", ".join([*[filler] * 6, "your data never leaves your network", *[filler] * 6]) + "."
    [quote] = read(text).data_movement.quotes
    assert "your data never leaves your network" in quote.text
    assert len(quote.text) <= 200 and not quote.text.startswith(" ")


def test_other_languages_and_scripts_are_mostly_unknown() -> None:
    for text in (
        "Wir überwachen Modelle im Betrieb.",
        "نحن نراقب النماذج",
        "モデルを監視します。",
        "🙂🙂🙂",
        "\0\0 \0",
    ):
        signals = read_with_keywords(text)
        assert not any(signals.single(name).known for name in SIGNALS)


def test_a_models_recall_and_where_a_tool_lives_say_nothing_of_lives_at_stake() -> None:
    text = "Labels for machine learning teams, with the same recall at half the cost. It lives in your cluster."
    assert not analyze(text, model="keywords").signals.urgency.known


def test_what_the_customer_has_already_says_nothing_of_what_is_sold() -> None:
    about = "Quillbase\n\nFor machine learning teams. It watches the embeddings behind your search. "
    theirs = analyze(about + "It runs as a container next to your vector store.", model="keywords")
    sold = analyze(about + "It is a vector store.", model="keywords")
    assert theirs.signals.category.value == "unknown"
    assert sold.signals.category.value == "vector_database"
