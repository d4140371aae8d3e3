"""Checks the arguments of `analyze` and `analyze_many`: each is converted or refused in one line before a request."""

from __future__ import annotations

import io
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from threading import Event
from typing import Any, Final

from analyzer.errors import AnalyzerError, ConfigurationError, InputError, PitchError
from analyzer.files.document import Document
from analyzer.framework.arguments import a_kind
from analyzer.patterns import late
from analyzer.settings import MAX_CONCURRENCY, MAX_PROCESSES, MAX_READINGS, Settings, verifier

_LONGEST_PATH: Final = 255
"""Characters; a longer line is a text, not the name of a file."""
_FILE_NAME: Final = late(r"\S+\.(txt|md|pdf|pptx?|docx?|html?|csv|tsv|jsonl?|parquet|xlsx?)", re.IGNORECASE)
_READ_FILE: Final = "read it first: read_file(Path(...)) from analyzer.files.documents returns what analyze takes"


def as_text(text: object) -> str | Document:
    """The text of one pitch, or its document. Raises PitchError for anything else, also for the name of a file."""
    if isinstance(text, Document):
        return text
    if isinstance(text, PurePath):
        raise PitchError(f"the pitch is a path ({text.name}); {_READ_FILE}")
    if isinstance(text, bytes | bytearray):
        raise PitchError("the pitch is bytes; decode it first, for example data.decode('utf-8')")
    if not isinstance(text, str):
        raise PitchError(f"the pitch is {a_kind(text)}; pass its text as a string")
    name = text.strip()
    if _exists(name):
        raise PitchError(f"{name!r} is the name of a file or folder, not a pitch; {_READ_FILE}")
    if _FILE_NAME.fullmatch(name):
        raise PitchError(f"{name!r} looks like the name of a file, and there is no such file; pass the pitch's text")
    return text


def as_pitches(pitches: object) -> Iterator[object]:
    """The pitches one by one. Raises InputError for values whose items are not pitches, such as a string."""
    if isinstance(pitches, str | bytes | bytearray | PurePath):
        raise InputError(f"pitches is {a_kind(pitches)}; pass a list of texts: [text], or use analyze for one")
    if isinstance(pitches, Mapping):
        raise InputError("pitches is a dict; pass pairs (id, text): pitches.items(), or a list of dicts with 'text'")
    if type(pitches).__name__ in ("DataFrame", "LazyFrame", "Table", "RecordBatch"):
        raise InputError(f"pitches is {a_kind(pitches)}; pass it to analyze_frame(frame, text='…')")
    if isinstance(pitches, io.IOBase):
        raise InputError("pitches is an open file; pass a list of texts, for example [file.read()]")
    if not isinstance(pitches, Iterable):
        more = "; an asynchronous iterable goes to analyze_many_async" if hasattr(pitches, "__aiter__") else ""
        raise InputError(f"pitches is {a_kind(pitches)}; pass texts or pairs (id, text){more}")
    return iter(pitches)


def title_of(entry: object) -> str | None:
    """The title that a mapping (or named tuple) brings along; None for any other entry."""
    title = entry.get("title") if isinstance(entry, Mapping) else getattr(entry, "title", None)
    return title if isinstance(title, str) and title.strip() else None


def id_and_text(entry: object) -> tuple[str | None, str | Document]:
    """Id (None where there is none) and text of one entry: a text, a pair, or a mapping (or named tuple) with `text`.

    Raises PitchError if it is none of these, and the error that an entry has instead of a text.
    """
    if isinstance(entry, str | Document):
        return None, as_text(entry)
    if not isinstance(entry, Mapping) and "text" in getattr(entry, "_fields", ()):
        entry = entry._asdict()  # type: ignore[attr-defined]  # a named tuple
    if isinstance(entry, Mapping):
        if "text" not in entry:
            keys = ", ".join(map(str, list(entry)[:5])) or "nothing"
            raise PitchError(f"a mapping needs 'text' (and may have 'id'); it has {keys}")
        return _id(entry.get("id")), _text_of(entry["text"])
    if isinstance(entry, tuple | list) and len(entry) == 2:
        return _id(entry[0]), _text_of(entry[1])
    raise PitchError(f"expected a text, a pair (id, text) or a mapping with 'text', not {a_kind(entry)}")


def label(entry: object, number: int) -> str:
    """How a pitch that cannot be read is named in results: by its id, or its number."""
    own = None
    if isinstance(entry, Mapping):
        own = entry.get("id")
    elif "id" in getattr(entry, "_fields", ()):
        own = entry.id  # type: ignore[attr-defined]  # a named tuple
    elif isinstance(entry, tuple | list) and entry:
        own = entry[0]
    return _id(own) or str(number)


def as_readings(readings: Any, settings: Settings) -> Settings:
    """The settings with this number of readings; None leaves it. Raises ConfigurationError."""
    return settings if readings is None else replace(settings, readings=as_count_of_readings(readings, "readings"))


def as_count_of_readings(count: Any, name: str) -> int:
    """How often a pitch is read. Raises ConfigurationError."""
    return _whole_number(count, name, MAX_READINGS)


def as_settings(settings: object) -> Settings:
    """Settings; None = from the environment. Raises ConfigurationError."""
    if settings is None:
        return Settings.from_environment()
    if isinstance(settings, Settings):
        return settings
    raise ConfigurationError(f"settings is {a_kind(settings)}; pass a Settings (analyzer.settings), or None")


def with_verify(settings: Settings, verify: object) -> Settings:
    """The settings with who takes a second look: a model, True for the one that reads, False for nobody, None as they
    are. Raises ConfigurationError."""
    if verify is None:
        return settings
    if not isinstance(verify, str | bool):
        raise ConfigurationError(f"verify is {a_kind(verify)}; pass True, False or a model like 'openai/gpt-6-luna'")
    return replace(settings, verify=verifier(verify))


def as_concurrency(concurrency: Any, most: int = MAX_CONCURRENCY) -> int:
    """The number of requests that may be in flight. Raises ConfigurationError."""
    return _whole_number(concurrency, "concurrency", most)


def as_processes(processes: Any) -> int:
    """In how many processes a run reads. Raises ConfigurationError."""
    return _whole_number(processes, "processes", MAX_PROCESSES)


def _whole_number(value: Any, name: str, most: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or not 1 <= number <= most:
        raise ConfigurationError(f"{name} is {value!r:.40}; pass a whole number from 1 to {most}")
    return number


def as_seconds(give_up_after: Any) -> float:
    """Seconds without an answer. Raises ConfigurationError."""
    try:
        seconds = math.nan if isinstance(give_up_after, str | bool) else float(give_up_after)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigurationError(f"give_up_after is {give_up_after!r:.40}; pass a number of seconds above 0")
    return seconds


def as_limit(max_cost: Any) -> float | None:
    """USD that may be spent; None = no limit. Raises ConfigurationError."""
    if max_cost is None:
        return None
    try:
        limit = math.nan if isinstance(max_cost, str | bool) else float(max_cost)
    except (TypeError, ValueError):
        limit = math.nan
    if not 0 < limit < math.inf:
        raise ConfigurationError(f"max_cost is {max_cost!r:.40}; pass USD above 0, or None for no limit")
    return limit


def as_store_url(store: object, settings: Settings) -> str | None:
    """The database URL of the store; None = no store. Raises ConfigurationError."""
    if store is None or isinstance(store, str | bool):
        return settings.store_url() if store is True else store or None
    raise ConfigurationError(f"store is {a_kind(store)}; pass True, False or a URL like sqlite:///answers.db")


def as_progress(on_progress: Any) -> Callable[[Any], None]:
    """The function to call after each result. Raises ConfigurationError."""
    if on_progress is None:
        return lambda _: None
    if callable(on_progress):
        function: Callable[[Any], None] = on_progress
        return function
    raise ConfigurationError(f"on_progress is {a_kind(on_progress)}; pass a function that takes a Progress, or None")


def as_switch(name: str, value: Any) -> bool:
    """True or false. Raises ConfigurationError."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {a_kind(value)}; pass True or False")
    return value


def as_stop(stop: Any) -> Event:
    """The event that ends a run once it is set. Raises ConfigurationError."""
    if stop is None:
        return Event()
    if callable(getattr(stop, "is_set", None)):
        event: Event = stop
        return event
    raise ConfigurationError(f"stop is {a_kind(stop)}; pass a threading.Event, or None")


def as_total(total: Any) -> int | None:
    """The number of pitches; None = unknown. Raises ConfigurationError."""
    if total is None:
        return None
    try:
        number = operator.index(total)
    except TypeError:
        number = -1
    if number < 0:
        raise ConfigurationError(f"total is {total!r:.40}; pass the number of pitches, or None")
    return number


def _id(own: object) -> str | None:
    return None if own is None or own != own or own == "" else str(own)


def _text_of(text: object) -> str | Document:
    """A text that came with its id: surely a text, even if it looks like the name of a file."""
    if isinstance(text, AnalyzerError):
        raise text
    if text is None or text != text:
        raise PitchError("the pitch is empty; its text is missing")
    return text if isinstance(text, str) else as_text(text)


def _exists(name: str) -> bool:
    if not name or len(name) > _LONGEST_PATH or "\n" in name or "\0" in name:
        return False
    try:
        return Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
