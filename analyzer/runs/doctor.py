"""Reports what is configured and what can be reached. Of a key it says only whether it is set."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec

from analyzer import config_file
from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.resources import install_command
from analyzer.settings import KEYWORDS, SAME, Settings, asks_a_server

_REACH_TIMEOUT = 5.0
_NOT_KNOWN = "mode, context, schema and speed, and how well it reads: pitch doctor --ask (a tiny reading) or --read"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `ok` is False if the program cannot do what is configured."""

    subject: str
    ok: bool
    text: str


def check(settings: Settings, *, ask: bool = False, read: bool = False) -> Iterator[Finding]:
    """Check everything, one finding after the other; the last ones ask the model's server, for at most 5 seconds.

    `ask`, `read`: also have the model read two sentences, or three samples, as `runs.model_check` does. Raises
    ConfigurationError if no model is set that could be asked, or what `model_check.read_samples` raises.
    """
    if (ask or read) and not asks_a_server(settings.model):
        raise ConfigurationError(
            f"--ask and --read need a model that is asked, not {settings.model or 'none'}; set PITCH_MODEL or --model"
        )
    from analyzer.files.documents import ocr_installed
    from analyzer.framework.rulebook import Rulebook
    from analyzer.reading.recordings import Recordings

    yield Finding("python", True, sys.version.split()[0])
    there = "" if config_file.path().exists() else ": not there, which is fine"
    yield Finding("config", True, f"{config_file.path()}{there}")
    rulebook = Rulebook.built_in()
    yield Finding(
        "rulebook", True, f"{rulebook.version} ({rulebook.sha256[:8]}), {len(rulebook.considerations)} considerations"
    )
    recordings = Recordings.available(settings.own_recordings())
    yield Finding("recordings", True, f"{len(recordings)}; yours are in {settings.own_recordings()}")
    for reworded in recordings.reworded():
        yield Finding("recordings", True, f"{reworded}; they are used, and their assessments say so")
    if outdated := recordings.outdated():
        yield Finding("recordings", True, f"{len(outdated)} not used: made with an older prompt or vocabulary")
    for stray in recordings.strays:
        yield Finding("recordings", True, f"skipped because it is not a recording: {stray}")
    yield _store(settings)
    missing = any(find_spec(name) is None for name in ("pypdfium2", "lxml", "striprtf", "python_calamine"))
    text = (
        f"to read PDF, Office and other documents: {install_command('documents')}"
        if missing
        else "can read PDF, Office and other documents"
    )
    yield Finding("documents", True, text)
    yield Finding(
        "pictures",
        True,
        "can read pages that are pictures (OCR)"
        if ocr_installed()
        else f"to read pages that are pictures (OCR): {install_command('ocr')}",
    )
    yield from _model(settings, asked=ask or read)
    if not asks_a_server(settings.model):
        return
    if ask or read:
        from analyzer.runs import model_check

        if ask:
            yield from model_check.ask(settings.model, replace(settings, readings=1))
        if read:
            yield from model_check.read_samples(settings.model, replace(settings, readings=1))


def _store(settings: Settings) -> Finding:
    """Where answers and assessments are saved, without a password, and how many there are."""
    from analyzer.store.store import Store

    try:
        return Finding("store", True, Store.describe(settings.store_url()))
    except AnalyzerError as error:
        return Finding("store", False, str(error))


def _model(settings: Settings, *, asked: bool) -> Iterator[Finding]:
    if settings.model is None:
        text = "not set (PITCH_MODEL): a recording is used if there is one, else keywords, which is rough"
        yield Finding("model", True, text)
    else:
        yield Finding("model", True, settings.model)
    yield Finding("OPENAI_API_KEY", True, "set" if settings.openai_api_key else "not set")
    if settings.openai_base_url:
        yield Finding("OPENAI_BASE_URL", True, _host(settings.openai_base_url))
    times = "1 of each pitch" if settings.readings == 1 else f"{settings.readings} of each pitch, combined by votes"
    yield Finding("readings", True, f"{times} (PITCH_READINGS)")
    yield from _verifier(settings)
    if not asks_a_server(settings.model):
        return
    from analyzer.reading.clients import reach

    try:
        yield Finding("server", True, reach(settings.model, settings, _REACH_TIMEOUT))
    except AnalyzerError as error:
        yield Finding("server", False, str(error))
        return
    if not asked:
        yield Finding("not known", True, _NOT_KNOWN)


def _verifier(settings: Settings) -> Iterator[Finding]:
    """Who takes a second look, and whether that can be; another model's server is asked as that of the model is."""
    if settings.verify is None:
        yield Finding("second look", True, "none (PITCH_VERIFY)")
    elif settings.verify == SAME:
        can = settings.model != KEYWORDS
        text = f"by the model that reads{'' if can else f', and {KEYWORDS} cannot take one'} (PITCH_VERIFY)"
        yield Finding("second look", can, text)
    else:
        from analyzer.reading.clients import reach

        try:
            reached = reach(settings.verify, settings.asking(settings.verify), _REACH_TIMEOUT)
        except AnalyzerError as error:
            yield Finding("second look", False, f"by {settings.verify}: {error}")
        else:
            yield Finding("second look", True, f"by {settings.verify}; its server: {reached}")


def _host(address: str) -> str:
    """An address without user, password and query."""
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
