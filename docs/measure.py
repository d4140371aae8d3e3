"""How well pitches are read: the page docs/reading-measured.md, from recordings and scores that come with the project."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from analyzer import Assessment, analyze, compare
from analyzer.agreement.figures import RATERS
from analyzer.agreement.records import Comparison, FigureValue, SignalAgreement
from analyzer.files.manual_scores import ManualScores, read_manual
from analyzer.reading.forms import FORMS, form
from analyzer.reading.pitch import Pitch, overlaps
from analyzer.reading.recordings import Recording, Recordings
from analyzer.reading.spending import cost_of
from analyzer.resources import resource
from analyzer.runs.stability import STABLE_NAMES, values_of
from analyzer.settings import KEYWORDS, RECORDED
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.labels import title
from analyzer.vocabulary.signals import SIGNALS
from benchmarks import local_model, several_readings
from benchmarks.forms import figures as forms
from benchmarks.pairings import figures as pairings
from benchmarks.pairings.draw import WRONG
from benchmarks.real_texts.figures import PARTS, RealTexts, summary, tables
from benchmarks.several_readings import PRICED_AS

FIXTURES = resource("fixtures")
SETTLED = "settled"
HELD_OUT = 3
"""Every so many-th pitch of the reading set, by name, was held back while the prompt was tuned."""
SCORED = ("stage", "focus", "persona", *SIGNALS)


def page() -> str:
    """The whole page as Markdown, without its title."""
    tuned, held = sets()
    read = {reader: _assessments("reading", [*tuned, *held], reader) for reader in (RECORDED, KEYWORDS)}
    whole = _compared(read, [*tuned, *held])
    return "\n".join(
        [
            _NOTE.format(all=len(tuned) + len(held), tuned=len(tuned), held=len(held)),
            *_wording(),
            *_overview(read, tuned, held, whole),
            *_signals(whole),
            *_examples(),
            *_first_asking(),
            *_forms(),
            *_local(),
            *several_readings.section(),
            *_second_look(),
            *_hostile(),
            *_languages(),
            *_real_texts(),
        ]
    )


def line() -> str:
    """The figures of both readers in a few sentences, on texts that nothing was tuned on."""
    _, held = sets()
    found = _compared({RECORDED: _assessments("reading", held, RECORDED)}, held)
    signals = [found.signals[RECORDED][name] for name in SCORED]
    same = mean(one["agreement"].value or 0 for one in signals)
    kappa = mean(one["kappa"].value for one in signals if one["kappa"].value is not None)
    return (
        f"On {len(held)} pitches that nothing was tuned on, the recorded answers of a large language model give {same:.0%} of the "
        f"values (kappa {kappa:.2f}) that a scoring by the written rules gives. {real_line()} "
        "[How it was measured, and how far to trust it](docs/reading-measured.md)."
    )


@cache
def real_texts() -> RealTexts:
    """The stored readings of the real texts, compared once for all pages."""
    return RealTexts.stored()


def real_line() -> str:
    """The figures of both readers on the real texts that are used for reporting."""
    texts = real_texts()
    reported = texts.part(list(PARTS.values())[-1])
    large, small = (summary(reported, name, texts.varying) for name in sorted(texts.readings, key=KEYWORDS.__eq__))
    return (
        f"On {small.pitches} real texts that it was not tuned on, the model gives {large.same:.0%} (kappa {large.kappa:.2f}), adds a "
        f"value in {large.adds:.0%} of the places where the text says nothing, and misses {large.misses:.0%} of those where it does; "
        f"`keywords`, without a model, gives {small.same:.0%} ({small.kappa:.2f}), adds {small.adds:.0%} and misses {small.misses:.0%}."
    )


_NOTE = """\
`recorded` is the recorded answers of a large language model to exactly the requests this program makes; `keywords` is the
built-in reader without a model. Both are held against the settled scores of the reading set, {all} pitches written for
this purpose ([what they are](../fixtures/README.md)). {tuned} of them were looked at while the prompt and the cues were
tuned; {held} were held back. Raters, settling and model are all large language models, of one make: they agree with each
other more than people would, and the figures say how well the written rules are followed, not how well a person would
read. [What each figure means](agreement.md).

The recorded readings come from seven conversations of the model (second looks from five others). Each answered many pitches one after the other, sometimes the same
pitch in another language, form or variant, and then carried much over from the earlier answer. Expect translations, variants and forms to
agree less if each is read separately. The three readings of a pitch are by three different conversations.
"""


def _wording() -> Iterator[str]:
    """Whether the recorded answers were given to today's words, and else where and since when not."""
    recordings = Recordings([FIXTURES / "recordings"])
    reworded = recordings.reworded()
    if not reworded:
        yield f"All {len(recordings)} recorded answers were given to the wording of today's prompt and vocabulary.\n"
        return
    yield "The wording has changed since some of the answers were recorded, its meaning has not. Of "
    yield f"{len(recordings)} recorded answers, {'; '.join(map(str, reworded))}. The figures hold for the wording then.\n"


# ---------------------------------------------------------------- against the settled scores


def sets() -> tuple[list[str], list[str]]:
    """The pitches that were tuned on, and those held back."""
    names = sorted(path.stem for path in (FIXTURES / "reading").glob("*.txt"))
    held = names[HELD_OUT - 1 :: HELD_OUT]
    return [name for name in names if name not in held], held


def _text(folder: str, name: str) -> str:
    return (FIXTURES / folder / f"{name}.txt").read_text(encoding="utf-8")


def _assessments(folder: str, names: Iterable[str], reader: str) -> list[Assessment]:
    return [_assessment(folder, name, reader) for name in names]


@cache  # several sections look at the same readings
def _assessment(folder: str, name: str, reader: str = RECORDED, **options: Any) -> Assessment:
    return analyze(_text(folder, name), model=reader, id=name, **options)


def _compared(
    read: Mapping[str, Sequence[Assessment]], names: Sequence[str], raters: Sequence[str] = (SETTLED,)
) -> Comparison:
    scores = read_manual(FIXTURES / "reading_scores.csv")
    chosen = ManualScores(scores.source, tuple(row for row in scores.rows if row.pitch in names), scores.notes)
    given = {reader: [found for found in all_ if found.pitch.id in names] for reader, all_ in read.items()}
    return compare(given, chosen, raters=raters, draws=200)


def _overview(
    read: Mapping[str, Sequence[Assessment]], tuned: Sequence[str], held: Sequence[str], whole: Comparison
) -> Iterator[str]:
    yield "## Against the settled scores\n"
    yield "| reader | pitches | scope right | same value | mean kappa | stage | focus | adds | misses | score off by |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    parts = {"all": whole, "tuned on": _compared(read, tuned), "held back": _compared(read, held)}
    for reader in read:
        for label, found in parts.items():
            (score,) = (entry for entry in found.scores if entry.left == reader)
            off = mean(abs(left - right) for _, left, right in score.points)
            yield _row(reader, f"{label}, {score.n}", found.signals[reader], f"{off:.1f}")
    raters = _compared({RECORDED: read[RECORDED]}, [*tuned, *held], ("a", "b"))
    yield _row("rater a against b", "all", raters.signals[RATERS], "")
    yield (
        "\nPitches that both sides have in scope. Same value, mean kappa: over the signals, unknown being a value of its own. Adds: a value where "
        "the settled score says unknown; misses: unknown where it has one; both over all signals together. Score off by: the "
        "mean distance of the overall score (0 to 100) from that of the settled signals.\n"
    )


def _row(reader: str, pitches: str, signals: Mapping[str, SignalAgreement], off: str) -> str:
    found = [signals[name] for name in SCORED]
    kappas = [one["kappa"].value for one in found if one["kappa"].value is not None]
    cells = [
        reader,
        pitches,
        f"{signals['in_scope']['agreement'].value:.0%}",
        f"{mean(one['agreement'].value or 0 for one in found):.0%}",
        f"{mean(kappas):.2f}",
        f"{signals['stage']['agreement'].value:.2f}",
        f"{signals['focus']['agreement'].value:.2f}",
        _share([one["overclaimed"] for one in found]),
        _share([one["missed"] for one in found]),
        off,
    ]
    return f"| {' | '.join(cells)} |"


def _share(shares: Sequence[FigureValue]) -> str:
    of = sum(share.of for share in shares if share.value is not None)
    return f"{sum(share.value * share.of for share in shares if share.value is not None) / of:.1%}" if of else "–"


def _signals(whole: Comparison) -> Iterator[str]:
    yield "### Signal by signal, all pitches\n"
    yield "| signal | recorded, same | kappa | adds | misses | keywords, same | kappa |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name in ("in_scope", *SCORED):
        one, other = whole.signals[RECORDED][name], whole.signals[KEYWORDS][name]
        cells = [
            title(name),
            f"{one['agreement'].value:.0%}",
            _number(one["kappa"].value),
            _share([one["overclaimed"]]),
            _share([one["missed"]]),
            f"{other['agreement'].value:.0%}",
            _number(other["kappa"].value),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


# ---------------------------------------------------------------- the article's examples


def _examples() -> Iterator[str]:
    with (FIXTURES / "examples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    yield "## The article's examples\n"
    yield _EXAMPLES_NOTE.format(n=len(rows), held=sum(row["part"] == "held" for row in rows))
    yield "| reader | all | looked at while tuning | held back |"
    yield "| --- | ---: | ---: | ---: |"
    elsewhere: dict[str, Counter[str]] = {}
    for reader in (RECORDED, KEYWORDS):
        right: dict[str, list[bool]] = {"tune": [], "held": []}
        for row in rows:
            signals = analyze(row["text"], model=reader, id=row["id"]).signals
            found = values_of(signals)
            wrong = [name for name in LEANS if row[name] and found[name] != row[name]]
            right[row["part"]].append(not wrong)
            if wrong:
                value = found[wrong[0]]
                where = "read as out of scope" if not signals.in_scope else f"read as {value or 'unknown'}"
                elsewhere.setdefault(reader, Counter())[where.replace("_", " ")] += 1
        counts = [[*right["tune"], *right["held"]], right["tune"], right["held"]]
        yield f"| {reader} | {' | '.join(f'{sum(part)} of {len(part)}' for part in counts)} |"
    for reader, wheres in elsewhere.items():
        yield f"\nThe others of {reader}: {', '.join(f'{count} {where}' for where, count in wheres.most_common())}."
    yield ""


_EXAMPLES_NOTE = """\
The article names examples of each kind of problem. {n} pitches of one sentence, two for each example, say in other words what such a
product does; {held} of them were held back while prompt and cues were tuned. How many are read with the stage or the focus that the
article gives them:
"""


# ---------------------------------------------------------------- evidence, tokens, cost


def _first_asking() -> Iterator[str]:
    recordings = _recordings()
    pitches = [Pitch.from_text(path.read_text(encoding="utf-8")) for path in _read_paths()]
    asked = [(pitch, _exchanges(recordings, pitch)) for pitch in pitches]
    first = [(pitch, next(one for one in found if one.request.turn == 0)) for pitch, found in asked]
    again = sum(any(one.request.turn > 0 for one in found) for _, found in asked)
    quotes = [quote for pitch, found in first for quote in _quotes(json.loads(_document(found, pitch)))]
    held = sum("text" in quote for quote in quotes)
    usage = [found.response["usage"] for _, found in first]
    sent, answered = (mean(use[name] for use in usage) for name in ("prompt_tokens", "completion_tokens"))
    cost = cost_of(PRICED_AS, round(sent), round(answered)) or 0.0
    constant = {name: constant_tokens(name) for name in FORMS}
    yield "## Evidence, tokens, cost\n"
    yield f"- {len(first)} pitches (samples and reading set), {again} of them asked about again."
    yield (
        f"- {held} of {len(quotes)} numbers of sentences in the first answers are those of a sentence, which is then quoted as "
        "it is. This says nothing of whether it is the right sentence; see the next section."
    )
    yield (
        f"- {sent:,.0f} tokens sent and {answered:,.0f} answered a pitch on average, by an estimate of four characters each. At the list "
        f"price of {PRICED_AS} that is ${1000 * cost:.2f} for a thousand pitches, before any discount for the constant part."
    )
    shown = ", ".join(f"{tokens:,} in the form `{name}`" for name, tokens in constant.items())
    yield f"- Constant in every request (instructions, rules, schema): {shown}, by the same estimate.\n"


def constant_tokens(form_name: str) -> int:
    """What a request in this form has besides the pitch, at four characters a token."""
    asked = form(form_name)
    schema = json.dumps(asked.schema(Pitch.from_text("Any pitch.")), separators=(",", ":"))
    return (len(asked.instructions(rules=True)) + len(schema)) // 4


def _read_paths() -> list[Path]:
    return [path for folder in ("pitches", "reading") for path in sorted((FIXTURES / folder).glob("*.txt"))]


def _recordings() -> list[Recording]:
    return list(Recordings([FIXTURES / "recordings"]))


def _exchanges(recordings: Sequence[Recording], pitch: Pitch) -> list[Recording]:
    return [found for found in recordings if found.request.pitch_sha256 == pitch.ref.sha256]


def _document(recording: Recording, pitch: Pitch) -> str:
    """A recorded answer with quotes in place of the numbers of sentences."""
    content = str(recording.response["choices"][0]["message"]["content"])
    return form(recording.request.form).document(content, pitch)


def _quotes(document: Any) -> Iterator[dict[str, Any]]:
    """All quotes in an answer, wherever they are: a text and its position, or a fault."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "quote" and value is not None:
                yield value
            elif key == "quotes":
                yield from value
            else:
                yield from _quotes(value)
    elif isinstance(document, list):
        for entry in document:
            yield from _quotes(entry)


# ---------------------------------------------------------------- a local model


def _local() -> Iterator[str]:
    yield "## A small local model\n"
    yield _LOCAL_NOTE
    yield from local_model.section()


_LOCAL_NOTE = """\
What a model is worth that runs on a laptop without a graphics card: open weights with 1.5 billion parameters, llama.cpp's server, answers
held to the JSON schema. Twelve pitches were chosen for it, every fourth of samples and reading set by name; the ones named below were read
so far, once each, and are compared with the first rater's scores of the samples and the settled ones of the reading set, next to the two
other readers on the same pitches. Grounded at first asking: quotes of the first answer that are in the pitch. Other programs used the machine's two cores as well; on an idle one the model
takes about five minutes. With so few pitches a kappa is rough; that most values are missed is not.
`python -m benchmarks.local_model` reads with it, or with a model of yours.
"""


# ---------------------------------------------------------------- the second look


def _second_look() -> Iterator[str]:
    yield "## Does the evidence support its value?\n"
    yield _SECOND_LOOK_NOTE.format(wrong=WRONG)
    yield from pairings.section()


_SECOND_LOOK_NOTE = """\
A quote that is in the pitch may still say nothing of its value. Two checks look at that: [rules](reading.md#with-a-language-model) (a figure needs a
number, a named customer a name), and, with `--verify`, [a second look](reading.md#a-second-look) at each value and its quotes by a model
that does not see the pitch. They are held against the values of the recorded readings of samples and reading set (true pairings, as far
as the readings are right) and {wrong} wrong ones: true quotes hung on another signal, or on a stronger value than was read, drawn by a
script with a fixed seed. A document has at most a third of wrong ones, and its other values next to them. Values that no quote can show
are among the true pairings only. "Stopped" is unknown from then on; "unclear" is marked and stays. Five conversations of the
model answered, none of which had read a pitch or saw one twice: two of them judged one half of the documents as they were read and the other
half with wrong values, one the plausible ones, two those of pitches that try to steer their reader. Each soon noticed that values had been
altered, and let that weigh in a few borderline cases. The instructions were sharpened once after a first round, whose looks stopped 93% of
the wrong pairings and 0.0% and 0.2% of the true ones. Some of the stronger values that got through can be argued for. `make pairings
MODEL=...` measures your own model.
"""


# ---------------------------------------------------------------- forms of asking


def _forms() -> Iterator[str]:
    yield "## The two forms of asking\n"
    yield _FORMS_NOTE
    yield from forms.table(forms.read())
    yield _PAIRINGS_NOTE
    yield from forms.pairings_table()
    yield ""


_FORMS_NOTE = """\
The same texts in [both forms](reading.md#two-forms-of-asking): 10 of the reading set and 14 of the real texts with odd numbers, each
read once in each form by the same large language model. Tokens are for each text, four characters each, second questions
included. With your own model and recordings: `python -m benchmarks.forms` says how.
"""
_PAIRINGS_NOTE = """
Do the quotes show the value? 60 values of each form with their quotes, in random order, judged by a language model that saw only the
signal, the value's meaning and the quotes, neither the pitch nor the form:
"""


# ---------------------------------------------------------------- hostile pitches


def _hostile() -> Iterator[str]:
    with (FIXTURES / "hostile.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = []
    warned = rests = same = aimed = 0
    for row in rows:
        name = row["file"].removesuffix(".txt")
        clean = _assessment("pitches", row["base"])
        text = _text("hostile", name)
        found = _assessment("hostile", name)
        warning = any(one.kind in ("instructions", "hidden_characters") for one in found.warnings)
        spans = list(planted_spans(Pitch.from_text(text).text, row["spots"]))
        resting = sorted({signal for signal, quote in found.signals.quotes() if overlaps(quote, spans)})
        before, after = values_of(clean.signals), values_of(found.signals)
        differ = [signal for signal in STABLE_NAMES if before[signal] != after[signal]]
        wanted = {signal.strip() for signal in row["targets"].split(";")}
        aimed += any(signal in wanted for signal in differ)
        marked = [f"**{title(signal)}**" if signal in wanted else title(signal) for signal in differ]
        scores = [one.scores.overall.value if one.scores else None for one in (clean, found)]
        warned, rests, same = warned + warning, rests + bool(resting), same + (scores[0] == scores[1])
        shown = " to ".join("–" if score is None else f"{score:.1f}" for score in scores)
        lines.append(
            f"| {name} | {row['kind']} | {row['language']} | {'yes' if warning else '**no**'} "
            f"| {', '.join(map(title, resting)) or 'none'} | {shown} | {', '.join(marked) or 'none'} |"
        )
    yield "## Pitches that try to steer their reader\n"
    yield (
        f"{len(rows)} variants of sample pitches with planted text. {warned} give a warning; in {len(rows) - rests} no signal "
        f"rests on the planted text; in {same} the overall score is exactly that of the clean pitch. Each variant is a reading "
        f"of its own, so some differences are chance; in {aimed} a signal differs that the plant "
        "aims at (in bold).\n"
    )
    yield "| variant | plant | language | warned | signals that rest on it | overall score, clean to planted | signals that differ |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    yield from lines
    yield ""
    yield from _hostile_settings(rows)


def _hostile_settings(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The same variants read once, with a second look, and three times."""
    yield "| setting | warned | no signal rests on the plant | clean score in the range | score moved by, on average |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    settings: Mapping[str, Mapping[str, Any]] = {
        "one reading": {},
        "with a second look": {"verify": True},
        "three readings": {"readings": 3},
    }
    for label, options in settings.items():
        warned = clear = inside = 0
        moved = []
        for row in rows:
            name = row["file"].removesuffix(".txt")
            text = _text("hostile", name)
            clean = _assessment("pitches", row["base"])
            found = _assessment("hostile", name, **options)
            warned += any(one.kind in ("instructions", "hidden_characters") for one in found.warnings)
            spans = list(planted_spans(Pitch.from_text(text).text, row["spots"]))
            clear += not any(overlaps(quote, spans) for _, quote in found.signals.quotes())
            if clean.scores is not None and found.scores is not None:
                overall = found.scores.overall
                inside += overall.low <= clean.scores.overall.value <= overall.high
                moved.append(abs(overall.value - clean.scores.overall.value))
        of = len(rows)
        yield f"| {label} | {warned} of {of} | {clear} of {of} | {inside} of {of} | {mean(moved):.1f} |"
    yield ""


def planted_spans(text: str, spots: str) -> Iterator[tuple[int, int]]:
    """Where the planted passages of a variant stand in the text that is read."""
    for spot in spots.split(" || "):
        plain = Pitch.from_text("x " + spot.replace("\\n", "\n")).text[2:].strip()
        at = text.find(plain)
        if plain and at >= 0:
            yield at, at + len(plain)


# ---------------------------------------------------------------- real texts


def _real_texts() -> Iterator[str]:
    yield "## Real texts\n"
    yield _REAL_NOTE
    yield from tables(real_texts())
    yield ""


_REAL_NOTE = """\
54 introductions and pitches of real products, rebuilt from public repositories ([what they are, and how to run this
again](../benchmarks/real_texts/README.md)):

    make real-texts CLONES=clones MODEL=...

No human expert scored them: two language-model readers did by the written rules (mean kappa 0.93 between them), and a third
settled what differed. Odd numbers were looked at while the rules were written and `keywords` was tuned, even numbers only for these
figures ([how often, and how `keywords` was tuned](reading.md#without-a-model)). The large language model was recorded through a relay on the day in its name; only its values are stored. Mean kappa: over the signals in
which at least five of the texts differ from the commonest value; in the others kappa says little. Adds, misses: over all
signals together. Manual score in the range: texts in scope for both whose overall score, from the manual signals, lies within the
range that the reader gives.
"""


# ---------------------------------------------------------------- other languages


def _languages() -> Iterator[str]:
    yield "## Other languages\n"
    yield "| pitch | language | the same values | overall score, English to translation | signals that differ |"
    yield "| --- | --- | ---: | --- | --- |"
    shares = []
    for path in sorted((FIXTURES / "languages").glob("*.txt")):
        base, language = path.stem.rsplit(".", 1)
        home = "pitches" if (FIXTURES / "pitches" / f"{base}.txt").exists() else "reading"
        english = _assessment(home, base)
        found = _assessment("languages", path.stem)
        names = [name for name in STABLE_NAMES if name != "competitors"]  # their names are translated
        before, after = values_of(english.signals), values_of(found.signals)
        differ = [name for name in names if before[name] != after[name]]
        shares.append(1 - len(differ) / len(names))
        scores = [f"{one.scores.overall.value:.1f}" if one.scores else "–" for one in (english, found)]
        yield (
            f"| {base} | {language} | {shares[-1]:.0%} | {' to '.join(scores)} | {', '.join(map(title, differ)) or 'none'} |"
        )
    yield f"\nOn average {mean(shares):.0%} of the values are those of the English pitch; quotes are in the pitch's own language.\n"
