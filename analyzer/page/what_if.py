"""What if: every signal can be set by hand, and the assessment follows without a model being asked.

What the visitor set is kept in the session under `changes`, in the words of `framework.edits.edited`; the fields here
only show it and change it, so that it survives a look at another tab or page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, get_args

import streamlit as st

from analyzer.framework.assessment import Assessment, Range
from analyzer.framework.revision import shift
from analyzer.views.html import Html, tag
from analyzer.views.numbers import number, shown, shown_points
from analyzer.vocabulary.labels import FAMILIES, title, word
from analyzer.vocabulary.signals import LIST_RULES, SIGNALS, UNKNOWN, Focus, RivalKind, Role, Signals, Stage

_KEY: Final = "set:"
"""What the keys of this page's fields begin with."""
_VERDICTS: Final = {"for": "For", "against": "Against", "balanced": "Balanced", "open": "Open"}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: the change it makes by its name, its values, and what was read. `told`: a line from the pitch."""

    name: str
    title: str
    options: tuple[str, ...]
    read: str
    help: str | None = None
    words: Callable[[str], str] = word


def changes() -> dict[str, str]:
    """What the visitor has set for the pitch at hand."""
    found: dict[str, str] = st.session_state.setdefault("changes", {})
    return found


def forget() -> None:
    """Drops what was set, for another pitch or because the visitor wants it."""
    st.session_state["changes"] = {}
    for key in [key for key in st.session_state if str(key).startswith(_KEY)]:
        del st.session_state[key]


def show(read: Signals, was: Assessment, now: Assessment) -> None:
    """The effect on top, then what was changed, then all signals to change."""
    with st.container(key="effect"):
        st.html(_effect(was, now))
    fields = {field.name: field for field in _fields(read)}
    _changed({name: fields[name] for name in changes() if name in fields})
    for family, (words, _) in FAMILIES.items():
        st.html(tag("h3", words, class_="pa family"))
        members = [field for field in fields.values() if _family(field.name) == family]
        if family == _family("problems"):
            _problems(read, members)
            members = [field for field in members if not field.name.startswith("problems.")]
        _grid([field for field in members if field.name != "competitors"])
        for field in members:
            if field.name == "competitors":
                _alternatives(field, read)
    st.html(tag("h3", "Does the framework apply?", class_="pa family"))
    _field(fields["in_scope"])


# ---------------------------------------------------------------- the effect


def _effect(was: Assessment, now: Assessment) -> Html:
    """Scores now and as read, and the considerations through which they moved."""
    rows = []
    if now.verdict is not None:
        rows.append(tag("p", _VERDICTS[now.verdict.word], class_=f"word {now.verdict.word}"))
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


# ---------------------------------------------------------------- what was changed


def _changed(fields: Mapping[str, _Field]) -> None:
    if not fields:
        st.html(tag("p", "Change what you know better. Nothing is asked of a model.", class_="pa lead"))
        return
    with st.container(key="changed"):
        for field in fields.values():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.html(_change(field), width="stretch")
                st.button(
                    "Reset", key=f"reset:{field.name}", on_click=_reset, args=(field,), help=f"Reset: {field.title}"
                )
        st.button("Reset all", on_click=forget, type="tertiary")


def _change(field: _Field) -> Html:
    now = field.words(changes()[field.name])
    return tag(
        "p",
        tag("strong", field.title),
        ": ",
        tag("span", field.words(field.read), class_="before alien"),
        tag("span", " \N{RIGHTWARDS ARROW} ", class_="arrow", aria_label="now"),
        tag("span", now, class_="alien"),
        class_="pa",
    )


def _reset(field: _Field) -> None:
    changes().pop(field.name, None)
    st.session_state.pop(_KEY + field.name, None)


# ---------------------------------------------------------------- the fields


def _fields(read: Signals) -> Iterator[_Field]:
    for at, problem in enumerate(read.problems or (None,)):
        about = f"Problem {at + 1}" if len(read.problems) > 1 else "Problem"
        for part, options in (("stage", get_args(Stage)), ("focus", get_args(Focus))):
            was = getattr(problem, part) if problem else "unclear"
            yield _Field(f"problems.{at}.{part}", f"{about}, {part}", options, was, LIST_RULES[part])
    user = read.personas[0].role if read.personas else UNKNOWN
    yield _Field("main_user", title("main_user"), (*get_args(Role), UNKNOWN), user, LIST_RULES["personas"])
    for name, spec in SIGNALS.items():
        yield _Field(name, spec.title, (*spec.values, UNKNOWN), str(read.single(name).value), spec.rule)
    numbers = tuple(str(at) for at in range(len(read.competitors)))
    yield _Field(
        "competitors",
        title("competitors"),
        (*numbers, *get_args(RivalKind)),
        " ".join(numbers),
        LIST_RULES["competitors"],
        lambda value: "; ".join(_rival(read, part) for part in value.split()) or word(UNKNOWN),
    )
    yield _Field("in_scope", title("in_scope"), ("yes", "no"), "yes" if read.in_scope else "no", LIST_RULES["in_scope"])


def _family(name: str) -> str | None:
    of = {"problems": "problems", "main_user": "personas"}.get(name.partition(".")[0], name)
    return next((family for family, (_, names) in FAMILIES.items() if of in names), None)


def _rival(read: Signals, part: str) -> str:
    if not part.isdecimal():
        return f"another: {word(part)}"
    rival = read.competitors[int(part)]
    return f"{rival.name} ({word(rival.kind)})"


def _problems(read: Signals, fields: list[_Field]) -> None:
    """A row for each problem: what it is, its stage and its focus."""
    for at in range(max(1, len(read.problems))):
        about, *columns = st.columns(3, gap="medium", vertical_alignment="bottom")
        statement = read.problems[at].statement if read.problems else "None was read; say where it stands."
        about.html(tag("p", statement, class_="pa statement alien"))
        for field, column in zip((f for f in fields if f.name.startswith(f"problems.{at}.")), columns, strict=True):
            with column:
                _field(field)


def _grid(fields: list[_Field]) -> None:
    columns = st.columns(3, gap="medium")
    for at, field in enumerate(fields):
        with columns[at % 3]:
            _field(field)


def _field(field: _Field) -> None:
    key = _KEY + field.name
    st.session_state.setdefault(key, changes().get(field.name, field.read))
    st.selectbox(
        _label(field),
        field.options,
        key=key,
        format_func=_option(field),
        help=field.help,
        on_change=_set,
        args=(field,),
    )


def _alternatives(field: _Field, read: Signals) -> None:
    key = _KEY + field.name
    st.session_state.setdefault(key, changes().get(field.name, field.read).split())
    st.multiselect(
        _label(field),
        field.options,
        key=key,
        format_func=lambda part: _rival(read, part),
        help=field.help,
        placeholder="none named",
        on_change=_set,
        args=(field,),
    )


def _label(field: _Field) -> str:
    return f"{field.title} :blue-badge[changed]" if field.name in changes() else field.title


def _option(field: _Field) -> Callable[[str], str]:
    """A value in words; the one that was read says so."""
    return lambda value: f"{word(value)} (as read)" if value == field.read else word(value)


def _set(field: _Field) -> None:
    given = st.session_state[_KEY + field.name]
    value = given if isinstance(given, str) else " ".join(part for part in field.options if part in given)
    if value == field.read:
        changes().pop(field.name, None)
    else:
        changes()[field.name] = value
