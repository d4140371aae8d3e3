"""Reads the environment and the user's config file, and is the only module that does, so that `pitch doctor` can show
all of it."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

from analyzer import config_file
from analyzer.errors import ConfigurationError

GIVE_UP_AFTER = 300.0
"""Seconds without any answer from the model's server after which a run over many pitches ends."""
KEYWORDS = "keywords"
RECORDED = "recorded"
DEFAULT_CONCURRENCY = 16
"""Requests in flight of a bulk run that nobody set."""
MAX_PROCESSES: Final = 64
"""The most processes of a run."""
MAX_CONCURRENCY = 256
"""The most requests in flight."""
MAX_READINGS = 20
"""The most readings of one pitch by one model."""
MODES = ("auto", "json_schema", "tools", "json", "text", "responses", "native")
"""Ways to ask a model that `--mode` and PITCH_MODE take; "auto" tries those that its server is known to take."""


SAME = "same"
"""The second look is taken by the model that read the pitch."""
_DIGITS: Final = 9
"""Digits of the longest number that a variable may hold."""
_YES = ("1", "true", "yes", "on", SAME)
_NO = ("0", "false", "no", "off", "none")


def verifier(named: str | bool | None) -> str | None:
    """Who takes a second look, as users and variables say it: yes, no, or a model. Not checked here."""
    text = str(named).strip() if named is not None else ""
    if not text or text.lower() in _NO:
        return None
    return SAME if text.lower() in _YES else text


def asks_a_server(model: str | None) -> TypeGuard[str]:
    """Whether a model's name means a request to a server; not so for `keywords`, `recorded` or no name at all."""
    return model is not None and model != "" and model.partition("/")[0] not in (KEYWORDS, RECORDED)


@dataclass(frozen=True, slots=True)
class Settings:
    """How models are asked, and where things are saved: from the environment, or from code.

    `Settings.from_environment(timeout=30)` reads the environment and replaces parts of it; `Settings(...)` alone does
    not look there, but for the keys of providers that it does not name. Keys and the store never show in `repr`.
    """

    model: str | None = None
    """PITCH_MODEL: `provider/name`, `recorded` or `keywords`; None = nothing configured."""
    openai_base_url: str | None = None
    """OPENAI_BASE_URL: any OpenAI-compatible server."""
    openai_api_key: str | None = field(default=None, repr=False)
    """OPENAI_API_KEY: the key for `openai/...` models, and for the server of OPENAI_BASE_URL."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Keys of other providers by their name, as in `provider/name`; one that is missing here is read from the
    provider's own variable."""
    recordings: Path | None = None
    """PITCH_RECORDINGS: the user's own folder of recordings; None = the default in the user's data folder."""
    store: str | None = field(default=None, repr=False)
    """PITCH_STORE: database URL of the store (may hold a password); None = a file in the user's data folder."""
    timeout: float = 120.0
    """PITCH_TIMEOUT: seconds to wait for one answer of the model; 120 by default."""
    mode: str = "auto"
    """PITCH_MODE: the way to ask the model: auto, json_schema, tools, json, text, responses or native."""
    form: str = "ids"
    """PITCH_FORM: what the model writes down as evidence: ids (numbers of sentences) or quotes."""
    profiles: Path | None = None
    """PITCH_PROFILES: a file with the user's own profiles of model servers."""
    administrators: frozenset[str] = frozenset()
    """PITCH_ADMINISTRATORS: e-mail addresses, in lower case, of those who may connect servers of the page's machine."""
    readings: int = 1
    """PITCH_READINGS: how often each model reads a pitch, 1 to MAX_READINGS."""
    verify: str | None = None
    """PITCH_VERIFY: who takes a second look at what was read: yes (the model that read it) or `provider/name`; None =
    nobody."""
    concurrency: int | None = None
    """PITCH_CONCURRENCY: requests in flight of a run from the command line; None = its default."""
    rulebook: Path | None = None
    """PITCH_RULEBOOK: the rulebook of the command line; None = the built-in one. Python takes it as an argument."""
    market: Path | None = None
    """PITCH_MARKET: the market map of the command line; None = the built-in one."""
    by_model: Mapping[str, Settings] = field(default_factory=dict, repr=False, hash=False)
    """Settings of their own for some models, by `provider/name`: another server, another key."""

    def __post_init__(self) -> None:
        """Raises ConfigurationError if the mode is not one of MODES, the number of readings is not possible, `verify`
        names no model, or the time-out is not a number above 0."""
        if type(self.readings) is not int or not 1 <= self.readings <= MAX_READINGS:
            raise ConfigurationError(
                f"{self.readings!r:.40} is not a number of readings; set --readings or PITCH_READINGS to a whole "
                f"number from 1 to {MAX_READINGS}"
            )
        if not isinstance(self.timeout, int | float) or not 0 < self.timeout < float("inf"):
            raise ConfigurationError(f"timeout is {self.timeout!r:.40}; pass a number of seconds above 0")
        if self.verify is not None and self.verify != SAME and not ("/" in self.verify and asks_a_server(self.verify)):
            raise ConfigurationError(
                f"{self.verify!r:.60} cannot take a second look; set --verify or PITCH_VERIFY to a model as "
                "provider/name, or to yes for the model that reads the pitch"
            )
        if self.mode not in MODES:
            raise ConfigurationError(
                f"{self.mode!r} is not a mode; set --mode or PITCH_MODE to one of {', '.join(MODES)}"
            )

    @classmethod
    def from_environment(cls, **replaced: Any) -> Settings:
        """The settings in the environment, else in the user's config file; some `replaced` by name. Empty variables
        count as unset.

        Raises ConfigurationError if PITCH_TIMEOUT is not a positive number, OPENAI_BASE_URL is not a valid URL,
        PITCH_MODE is not a mode, PITCH_READINGS not a number of readings, or PITCH_VERIFY neither a model nor yes or
        no; and for a setting that does not exist, or a config file that cannot be used.
        """
        file = config_file.defaults()

        def said(variable: str) -> str | None:
            return _get(variable) or file.get(variable) or None

        def named(variable: str) -> Path | None:
            text = said(variable)
            return Path(text).expanduser() if text else None

        unknown = [name for name in replaced if name not in cls.__dataclass_fields__]
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise ConfigurationError(f"there is no setting {', '.join(unknown)}; there are {known}")
        found = cls(
            model=said("PITCH_MODEL"),
            openai_base_url=_address("OPENAI_BASE_URL", said("OPENAI_BASE_URL")),
            openai_api_key=_get("OPENAI_API_KEY"),
            recordings=named("PITCH_RECORDINGS"),
            store=said("PITCH_STORE"),
            timeout=_seconds("PITCH_TIMEOUT", said("PITCH_TIMEOUT"), 120.0),
            mode=said("PITCH_MODE") or "auto",
            form=said("PITCH_FORM") or "ids",
            profiles=named("PITCH_PROFILES"),
            administrators=frozenset((said("PITCH_ADMINISTRATORS") or "").lower().split()),
            readings=_whole_number("PITCH_READINGS", said("PITCH_READINGS"), MAX_READINGS) or 1,
            verify=verifier(said("PITCH_VERIFY")),
            concurrency=_whole_number("PITCH_CONCURRENCY", said("PITCH_CONCURRENCY"), MAX_CONCURRENCY),
            rulebook=named("PITCH_RULEBOOK"),
            market=named("PITCH_MARKET"),
        )
        return replace(found, **replaced)

    def asking(self, model: str) -> Settings:
        """The settings with which this model is asked."""
        return self.by_model.get(model.strip(), self)

    def own_recordings(self) -> Path:
        """The folder of the user's own recordings; it may not exist yet."""
        if self.recordings is not None:
            return self.recordings
        return _data_folder() / "recordings"

    def store_url(self) -> str:
        """The URL of the store; its database may not exist yet."""
        return self.store or f"sqlite:///{_data_folder() / 'store.db'}"


_ELSEWHERE: Final = {
    "PITCH_CONFIG": "a file with your own defaults, in place of config.toml in your config folder",
    "ANTHROPIC_BASE_URL": "another server that speaks Anthropic's protocol, for its models and their batches",
    "OLLAMA_HOST": "where Ollama listens, as Ollama itself reads it; scheme and port may be left out",
}
"""Variables that are read when a model needs them, and are not in Settings."""


def variables() -> dict[str, str]:
    """Every variable that is read, keys of providers aside, with its meaning: that of its field in Settings."""
    tree = ast.parse(inspect.getsource(Settings)).body[0]
    texts = [
        inspect.cleandoc(str(each.value.value))
        for each in getattr(tree, "body", [])
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
    ]
    named = (re.match(r"([A-Z]+_[A-Z_]+): (.*)", text, re.DOTALL) for text in texts)
    return {found[1]: " ".join(found[2].split()).rstrip(".") for found in named if found} | _ELSEWHERE


def provider_key(variable: str) -> str | None:
    """A provider's key from its usual variable (`TOGETHER_API_KEY`, …); None if unset or empty."""
    return _get(variable)


def anthropic_url() -> str | None:
    """Where Anthropic's SDK finds its server, if ANTHROPIC_BASE_URL says so."""
    return _get("ANTHROPIC_BASE_URL")


def server_address(variable: str) -> str | None:
    """A server's address from a variable that may leave out scheme and port, as OLLAMA_HOST does; None if unset.

    Raises ConfigurationError if it is not an address.
    """
    text = _get(variable)
    if text is None:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname or "127.0.0.1")  # noqa: S104
        port = parts.port or (11434 if parts.scheme == "http" else 443)
    except ValueError:
        raise ConfigurationError(f"{variable} is not an address; set it to one like http://localhost:11434") from None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}{parts.path.rstrip('/')}"


def _data_folder() -> Path:
    from platformdirs import user_data_path  # 10 ms that most commands do not need

    return user_data_path("pitch-analyzer", appauthor=False)


def _get(variable: str) -> str | None:
    return os.environ.get(variable, "").strip() or None


def is_url(text: str) -> bool:
    """Whether a text is the URL of a server."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return False


def use_model(model: str) -> None:
    """Makes a model the one of this process, as PITCH_MODEL would."""
    os.environ["PITCH_MODEL"] = model


def _address(variable: str, text: str | None) -> str | None:
    if text is None or is_url(text):
        return text
    raise ConfigurationError(f"{variable} is not a valid URL; set it to one like http://localhost:8000/v1")


def _whole_number(variable: str, text: str | None, most: int) -> int | None:
    """A whole number from 1 to `most`; None where nothing is set."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or not 1 <= int(text) <= most:
        raise ConfigurationError(f"{variable} is {text!r:.40}; set it to a whole number from 1 to {most}")
    return int(text)


def _seconds(variable: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"{variable} is {text!r}; set it to a positive number of seconds, for example 120")
    return seconds
