"""The user's own defaults: config.toml in the user's config folder, or the file that PITCH_CONFIG names.

Never a file that lies in the working folder: whoever sends somebody a folder could redirect pitches and keys with it.
Keys do not belong into a file; they live in the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from analyzer.errors import ConfigurationError

VARIABLE: Final = "PITCH_CONFIG"
ENTRIES: Final = {
    "model": "PITCH_MODEL",
    "mode": "PITCH_MODE",
    "form": "PITCH_FORM",
    "verify": "PITCH_VERIFY",
    "readings": "PITCH_READINGS",
    "timeout": "PITCH_TIMEOUT",
    "base_url": "OPENAI_BASE_URL",
    "store": "PITCH_STORE",
    "recordings": "PITCH_RECORDINGS",
    "profiles": "PITCH_PROFILES",
    "concurrency": "PITCH_CONCURRENCY",
    "rulebook": "PITCH_RULEBOOK",
    "market": "PITCH_MARKET",
}
"""What the file may say, and the variable that counts more."""
_FILES: Final = ("recordings", "profiles", "rulebook", "market")


def path() -> Path:
    """Where the file is, or would be."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("pitch-analyzer", appauthor=False) / "config.toml"


def defaults() -> dict[str, str]:
    """What the file says, by the name of the variable; empty without a file. Paths are relative to the file.

    Raises ConfigurationError if it cannot be read, or says something that is not known.
    """
    file = path()
    try:
        text = file.read_text(encoding="utf-8")
        import tomllib  # slow to load, and most people have no such file

        content = tomllib.loads(text)
    except FileNotFoundError:
        if os.environ.get(VARIABLE, "").strip():
            raise ConfigurationError(f"{file} does not exist; {VARIABLE} names it") from None
        return {}
    except (OSError, ValueError) as error:  # not UTF-8, or not TOML
        raise ConfigurationError(f"{file} cannot be read as TOML: {error}") from error
    texts = {name: _text(file, name, value) for name, value in content.items()}
    return {ENTRIES[name]: text for name, text in texts.items()}


def _text(file: Path, name: str, value: object) -> str:
    """A value as its variable would say it."""
    if name not in ENTRIES:
        if "key" in name.lower() or "password" in name.lower():
            raise ConfigurationError(f"{file}: {name} does not belong into a file; set the provider's key variable")
        from difflib import get_close_matches

        near = get_close_matches(name, ENTRIES, 1)
        hint = f"did you mean {near[0]}?" if near else f"use {', '.join(ENTRIES)}"
        raise ConfigurationError(f"{file}: {name} is not a setting; {hint}")
    if not isinstance(value, str | int | float):
        raise ConfigurationError(f"{file}: {name} must be a text, a number, true or false")
    text = str(value).strip()
    return str(file.parent / Path(text).expanduser()) if name in _FILES and text else text
