"""Finds model servers that run on this machine, and the models they have.

Only fixed addresses of this machine are asked, for a list of models, for a second at most; nothing else is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from analyzer.errors import AnalyzerError
from analyzer.reading.profiles import base_url, profile_of
from analyzer.settings import Settings

_PORTS: Final = {1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM", 30000: "SGLang"}
"""Ports at which servers listen unless told otherwise, and which server that usually is."""
_WAIT: Final = 1.0
_LARGEST: Final = 1_000_000
"""Bytes of a list of models; what is longer is not one."""
_MOST_MODELS: Final = 200


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server on this machine. `models`: as `provider/name`; `url`: for OPENAI_BASE_URL, empty for Ollama."""

    title: str
    url: str
    models: tuple[str, ...]


def find_local_servers(settings: Settings) -> list[LocalServer]:
    """The servers that answer, with their models; empty if none does."""
    places = [("ollama", "Ollama", _ollama(settings))]
    places += [("openai", title, f"http://127.0.0.1:{port}/v1") for port, title in _PORTS.items()]

    def asked(place: tuple[str, str, str]) -> LocalServer | None:
        provider, title, url = place
        return _asked(provider, title, url, settings)

    with ThreadPoolExecutor(len(places)) as pool:
        return [server for server in pool.map(asked, places) if server is not None]


def _ollama(settings: Settings) -> str:
    try:
        return base_url("ollama/any", settings)
    except AnalyzerError:
        return "http://127.0.0.1:11434/v1"


def _asked(provider: str, title: str, url: str, settings: Settings) -> LocalServer | None:
    entries = list(_entries(url))
    names = [str(entry["id"]) for entry in entries if isinstance(entry.get("id"), str) and entry["id"]]
    if not names:
        return None
    owner = str(entries[0].get("owned_by") or "")
    if provider == "openai" and owner:
        profile = profile_of(f"openai/{names[0]}", replace(settings, openai_base_url=url), owner)
        title = title if profile.is_unknown else profile.title
    models = tuple(f"{provider}/{name}" for name in sorted(names)[:_MOST_MODELS])
    return LocalServer(title, "" if provider == "ollama" else url, models)


def _entries(url: str) -> Iterator[dict[str, Any]]:
    """What the server lists; nothing if it does not answer, or with something else."""
    try:
        with httpx.Client(timeout=_WAIT, trust_env=False) as http:
            response = http.get(f"{url}/models")
        content = response.json() if response.is_success and len(response.content) <= _LARGEST else {}
    except (httpx.HTTPError, ValueError):
        return
    listed = content.get("data") if isinstance(content, dict) else None
    yield from (entry for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, dict))
