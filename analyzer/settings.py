"""Reads the environment, and is the only module that does, so that `pitch doctor` can show all of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard
from urllib.parse import urlsplit

from analyzer.errors import ConfigurationError

GIVE_UP_AFTER = 300.0
"""Seconds without any answer from the model's server after which a run over many pitches ends."""
KEYWORDS = "keywords"
RECORDED = "recorded"
MAX_CONCURRENCY = 256
"""The most requests in flight."""
MODES = ("auto", "json_schema", "tools", "json", "text", "responses", "native")
"""Ways to ask a model that `--mode` and PITCH_MODE take; "auto" tries those that its server is known to take."""


def asks_a_server(model: str | None) -> TypeGuard[str]:
    """Whether a model's name means a request to a server; not so for `keywords`, `recorded` or no name at all."""
    return model is not None and model != "" and model.partition("/")[0] not in (KEYWORDS, RECORDED)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in the environment. Empty strings count as unset; keys never show in `repr`."""

    model: str | None = None
    """PITCH_MODEL: `provider/name`, `recorded` or `keywords`; None = nothing configured."""
    openai_base_url: str | None = None
    """OPENAI_BASE_URL: any OpenAI-compatible server."""
    openai_api_key: str | None = field(default=None, repr=False)
    """OPENAI_API_KEY."""
    recordings: Path | None = None
    """PITCH_RECORDINGS: the user's own folder of recordings; None = the default in the user's data folder."""
    store: str | None = field(default=None, repr=False)
    """PITCH_STORE: database URL of the store (may hold a password); None = a file in the user's data folder."""
    timeout: float = 120.0
    """PITCH_TIMEOUT: seconds to wait for one answer of the model."""
    mode: str = "auto"
    """PITCH_MODE: the way to ask the model, one of MODES."""
    form: str = "ids"
    """PITCH_FORM: what the model writes down, one of the forms in `reading.forms`."""
    profiles: Path | None = None
    """PITCH_PROFILES: a file with the user's own profiles of model servers."""
    administrators: frozenset[str] = frozenset()
    """PITCH_ADMINISTRATORS: e-mail addresses, in lower case, of those who may connect servers of the page's machine."""
    visitor_key: str | None = field(default=None, repr=False)
    """A key that a visitor of the page typed for one model; it comes before those of the environment."""

    def __post_init__(self) -> None:
        """Raises ConfigurationError if the mode is not one of MODES."""
        if self.mode not in MODES:
            raise ConfigurationError(
                f"{self.mode!r} is not a mode; set --mode or PITCH_MODE to one of {', '.join(MODES)}"
            )

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises ConfigurationError if PITCH_TIMEOUT is not a positive number, OPENAI_BASE_URL is not a valid URL, or
        PITCH_MODE is not a mode."""
        recordings, profiles = _get("PITCH_RECORDINGS"), _get("PITCH_PROFILES")
        return cls(
            model=_get("PITCH_MODEL"),
            openai_base_url=_address("OPENAI_BASE_URL"),
            openai_api_key=_get("OPENAI_API_KEY"),
            recordings=Path(recordings).expanduser() if recordings else None,
            store=_get("PITCH_STORE"),
            timeout=_seconds("PITCH_TIMEOUT", 120.0),
            mode=_get("PITCH_MODE") or "auto",
            form=_get("PITCH_FORM") or "ids",
            profiles=Path(profiles).expanduser() if profiles else None,
            administrators=frozenset((_get("PITCH_ADMINISTRATORS") or "").lower().split()),
        )

    def own_recordings(self) -> Path:
        """The folder of the user's own recordings; it may not exist yet."""
        if self.recordings is not None:
            return self.recordings
        return _data_folder() / "recordings"

    def store_url(self) -> str:
        """The URL of the store; its database may not exist yet."""
        return self.store or f"sqlite:///{_data_folder() / 'store.db'}"


def provider_key(variable: str) -> str | None:
    """A provider's key from its usual variable (`TOGETHER_API_KEY`, …); None if unset or empty."""
    return _get(variable)


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


def _address(variable: str) -> str | None:
    text = _get(variable)
    if text is None or is_url(text):
        return text
    raise ConfigurationError(f"{variable} is not a valid URL; set it to one like http://localhost:8000/v1")


def _seconds(variable: str, default: float) -> float:
    text = _get(variable)
    if text is None:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"{variable} is {text!r}; set it to a positive number of seconds, for example 120")
    return seconds
