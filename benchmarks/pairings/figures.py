"""What rules and a second look stop of true and wrong pairings, from recorded answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Final

from analyzer.errors import MissingRecording
from analyzer.reading import background
from analyzer.reading.conversation import ModelReader
from analyzer.reading.forms.look import LOOK, ClaimedValue, material
from analyzer.reading.rate_limiter import ONE, RateLimiter
from analyzer.reading.recordings import ANY_MODEL, ModelRequest, Recordings
from analyzer.reading.second_look import Judgment, SecondLook
from analyzer.reading.spending import cost_of
from analyzer.resources import resource
from analyzer.settings import Settings
from analyzer.vocabulary.labels import title, word
from benchmarks.pairings.draw import PLAUSIBLE, WRONG, Pairing, Sheet, plausible_sheets, true_sheets, wrong_sheets
from benchmarks.several_readings import PRICED_AS

ROOT: Final = resource("fixtures") / "recordings"
FOLDER: Final = ROOT / "pairings"
_AT_ONCE: Final = 4
_KINDS: Final = {
    "true": "true",
    "other signal": "wrong: hung on another signal",
    "stronger value": "wrong: hung on a stronger value",
    "plausible": "plausible, written to deceive",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A pairing of a document and what the second look says of it; None where it says nothing."""

    pitch: str
    pairing: Pairing
    judgment: Judgment | None

    @property
    def looked(self) -> bool:
        """Whether the second look stops it."""
        return self.judgment is not None and self.judgment.support == "not_supported"


def sheets() -> list[Sheet]:
    """All documents to be asked about: as they were read, with wrong pairings, with plausible ones."""
    return [*true_sheets(), *wrong_sheets(), *plausible_sheets()]


def ask(model: str, settings: Settings, wanted: Sequence[Sheet], folder: Path = FOLDER) -> int:
    """Ask a model about the documents that have no recorded answer of it, and record the answers. The number asked.

    Raises the errors of `ModelReader.read`; what was answered by then is recorded.
    """
    known = Recordings([ROOT, folder])
    missing = [sheet for sheet in wanted if known.find(_request(model, sheet)) is None]
    look = SecondLook(ModelReader(model, settings, record_to=folder, limiter=RateLimiter(ONE, _AT_ONCE)))

    async def all_() -> None:
        await asyncio.gather(*(look.judge(_claims(sheet), sheet.pitch) for sheet in missing))

    if missing:
        background.run(all_())
    return len(missing)


def models(recordings: Recordings) -> list[str]:
    """The models whose answers about the first document are recorded, newest first."""
    first = true_sheets()[0]
    return recordings.models_for(_request(ANY_MODEL, first))


def judged(model: str, recordings: Recordings, wanted: Sequence[Sheet]) -> list[Judged]:
    """Every pairing of these documents with its recorded judgment; documents without a recording are left out."""
    look = SecondLook(ModelReader(model, Settings(), recordings=recordings))
    found = []
    for sheet in wanted:
        try:
            answers = background.run(look.judge(_claims(sheet), sheet.pitch))
        except MissingRecording:
            continue
        found += [Judged(sheet.pitch, one, said) for one, said in zip(sheet.pairings, answers, strict=True)]
    return found


def section(recordings: Recordings | None = None) -> Iterator[str]:
    """The section of the page of measured quality, as Markdown."""
    recordings = Recordings([ROOT]) if recordings is None else recordings
    names = models(recordings)
    if not names:
        yield "No second look is recorded yet: `make pairings MODEL=openai/...`\n"
        return
    for name in names:
        yield from _table(name, recordings)


def _table(model: str, recordings: Recordings) -> Iterator[str]:
    alone = judged(model, recordings, true_sheets())
    mixed = judged(model, recordings, wrong_sheets())
    plausible = judged(model, recordings, plausible_sheets())
    wrong = [one for one in mixed if one.pairing.kind != "true"]
    yield f"`{model}`:\n"
    heads = ("pairings", "n", "stopped by rule", "by the second look", "by either", "unclear: only marked", "no answer")
    yield f"| {' | '.join(heads)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    yield _row("true, in documents as they were read", alone)
    yield _row("true, next to wrong ones", [one for one in mixed if one.pairing.kind == "true"])
    for kind in ("other signal", "stronger value"):
        yield _row(_KINDS[kind], [one for one in wrong if one.pairing.kind == kind])
    yield _row("wrong, all", wrong)
    if plausible:
        yield _row(_KINDS["plausible"], [one for one in plausible if one.pairing.kind == "plausible"])
    else:
        yield f"\nThere are no plausible wrong pairings to measure (fixtures/{PLAUSIBLE})."
    wanted = sheets()
    silent = sum(recordings.find(_request(model, sheet)) is None for sheet in wanted)
    yield f"\n{silent} of {len(wanted)} documents have no recorded answer; they are not counted.\n" if silent else ""
    yield from _mistakes(alone, wrong)
    yield from _cost(model, recordings)


def _row(label: str, pairings: Sequence[Judged]) -> str:
    def share(count: int) -> str:
        return f"{count} ({count / len(pairings):.1%})" if pairings else "–"

    by_rule = [bool(one.pairing.stopped) for one in pairings]
    by_look = [one.looked for one in pairings]
    either = sum(one or other for one, other in zip(by_rule, by_look, strict=True))
    unclear = sum(one.judgment is not None and one.judgment.support == "unclear" for one in pairings)
    silent = sum(one.judgment is None for one in pairings)
    cells = [label, str(len(pairings)), *map(share, (sum(by_rule), sum(by_look), either, unclear)), str(silent)]
    return f"| {' | '.join(cells)} |"


def _mistakes(alone: Sequence[Judged], wrong: Sequence[Judged]) -> Iterator[str]:
    """What is behind the shares: true values that are stopped, and wrong ones that are not, by signal and value."""
    stopped = [one for one in alone if one.looked]
    passed = [one for one in wrong if not one.looked and not one.pairing.stopped]
    for words, members in (("True values that were stopped", stopped), ("Wrong values that got through", passed)):
        if members:
            named = sorted(f"{_field(one)}: {word(one.pairing.claim.value)} ({one.pitch})" for one in members)
            yield f"{words}: {'; '.join(named)}.\n"


def _field(one: Judged) -> str:
    return {"role": "User", "kind": "Competitor"}.get(one.pairing.claim.field) or title(one.pairing.claim.field)


def _cost(model: str, recordings: Recordings) -> Iterator[str]:
    """What a second look takes, on the documents as they were read."""
    usage = [
        recording.response["usage"]
        for sheet in true_sheets()
        if (recording := recordings.find(_request(model, sheet))) is not None and recording.response.get("usage")
    ]
    if not usage:
        return
    sent, answered = (mean(use.get(name) or 0 for use in usage) for name in ("prompt_tokens", "completion_tokens"))
    cost = cost_of(PRICED_AS, round(sent), round(answered)) or 0.0
    yield (
        f"A second look takes {sent:,.0f} tokens sent and {answered:,.0f} answered on average. At the list price of "
        f"{PRICED_AS} that is ${1000 * cost:.2f} for a thousand pitches, besides the reading.\n"
    )


def _claims(sheet: Sheet) -> list[ClaimedValue]:
    return [one.claim for one in sheet.pairings]


def _request(model: str, sheet: Sheet) -> ModelRequest:
    return ModelRequest.first(model, material(_claims(sheet)).ref.sha256 or "", LOOK)


def drawn(wanted: Sequence[Sheet]) -> str:
    """How many pairings there are of each kind, in words."""
    counts = {kind: sum(one.kind == kind for sheet in wanted for one in sheet.pairings) for kind in _KINDS}
    return ", ".join(f"{count} {_KINDS[kind]}" for kind, count in counts.items() if count)


def check_drawn(wanted: Sequence[Sheet]) -> str | None:
    """What is missing of the wrong pairings; None if nothing is."""
    count = sum(one.kind in ("other signal", "stronger value") for sheet in wanted for one in sheet.pairings)
    return None if count == WRONG else f"only {count} of {WRONG} wrong pairings could be drawn"
