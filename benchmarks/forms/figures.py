"""How the forms of asking read the same texts, from values without quotes, and how good their evidence is."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Final

from analyzer.files.disk import write_whole
from analyzer.files.manual_scores import ManualScore, cells_of, read_manual, row_of
from analyzer.reading.forms import FORMS
from analyzer.resources import resource
from benchmarks.real_texts.figures import RealTexts, summary
from benchmarks.real_texts.texts import HERE as REAL

HERE: Final = Path(__file__).resolve().parent
VERDICTS: Final = ("yes", "unclear", "no")
SETTLED: Final = "settled"
_COUNTS: Final = ("requests", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class FormReading:
    """What was read from one text in one form, which is the row's rater, and what that took."""

    row: ManualScore
    requests: int
    input_tokens: int
    output_tokens: int

    @property
    def real(self) -> bool:
        """Whether it is a real text; their ids begin with a number."""
        return self.row.pitch[0].isdigit()


def write(readings: Iterable[FormReading], path: Path = HERE / "readings.jsonl") -> None:
    """Write readings as JSON lines, whole or not at all, without quotes."""
    lines = []
    for reading in readings:
        cells = {name: cell for name, cell in cells_of(reading.row).items() if cell}
        lines.append(json.dumps(cells | {name: getattr(reading, name) for name in _COUNTS}, ensure_ascii=False))
    write_whole(path, "".join(f"{line}\n" for line in lines))


def read(path: Path = HERE / "readings.jsonl") -> list[FormReading]:
    """The stored readings."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = json.loads(line)
        counts = [int(cells.pop(name)) for name in _COUNTS]
        full = {name: cells.get(name, "") for name in cells_of(ManualScore("", "", ""))}
        found.append(FormReading(row_of(full, path.name), *counts))
    return found


@cache
def settled() -> tuple[ManualScore, ...]:
    """The settled scores of the reading set and of the real texts."""
    scores = (resource("fixtures/reading_scores.csv"), REAL / "manual_scores.csv")
    return tuple(row for path in scores for row in read_manual(path).rows if row.rater == SETTLED)


def table(readings: list[FormReading]) -> Iterator[str]:
    """The figures as Markdown, a row for each form and part."""
    names = {reading.row.pitch for reading in readings}
    scored = [row for row in settled() if row.pitch in names]
    varying = RealTexts(scored, {}).varying
    parts = {"all": (True, False), "reading set": (False,), "real texts": (True,)}
    yield "| form | texts | mean kappa | same value | adds | misses | asked again | tokens sent | answered |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for form in FORMS:
        for label, wanted in parts.items():
            own = [one for one in readings if one.row.rater == form and one.real in wanted]
            if not own:
                continue
            chosen = {one.row.pitch for one in own}
            texts = RealTexts([row for row in scored if row.pitch in chosen], {form: [one.row for one in own]})
            found = summary(texts, form, varying)
            cells = [f"`{form}`", f"{label}, {len(own)}", "–" if found.kappa is None else f"{found.kappa:.2f}"]
            cells += ["–" if found.same is None else f"{found.same:.0%}", _share(found.adds), _share(found.misses)]
            cells += [str(sum(one.requests > 1 for one in own))]
            cells += [f"{mean(getattr(one, name) for one in own):,.0f}" for name in _COUNTS[1:]]
            yield f"| {' | '.join(cells)} |"


def pairings_table(path: Path = HERE / "pairings.csv") -> Iterator[str]:
    """Which pairings of quotes and value a judge found right, as Markdown, a row for each form."""
    with path.open(encoding="utf-8", newline="") as file:
        counted = Counter((row["form"], row["verdict"]) for row in csv.DictReader(file))
    yield "| form | judged | show the value | unclear | do not |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for form in FORMS:
        counts = [counted[form, verdict] for verdict in VERDICTS]
        yield f"| `{form}` | {sum(counts)} | {' | '.join(map(str, counts))} |"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
