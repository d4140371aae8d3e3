"""Short pitches for the kinds of problems that makers of ML have: in scope, on their stage or focus, without saying "ML".

The rows of `fixtures/examples.csv` with part `held` are not read here: they measure, and nothing is tuned on them.
"""

from __future__ import annotations

import csv

import pytest

from analyzer.reading.keywords.reader import read_with_keywords
from analyzer.resources import resource

with (resource("fixtures") / "examples.csv").open(encoding="utf-8", newline="") as table:
    TUNED_ON = [row for row in csv.DictReader(table) if row["part"] == "tune"]


def placed(text: str) -> tuple[str, str]:
    """Stage and focus of the first problem of a pitch, which is in scope."""
    signals = read_with_keywords(text)
    assert signals.in_scope
    assert signals.problems[0].primary
    return signals.problems[0].stage, signals.problems[0].focus


@pytest.mark.parametrize("row", TUNED_ON, ids=lambda row: str(row["id"]))
def test_an_example_lands_on_its_stage_or_focus(row: dict[str, str]) -> None:
    stage, focus = placed(row["text"])
    assert row["stage"] in ("", stage)
    assert row["focus"] in ("", focus)


OTHER_WORDS = {
    "day_1": [
        "Brindlejot trains your deep-learning model in the cloud, so you need not buy or rent a single machine.",
        "Ossavane is for teams with data and an idea but no hardware: upload both and get a trained classifier back.",
        "Learn to train a model without managing infrastructure: Pollenby finds the compute and shuts it down afterwards.",
        "Mirelode turns a trained model into a live service that your customers can use.",
        "Your data scientists have finished a model; Wendlebay ships it to production.",
        "Gannetry helps you roll out machine-learning models from the laptop to real traffic.",
        "Plovermint is one place to keep the features that all your models use, so nobody computes them twice.",
        "Hazelcote manages model inputs: define a variable once and reuse it for training and prediction.",
        "Catalog, share and reuse features across ML teams with Drumlinn.",
        "Sparrowgate keeps watch over the predictions of models in production and alerts you when they drift.",
        "Fenwarden monitors the decisions your AI makes and shows what it decided for whom.",
        "See how your model behaves after launch: Copperlace records all its outputs.",
        "Harrowlite fits your first classifier in the browser; no server, no drivers, no cluster.",
        "With Pebblecot, a researcher who has no GPUs can still train networks: send the script, get the weights.",
        "No computers to buy and nothing to install: Oatvane handles the training of your networks remotely.",
        "Stilehouse takes a model from a researcher's laptop and puts it before its first users.",
        "From experiment to live service: Millrace gets models out of the lab.",
        "A library of ready-made model features that several teams can reuse: Coppicebank.",
        "Larderbee stores the variables that feed your models, with owners and descriptions.",
        "Osprey Lane shows what your model decides in the wild and warns you about odd predictions.",
        "Know what your freshly released model is telling your customers: Gullwatch logs each prediction.",
        "Tarnhead is a dashboard on which you follow the decisions of your models day by day.",
    ],
    "day_2": [
        "Grislewick finds the edge cases your model gets wrong.",
        "Marlhook surfaces the unusual examples where your classifier fails, so you can fix them.",
        "Thornseek mines production data for difficult samples that confuse the network.",
        "Ravelight shows why your model made a particular decision.",
        "When a customer asks for the reason behind a score, Aldermote names the features that led the model to it.",
        "Understand which factors were responsible for each prediction with Quillspan.",
        "Did your training converge, or could it have been better? Lintelar tells.",
        "Borelight analyses training runs and says whether the hyperparameters were optimal.",
        "Yarrowgap shows how much accuracy your last training left on the table.",
        "Mossgrade improves your training set with every cycle: it removes harmful examples and proposes new ones.",
        "Better data, better models: Fallowmere tells you which samples to add to your dataset next.",
        "Clean and enrich the data your models learn from, again and again, with Wheatlark.",
        "Nickelhawk shrinks your GPU bill by shutting down idle instances.",
        "Save on GPU costs: Fennimore moves training jobs to spot instances.",
        "Spend less on compute for training; Larkmoor shows which GPUs nobody uses.",
        "Spindlebrook collects the rare situations in which your perception network errs.",
        "Your model is right most of the time. Knaggs finds the inputs where it is not.",
        "Discover where your model breaks: Ridgefoil searches traffic for failures nobody has seen.",
        "Why was this loan declined? Claverdon tells which inputs made your model say no.",
        "Millbeam explains individual predictions to the engineers who answer for the model.",
        "Get the reason for every score your model gives, with Ashlark.",
        "Is your model as good as it can be? Tolmere inspects the training and finds what limited it.",
        "Furlongs checks finished training runs for wasted epochs and poor settings.",
        "Did we train long enough, with the right learning rate? Pinnock answers after each run.",
        "Rootmantle raises the quality of training data continuously, sample by sample.",
        "Feed your model better data: Dellwood finds gaps in the dataset and fills them.",
        "Every week, Hayrick proposes which examples to add to the training data and which to delete.",
        "Our customers pay 40% less for GPUs: Mizzenlow finds waste in ML clusters.",
        "Lower your cloud GPU spending with Tallowfair.",
        "GPUs are expensive. Quernstone packs more jobs on fewer cards.",
    ],
    "ml": [
        "Dapplenote is a tool for labeling data, with checks that catch labelers' errors.",
        "Tag thousands of pictures a day with consistent labels in Bexlory.",
        "Marksedge speeds up the tagging of training images by suggesting labels.",
        "Keep track of your experiments: Trellisway stores settings, metrics and code of all runs.",
        "Ledgerfinch records what you tried while training, and compares results.",
        "Compare hyperparameters and metrics across experiments in Vellumtrack.",
        "Stressel tests how robust your model is against noise, attacks and unusual data.",
        "Will your classifier survive blurred images and adversarial perturbations? Oakstrain finds out.",
        "Check if your model still performs when the data changes, with Bramshift.",
        "Haybarrow makes labeling of video three times faster.",
        "A labeling tool with built-in quality checks: Inkmoss.",
        "Wherrynote gathers the results of all training runs in one table and shows which settings were best.",
        "Never lose an experiment again: Siskin notes every run with its parameters.",
        "Cragproof stress-tests models with corrupted inputs.",
        "How does your model react to fog, noise and attackers? Gorsefield measures its robustness.",
    ],
    "engineering": [
        "Steelmarrow provisions and maintains GPU servers for ML teams.",
        "Manage clusters of GPU machines, from driver updates to failed nodes, with Hobnail.",
        "Coldforge operates your GPU nodes: scheduling, quotas, repairs.",
        "Ferrywing creates scalable endpoints for your models within minutes.",
        "Serve models as REST APIs on Kubernetes with Jettystone.",
        "Turn any model into a web service that scales; Larchport handles servers and traffic.",
        "Bellfathom monitors response times and failures of model endpoints.",
        "Know when your prediction API is slow or down: Watchbrook alerts the on-call engineer.",
        "Tidewatch tracks throughput, errors and availability of your inference servers.",
        "Bankfoot keeps GPU servers healthy: drivers, firmware, replacement.",
        "Run your own GPU cluster without a team of administrators; Ironquay automates it.",
        "Sluicegate gives every model an endpoint that scales with traffic.",
        "Expose a trained network as an API with authentication and autoscaling: Fordway.",
        "Halyardeye alerts you when a model endpoint slows down or fails.",
        "Uptime and latency of your model APIs at a glance, with Beaconfell.",
    ],
}


@pytest.mark.parametrize(
    ("expected", "text"), [(expected, text) for expected, texts in OTHER_WORDS.items() for text in texts]
)
def test_a_problem_of_the_same_kind_in_other_words_lands_there_too(expected: str, text: str) -> None:
    assert expected in placed(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bakewell lets restaurants plan shifts and order ingredients in one app.",
        "Rentorio helps landlords collect rent and answer tenants.",
        "Logmarten lets you search the logs of your web servers and pages the engineer on call.",
        "Portcullis watches the latency, error rate and uptime of your web APIs.",
        "Harbourly puts your web app behind an HTTPS endpoint with one command, with containers and autoscaling.",
        "Staffwell trains your sales team with short daily lessons and shows whether the training worked.",
        "Chalkboard lets teachers annotate pupils' essays quickly.",
        "Trialhead lets hospitals log the results of every clinical trial and compare any two of them.",
        "Pixelbarn sells graphics cards for gamers at lower prices.",
        "Seedcamp Hub lists startup accelerators and what they cost.",
        "Housemodel lets architects put a 3D model of a building on the web.",
        "Featurely lets product teams define, store and look up feature requests in one shared catalogue.",
        "Fitloop lets you train for your first marathon although you own no equipment.",
        "Cloudthrift lets you pay less for the servers you rent: it spots idle machines.",
        "Dashmodel lets finance teams build a financial model without spreadsheets.",
        "Our AI reads invoices and predicts when customers will pay.",
        "Inputly lets designers collect the inputs of their forms in one place.",
        "Decidely helps boards record the reasons behind each decision.",
        "Fleetling lets you look after a fleet of delivery vans and replace broken ones.",
        "Trainly trains your staff on safety rules, with no trainers and no classrooms.",
        "Greenhouse Pro lowers what you pay for heating.",
        "Modelbook lets fashion models show their portfolio and get booked.",
        "Runwell records your runs and compares pace and heart rate between them.",
        "Endpointly monitors the uptime of your website and pages whoever is on call.",
        "Cleardesk improves customer data: it removes duplicates and fills gaps in your CRM.",
        "Whynot explains to employees the reasons for each decision on pay.",
        "Nodewarden looks after fleets of servers: patches, drivers and broken nodes.",
        "Casebook collects difficult cases for law students.",
        "Renderfox lets film studios rent computers for rendering.",
        "Labelmaker prints shipping labels and tags parcels.",
        "Stockcast shows investors what analysts predict for each share.",
        "Robusta tests how well your web shop copes with heavy traffic.",
    ],
)
def test_the_same_words_about_another_trade_are_out_of_scope(text: str) -> None:
    assert not read_with_keywords(text).in_scope
