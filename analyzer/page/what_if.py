"""What if: every signal can be edited, and the assessment follows without asking a model.

The visitor's edits are `Session.changes`, as for `framework.edits.edited`; the fields here only show and change them,
so that they survive a look at another tab or page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

import streamlit as st

from analyzer.framework.assessment import Assessment, Range
from analyzer.framework.contested import Votes, contested
from analyzer.framework.revision import shift
from analyzer.page.session import session
from analyzer.views import assessment_content as content
from analyzer.views.assessment_content import votes_in_words
from analyzer.views.html import Html, tag
from analyzer.views.numbers import number, shown, shown_points
from analyzer.vocabulary.labels import FAMILIES, capital, title, value_word, word
from analyzer.vocabulary.plain import about, explained
from analyzer.vocabulary.signals import SIGNALS, UNKNOWN, Focus, RivalKind, Role, Signals, Stage

_KEY: Final = "set:"
"""What the keys of this page's fields begin with."""
_MOST_EXPLAINED: Final = 12
"""Choices that a field's help explains; of a longer list it explains those in use."""
_DIFFERING: Final = ""
"""The value of a field that readings differ on."""


@dataclass(frozen=True, slots=True)
class _EditField:
    """One field: the name of the edit it makes, its values, and the value that was read; _DIFFERING where readings
    differ, so that each of their values can be chosen. `about`: the name under which `vocabulary.plain` explains it."""

    name: str
    title: str
    options: tuple[str, ...]
    read: str
    about: str
    words: Callable[[str], str] = word

    @property
    def help(self) -> str:
        """What the field is about, then each choice in a sentence; of a long list, only those in use."""
        listed: Iterable[str] = get_args(RivalKind) if self.about == "competitors" else self.options
        if len(self.options) > _MOST_EXPLAINED:
            listed = dict.fromkeys((session().changes.get(self.name, self.read), self.read))
        lines = [
            f"**{capital(value_word(self.about, value))}**: {meaning}"
            for value in listed
            if (meaning := explained(self.about, value))
        ]
        return "  \n".join([about(self.about), *lines])


def reset() -> None:
    """Drops all edits, for another pitch or because the visitor wants it."""
    session().changes = {}
    for key in [key for key in st.session_state if str(key).startswith(_KEY)]:
        del st.session_state[key]


def show(read: Signals, was: Assessment, now: Assessment) -> None:
    """The effect on top, then the edits, then all signals to edit."""
    with st.container(key="effect"):
        st.html(_effect(was, now))
    fields = {field.name: field for field in _fields(read)}
    _changed({name: fields[name] for name in session().changes if name in fields})
    for family, (words, _) in FAMILIES.items():
        st.html(tag("h2", words, class_="pa family"))
        members = [field for field in fields.values() if _family(field.name) == family]
        if family == _family("problems"):
            _problems(read, members)
            members = [field for field in members if not field.name.startswith("problems.")]
        _grid([field for field in members if field.name != "competitors"])
        for field in members:
            if field.name == "competitors":
                _competitors(field, read)
    st.html(tag("h2", "Does the framework apply?", class_="pa family"))
    _field(fields["in_scope"])


# ---------------------------------------------------------------- the effect


def _effect(was: Assessment, now: Assessment) -> Html:
    """Scores now and as read, and the considerations through which they moved."""
    rows = []
    if now.verdict is not None:
        rows.append(tag("p", content.verdict_word(now), class_=f"word {content.tone(now)}"))
    if now.scores is None:
        rows.append(tag("p", "Out of scope: the framework does not apply, so there is no score."))
    else:
        before = was.scores
        for name, field, written in (
            ("Overall", "overall", shown),
            ("Market", "market", shown_points),
            ("Sales", "sales", shown_points),
        ):
            rows.append(_moved(name, getattr(now.scores, field), getattr(before, field) if before else None, written))
    return tag(
        "section", tag("div", *rows, class_="figures"), *_through(was, now), class_="pa effect", aria_live="polite"
    )


def _moved(name: str, now: Range, before: Range | None, written: Callable[[Range], str]) -> Html:
    parts = [tag("small", name), tag("strong", written(now))]
    if before is not None and before != now:
        step = now.value - before.value
        parts.append(tag("small", f"read: {written(before)} ({_signed(step)})"))
    return tag("p", *parts)


def _through(was: Assessment, now: Assessment) -> Iterator[Html]:
    moved = shift(was, now)
    if moved is None or not moved.effects:
        return
    titles = {consideration.id: consideration.title for consideration in now.considerations}
    parts = [f"{titles[effect.consideration]} {_signed(effect.by)}" for effect in moved.effects[:4]]
    more = f" and {len(moved.effects) - 4} more" if len(moved.effects) > 4 else ""
    yield tag("p", f"Moved by: {', '.join(parts)}{more}.", class_="lead")


def _signed(step: float) -> str:
    if abs(step) < 0.05:
        return "\N{PLUS-MINUS SIGN}0"
    sign = "+" if step > 0 else "\N{MINUS SIGN}"
    return f"{sign}{number(abs(step))}"


# ---------------------------------------------------------------- the edits


def _changed(fields: Mapping[str, _EditField]) -> None:
    if not fields:
        st.html(tag("p", "Edit what you know better. The assessment follows; no model is asked.", class_="pa lead"))
        return
    with st.container(key="changed"):
        for field in fields.values():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.html(_change(field), width="stretch")
                st.button(
                    "Reset", key=f"reset:{field.name}", on_click=_reset, args=(field,), help=f"Reset: {field.title}"
                )
        st.button("Reset all", on_click=reset, type="tertiary")


def _change(field: _EditField) -> Html:
    now = field.words(session().changes[field.name])
    return tag(
        "p",
        tag("strong", field.title),
        ": ",
        tag("span", field.words(field.read), class_="before alien"),
        tag("span", " \N{RIGHTWARDS ARROW} ", class_="arrow", aria_label="now"),
        tag("span", now, class_="alien"),
        class_="pa",
    )


def _reset(field: _EditField) -> None:
    session().changes.pop(field.name, None)
    st.session_state.pop(_KEY + field.name, None)


# ---------------------------------------------------------------- the fields


def _fields(read: Signals) -> Iterator[_EditField]:
    for at, problem in enumerate(read.problems or (None,)):
        about = f"Problem {at + 1}" if len(read.problems) > 1 else "Problem"
        for part, options in (("stage", get_args(Stage)), ("focus", get_args(Focus))):
            was = getattr(problem, part) if problem else "unclear"
            yield _EditField(f"problems.{at}.{part}", f"{about}, {part}", options, was, part)
    user = read.personas[0].role if read.personas else UNKNOWN
    yield _EditField("main_user", title("main_user"), (*get_args(Role), UNKNOWN), user, "main_user")
    differing = contested(read)
    for name, spec in SIGNALS.items():
        if name in differing:
            values, words = (_DIFFERING, *spec.values, UNKNOWN), partial(_or_votes, name, differing[name])
            yield _EditField(name, spec.title, values, _DIFFERING, name, words)
            continue
        values, words = (*spec.values, UNKNOWN), partial(value_word, name)
        yield _EditField(name, spec.title, values, str(read.single(name).value), name, words)
    numbers = tuple(str(at) for at in range(len(read.competitors)))
    yield _EditField(
        "competitors",
        title("competitors"),
        (*numbers, *get_args(RivalKind)),
        " ".join(numbers),
        "competitors",
        lambda value: "; ".join(_competitor(read, part) for part in value.split()) or word(UNKNOWN),
    )
    yield _EditField("in_scope", title("in_scope"), ("yes", "no"), "yes" if read.in_scope else "no", "in_scope")


def _or_votes(name: str, votes: Votes, value: str) -> str:
    """A value in words; for what readings differ on, their votes."""
    return votes_in_words(name, votes) if value == _DIFFERING else value_word(name, value)


def _family(name: str) -> str | None:
    of = {"problems": "problems", "main_user": "personas"}.get(name.partition(".")[0], name)
    return next((family for family, (_, names) in FAMILIES.items() if of in names), None)


def _competitor(read: Signals, part: str) -> str:
    if not part.isdecimal():
        return f"another: {word(part)}"
    competitor = read.competitors[int(part)]
    return f"{competitor.name} ({word(competitor.kind)})"


def _problems(read: Signals, fields: list[_EditField]) -> None:
    """A row for each problem: what it is, its stage and its focus."""
    for at in range(max(1, len(read.problems))):
        about, *columns = st.columns(3, gap="medium", vertical_alignment="bottom")
        statement = read.problems[at].statement if read.problems else "The pitch states no problem."
        about.html(tag("p", statement, class_="pa statement alien"))
        for field, column in zip((f for f in fields if f.name.startswith(f"problems.{at}.")), columns, strict=True):
            with column:
                _field(field)


def _grid(fields: list[_EditField]) -> None:
    columns = st.columns(3, gap="medium")
    for at, field in enumerate(fields):
        with columns[at % 3]:
            _field(field)


def _field(field: _EditField) -> None:
    key = _KEY + field.name
    st.session_state.setdefault(key, session().changes.get(field.name, field.read))
    st.selectbox(
        _label(field),
        field.options,
        key=key,
        format_func=_option(field),
        help=field.help,
        on_change=_set,
        args=(field,),
    )


def _competitors(field: _EditField, read: Signals) -> None:
    key = _KEY + field.name
    st.session_state.setdefault(key, session().changes.get(field.name, field.read).split())
    st.multiselect(
        _label(field),
        field.options,
        key=key,
        format_func=lambda part: _competitor(read, part),
        help=field.help,
        placeholder="none named",
        on_change=_set,
        args=(field,),
    )


def _label(field: _EditField) -> str:
    return f"{field.title} :blue-badge[edited]" if field.name in session().changes else field.title


def _option(field: _EditField) -> Callable[[str], str]:
    """A value in words; the one that was read says so."""
    return lambda value: f"{field.words(value)} (as read)" if value == field.read else field.words(value)


def _set(field: _EditField) -> None:
    chosen = st.session_state[_KEY + field.name]
    value = chosen if isinstance(chosen, str) else " ".join(part for part in field.options if part in chosen)
    if value == field.read:
        session().changes.pop(field.name, None)
    else:
        session().changes[field.name] = value
