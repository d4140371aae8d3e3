"""Every signal on which a reader and a rater differ, with what helps to settle it: quotes, rule, effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzer.agreement.attribution import ScoredPair, Scorer, attribution, score_changes, with_rater
from analyzer.agreement.compared_signals import SCOPE, extracted_value, quoted, rule
from analyzer.agreement.competitors import matched
from analyzer.agreement.records import Attribution, Disagreement
from analyzer.agreement.sides import Sides
from analyzer.files.manual_scores import VALUES, ManualScore
from analyzer.framework.inputs import positions
from analyzer.framework.market import MarketMap
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import UNKNOWN, Signals


def differences(
    sides: Sides, manual: Mapping[tuple[str, str], Signals], scorer: Scorer, market: MarketMap
) -> tuple[tuple[Attribution, ...], tuple[Disagreement, ...]]:
    """Every pair of scores split by signal, and every differing value, largest effect on the score first.

    Raters with the same value share a disagreement.
    """
    pairs = [
        _pair(reader.name, signals, row, manual[pitch, rater], scorer, market)
        for reader in sides.readers
        for pitch in sides.pitches
        if (signals := reader.signals.get(pitch)) is not None
        for rater in sides.raters
        if (row := sides.row.get((pitch, rater))) is not None
    ]
    attributions: list[Attribution] = []
    disagreements: dict[tuple[str, str, str, str], Disagreement] = {}
    for pair in pairs:
        changes = score_changes(pair, scorer)
        for name in (name for name in changes if name not in pair.finer):
            new = _disagreement(pair, name, changes[name])
            key = (new.reader, new.pitch, name, new.manual)
            disagreements[key] = _merged(disagreements[key], new) if key in disagreements else new
        split = attribution(pair, changes, scorer)
        if split is not None:
            attributions.append(split)
    attributions.sort(key=lambda a: (-abs(a.manual - a.extracted), a.reader, a.pitch, a.rater))
    ordered = sorted(
        disagreements.values(), key=lambda d: (-abs(d.moves or 0.0), d.reader, d.pitch, d.signal, d.manual)
    )
    return tuple(attributions), tuple(ordered)


def _pair(
    reader: str, signals: Signals, row: ManualScore, manual: Signals, scorer: Scorer, market: MarketMap
) -> ScoredPair:
    differing = dict(_differing(signals, manual, row, market))
    return ScoredPair(
        reader,
        signals,
        row,
        extracted_number=scorer.add(signals),
        manual_number=scorer.add(manual),
        replaced={name: scorer.add(with_rater(signals, manual, row, name)) for name in differing},
        finer=frozenset(name for name, agrees in differing.items() if agrees),
    )


def _differing(signals: Signals, manual: Signals, row: ManualScore, market: MarketMap) -> Iterable[tuple[str, bool]]:
    """The signals that differ; True where they agree as far as a manual score can say (leans, names)."""
    if signals.in_scope != row.in_scope:
        yield "in_scope", False
    if not signals.in_scope or not row.in_scope:
        return
    own, rated = positions(signals), positions(manual)
    for name in VALUES:
        if name not in row.values:
            continue
        if extracted_value(signals, name) != row.values[name]:
            yield name, False
        elif name in LEANS and own[name] != rated[name]:
            yield name, True
    if row.competitors is not None:
        names = [competitor.name for competitor in signals.competitors]
        both = matched(names, row.competitors, market)
        if len(both) < max(len(names), len(row.competitors)):
            yield "competitors", False
        elif any(signals.competitors[one].kind != manual.competitors[other].kind for one, other in both):
            yield "competitors", True


def _disagreement(pair: ScoredPair, name: str, change: float | None) -> Disagreement:
    signals, row = pair.extracted, pair.row
    if name == "competitors":
        extracted = "; ".join(competitor.name for competitor in signals.competitors) or UNKNOWN
        manual = "; ".join(row.competitors or ()) or UNKNOWN
    else:
        extracted = extracted_value(signals, name)
        manual = row.values[name] if name != "in_scope" else SCOPE[not row.in_scope]
    return Disagreement(
        reader=pair.reader,
        pitch=row.pitch,
        raters=(row.rater,),
        signal=name,
        extracted=extracted,
        manual=manual,
        quotes=quoted(signals, name),
        rule=rule(name),
        moves=change,
        notes=(f"{row.rater}: {row.note}",) if row.note else (),
    )


def _merged(one: Disagreement, other: Disagreement) -> Disagreement:
    return replace(one, raters=(*one.raters, *other.raters), notes=(*one.notes, *other.notes))
