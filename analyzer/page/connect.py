"""Connecting a model on the page: where it runs, its name, a key for this visit, and a test that reads two lines.

A key is in the memory of this visit and nowhere else: not in the store, not in an address, not in a log. It goes only
to the model that it was typed for; a model that takes a second look is asked with settings of its own. Servers on this
machine, and addresses of one's own, are only for somebody who may reach this machine anyway
(`access.may_reach_local`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Any, Final

import streamlit as st

from analyzer.errors import ConfigurationError
from analyzer.page import access
from analyzer.page.session import session
from analyzer.page.words import on_the_page
from analyzer.reading.local_servers import LocalServer, find_local_servers
from analyzer.reading.profiles import Profile, profile_of, profiles
from analyzer.results.result import as_analyzer_error
from analyzer.runs.doctor import Finding
from analyzer.settings import SAME, Settings, asks_a_server, is_url, provider_key
from analyzer.views.html import Html, literal, tag
from analyzer.vocabulary.labels import capital

MODEL: Final = "model"
PLACE: Final = "place"
_LOCAL_MODEL: Final = "local_model"
_KEY: Final = "model_key"
_ADDRESS: Final = "model_address"
_VERIFIER_KEY: Final = "verifier_key"
_OTHER, _OWN_SERVER = "Another, as provider/name", "A server of your own"
_INTERVAL: Final = 1.0
_SUBJECTS: Final = {
    "reached": "Server",
    "mode": "How it is asked",
    "context": "Room for text",
    "schema": "Shape of answers",
    "usage": "Tokens",
    "reading": "Test reading",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """A model that the visitor connected. `url`: of an OpenAI-compatible server, "" for the provider's own."""

    model: str
    key: str = field(default="", repr=False)
    url: str = ""

    def applied_to(self, settings: Settings) -> Settings:
        """The settings with which this model is asked, and only this one. A server of the visitor's own does not get
        the key of the page's server."""
        provider = self.model.partition("/")[0]
        url = self.url or (None if provider == "openai" and self.key else settings.openai_base_url)
        keys = {**settings.keys, provider: self.key} if self.key else settings.keys
        own_key = None if self.url else settings.openai_api_key
        return replace(settings, keys=keys, openai_api_key=own_key, openai_base_url=url)


@dataclass(slots=True)
class ModelCheck:
    """A test of a connected model, running or done."""

    model: str
    findings: list[Finding] = field(default_factory=list)
    done: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a model may run. `variable`: of the key, "" where none is needed; `example`: a model's name."""

    provider: str = ""
    variable: str = ""
    example: str = ""
    server: LocalServer | None = None


def settings_for(model: str | None, verify: str | None = None) -> Settings:
    """The settings with which a model is asked in this visit, and with them those of the model of the second look
    (`verify`, as in `Settings`). Raises ConfigurationError."""
    return settings_with(session().connection, model, verify, str(st.session_state.get(_VERIFIER_KEY) or "").strip())


def settings_with(
    connection: Connection | None, model: str | None, verify: str | None = None, verifier_key: str = ""
) -> Settings:
    """As `settings_for`, for this connection, and with this key for the model of the second look."""
    own = Settings.from_environment()
    fits = connection is not None and connection.model == model
    settings = replace(connection.applied_to(own) if connection is not None and fits else own, verify=verify)
    other = other_verifier(model, verify)
    if other is None:
        return settings
    # Neither a server of the visitor's own nor the key for it is for another model.
    of_verifier = own
    if verifier_key:
        of_verifier = Connection(other, verifier_key).applied_to(own)
    elif connection is not None and fits and not connection.url and _provider(connection.model) == _provider(other):
        of_verifier = connection.applied_to(own)
    return replace(settings, by_model={other: of_verifier})


def other_verifier(model: str | None, verify: str | None) -> str | None:
    """The model that takes the second look, if it is not the one that reads."""
    return None if verify in (SAME, model) else verify


def without_key(settings: Settings, *models: str | None) -> list[str]:
    """Those of the models whose key is missing."""
    asked = [model for model in models if asks_a_server(model)]
    if not asked:
        return []
    from analyzer.reading.clients import key_for  # loads the model SDK

    missing = []
    for model in asked:
        try:
            key_for(model, settings.asking(model))
        except ConfigurationError:
            missing.append(model)
    return missing


def check_keys(settings: Settings, model: str, verify: str | None) -> None:
    """Raises ConfigurationError if the key of the model is missing, or that of the model of the second look."""
    for lacks in without_key(settings, model, other_verifier(model, verify)):
        raise ConfigurationError(f"{lacks} needs a key; type it under Read by, or choose another reader")


def key_field(model: str, key: str, what: str, *, lasts: bool = True) -> None:
    """Draws a field for the key of a model. `lasts`: as long as the visit; else for one start only."""
    how_long = "Kept in memory until you close the tab." if lasts else "For this start only."
    lasting: dict[str, Any] = {"persist_state": "session"} if lasts else {}
    st.text_input(
        f"Key for {literal(_provider(model))}{what}",
        type="password",
        key=key,
        autocomplete="off",
        help=f"{how_long} Never saved, never in a link, never in a log.",
        **lasting,
    )


def verifier_field(model: str | None, verify: str | None) -> None:
    """Draws a field for the key of the model that takes the second look, if it is another one and this server has no
    key for it."""
    other = other_verifier(model, verify)
    try:
        lacks = [] if other is None else without_key(settings_with(session().connection, model, verify), other)
    except ConfigurationError:
        return  # what starts a reading says so
    for each in lacks:
        key_field(each, _VERIFIER_KEY, f", for the second look by {literal(each)}")


def _provider(model: str) -> str:
    return model.partition("/")[0]


def explained() -> str:
    """What the choice "A model" means now, for the help of a field."""
    connection = session().connection
    try:
        configured = Settings.from_environment().model
    except ConfigurationError:
        configured = None
    if connection is not None:
        return f"{literal(connection.model)}, which you connected"
    if asks_a_server(configured):
        return f"{literal(configured)}, the model of this server, or one that you connect"
    return "choose it, then say where it runs, its name and your key"


def show_fields(then: str) -> None:
    """Draws the fields, the button for the test, and what came of it. `then`: the button that has the model read."""
    places = _places()
    labels = list(places)
    if st.session_state.get(PLACE) not in labels:
        st.session_state[PLACE] = labels[0]
    st.selectbox("Where the model runs", labels, key=PLACE, persist_state="session")
    label = st.session_state[PLACE]
    place = places[label]
    if place.server is not None:
        names = [name.partition("/")[2] for name in place.server.models]
        if st.session_state.get(_LOCAL_MODEL) not in names:
            st.session_state[_LOCAL_MODEL] = names[0]
        st.selectbox("Model", names, key=_LOCAL_MODEL)
    else:
        if label == _OWN_SERVER:
            st.text_input("Its address", placeholder="http://localhost:8000/v1", key=_ADDRESS, persist_state="session")
        name = "Model, as provider/name" if label == _OTHER else "Model"
        st.text_input(name, placeholder=place.example, key=MODEL, persist_state="session")
    if place.server is None:
        there = place.variable and provider_key(place.variable)
        st.text_input(
            "Key for this visit",
            type="password",
            key=_KEY,
            autocomplete="off",
            placeholder="this server has one" if there else "none" if not place.variable else "",
            persist_state="session",
            help="Kept in memory until you close the tab. Never saved, never in a link, never in a log.",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Test this model",
            on_click=_test,
            help="The model reads two lines. A paid model costs a fraction of a cent.",
        )
        if access.may_reach_local():
            st.button("Look for local models", on_click=_look_again, type="tertiary")
    _show_check(then)


def connect() -> str:
    """Makes the model in the fields the one of this visit; its name, "" while none is named."""
    name = named()
    if not name:
        return ""
    place, url = _place(), address()
    if st.session_state.get(PLACE) == _OWN_SERVER and not is_url(url):
        raise ConfigurationError("the address of the server is not a URL; write one like http://localhost:8000/v1")
    _check_may_reach(name, place)
    key = "" if place.server is not None else str(st.session_state.get(_KEY) or "").strip()
    session().connection = Connection(name, key, url)
    return name


def address() -> str:
    """The address in the fields; "" for the provider's own."""
    if st.session_state.get(PLACE) == _OWN_SERVER:
        return str(st.session_state.get(_ADDRESS) or "").strip()
    server = _place().server
    return server.url if server is not None else ""


def _place() -> _Place:
    return _places().get(st.session_state.get(PLACE, ""), _Place())


def _check_may_reach(name: str, place: _Place) -> None:
    """Raises ConfigurationError if the model is on this machine and the visitor may not reach that."""
    if place.provider or access.may_reach_local() or not asks_a_server(name) or name.startswith("openai/"):
        return
    settings = Settings.from_environment()
    if name != settings.model and profile_of(name, settings).local:
        raise ConfigurationError("models on the machine of this page are only for its administrators")


def named() -> str:
    """The model in the fields as `provider/name`; "" while none is named."""
    place = _place()
    if place.server is not None:
        chosen = str(st.session_state.get(_LOCAL_MODEL) or "")
        return next((name for name in place.server.models if name.partition("/")[2] == chosen), "")
    name = str(st.session_state.get(MODEL) or "").strip()
    if not name or not place.provider or name.startswith(f"{place.provider}/"):
        return name
    return f"{place.provider}/{name}"


def fill(model: str) -> None:
    """Puts a model's name into the fields."""
    provider, _, name = model.partition("/")
    label = next(
        (label for label, place in _places().items() if place.provider == provider and not place.server), _OTHER
    )
    st.session_state[PLACE] = label
    st.session_state[MODEL] = model if label == _OTHER else name


# ---------------------------------------------------------------- where models run


def _places() -> Mapping[str, _Place]:
    """Every place that this visitor may choose, by its label: local servers that were found first."""
    found: dict[str, _Place] = {}
    if access.may_reach_local():
        visit = session()
        if visit.local_servers is None:
            visit.local_servers = find_local_servers(Settings.from_environment())
        for server in visit.local_servers:
            count = f"{len(server.models)} model{'s' if len(server.models) > 1 else ''}"
            found[f"{server.title} on this machine ({count})"] = _Place(server=server)
    for profile in profiles(Settings.from_environment().profiles):
        if profile.key and profile.api != "sdk" and not profile.local:
            for provider in profile.providers:
                for label in [label for label, place in found.items() if place.provider == provider]:
                    del found[label]  # the last profile of a provider is the general one
                found[profile.title] = _Place(provider, profile.key, _example(profile))
    if access.may_reach_local():
        found[_OWN_SERVER] = _Place("openai", example="name of the model")
    found[_OTHER] = _Place(example="openai/gpt-6-luna")
    return found


def _example(profile: Profile) -> str:
    match = re.search(r"--model \w+/(\S+)", profile.example)
    return match[1] if match else "name of the model"


def _look_again() -> None:
    session().local_servers = None


# ---------------------------------------------------------------- the test


def _test() -> None:
    try:
        model = connect()
        if not model:
            raise ConfigurationError("no model is named; type its name")
        check = session().model_check = ModelCheck(model)
        settings = settings_for(model)
    except ConfigurationError as error:
        session().model_check = check = ModelCheck("")
        check.findings.append(Finding("model", False, on_the_page(error)))
        check.done.set()
        return
    Thread(target=_run, args=(check, settings), name="pitch-analyzer-model-check", daemon=True).start()


def _run(check: ModelCheck, settings: Settings) -> None:
    try:
        from analyzer.runs import model_check

        for finding in model_check.ask(check.model, settings):
            check.findings.append(finding)
    except Exception as error:  # noqa: BLE001  # a bug: the visitor sees one line
        check.findings.append(Finding("reading", False, str(as_analyzer_error(error, "while testing this model"))))
    finally:
        check.done.set()


def _show_check(then: str) -> None:
    check = session().model_check
    if check is None:
        return
    if check.done.is_set():
        st.html(_findings(check, then))
    else:
        _wait_for(check)


@st.fragment(run_every=_INTERVAL)
def _wait_for(check: ModelCheck) -> None:
    if check.done.is_set():
        st.rerun()
    st.markdown(f"{literal(check.model)} reads two lines …")
    st.html(_findings(check))


def _findings(check: ModelCheck, then: str = "") -> Html:
    failed = any(not finding.ok for finding in check.findings)
    rows = [
        tag(
            "li",
            tag("strong", _SUBJECTS.get(finding.subject, capital(finding.subject))),
            ": ",
            tag("span", on_the_page(finding.text), class_="alien"),
            class_="against" if not finding.ok else "for",
        )
        for finding in check.findings
    ]
    head = ""
    if check.done.is_set():
        head = tag("p", tag("strong", "This does not work yet." if failed else f"It works. Press {then}."))
    return tag("div", head, tag("ul", *rows), class_="pa listed findings", aria_live="polite")
