"""Answers of real models, kept as files and played back through the same client code.

A recording is one exchange: which request it was, by fingerprints, and the body of the response. The fingerprints
are of the prompt's text, the vocabulary, the pitch and the conversation so far, and the model's name; none of them
depends on a library's release. Headers, keys, addresses and file paths are never part of a recording.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from analyzer.errors import MissingRecording, OutputError
from analyzer.files import check_writable, reason, write_whole
from analyzer.resources import resource

_KEPT: Final = ("id", "object", "created", "model", "choices", "usage")
"""What of a response's body is kept; the rest says nothing about the answer."""
_SHORTEST_SECRET: Final = 8
"""A key shorter than this is a word (a local server's "none"), and blotting it out would spoil the answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which request it is. `turn` counts from 0; `so_far_sha256` is over what was said since the pitch was given."""

    model: str
    prompt_sha256: str
    schema_sha256: str
    pitch_sha256: str
    turn: int = 0
    so_far_sha256: str = ""

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


current_request: ContextVar[Request] = ContextVar("current_request")
"""Set by the reader around each call, so that a transport knows which request it carries."""

_DIFFERENCES: Final = (
    ("pitch_sha256", "the pitch"),
    ("prompt_sha256", "the prompt"),
    ("schema_sha256", "the vocabulary"),
    ("model", "the model"),
    ("turn", "the turn of the conversation"),
    ("so_far_sha256", "the conversation so far"),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One kept exchange, and where it lies."""

    request: Request
    response: dict[str, Any]
    recorded: str
    title: str
    path: Path


class Recordings:
    """All recordings in some folders and below them, the user's own first. Folders that do not exist hold none.

    `strays`: JSON files in there that are no recordings. They are passed over, and told of where it matters.
    """

    def __init__(self, folders: Iterable[Path]):
        found = [(path, _load(path)) for folder in folders for path in sorted(folder.rglob("*.json"))]
        self._all = [recording for _, recording in found if recording is not None]
        self.strays = [path for path, recording in found if recording is None]
        self._by_key = {recording.request.key: recording for recording in reversed(self._all)}

    @classmethod
    def available(cls, own: Path) -> Recordings:
        """The user's own and those that come with the program."""
        return cls((own, shipped_recordings()))

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self._all)

    def find(self, request: Request) -> Recording | None:
        return self._by_key.get(request.key)

    def models_for(self, request: Request) -> list[str]:
        """The models whose answers to this request are recorded (whatever model it names), newest first."""
        same = [r for r in self._all if replace(r.request, model=request.model) == request]
        same.sort(key=lambda recording: recording.recorded, reverse=True)
        return list(dict.fromkeys(recording.request.model for recording in same))

    def missing(self, request: Request) -> MissingRecording:
        """The error for a request that is not recorded: the nearest recording, and what differs from it."""
        record_it = "record it with: pitch record FILE --model provider/name"
        if self.strays:
            more = f" and {len(self.strays) - 1} more" if len(self.strays) > 1 else ""
            record_it += f" ({self.strays[0].name}{more} is no recording and was passed over)"
        if not self._all:
            return MissingRecording(f"there are no recordings yet; {record_it}")
        nearest = min(self._all, key=lambda recording: len(_differences(recording.request, request)))
        differs = ", ".join(_differences(nearest.request, request)) or "nothing that is compared"
        return MissingRecording(
            f"no recorded answer fits this request; the nearest is {nearest.path.name} ({nearest.title!r}, "
            f"{nearest.recorded}), which differs in {differs}.\nChoose another --model, or {record_it}"
        )


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers requests from recordings; never reaches a network. Raises MissingRecording."""

    def __init__(self, recordings: Recordings):
        self._recordings = recordings

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wanted = current_request.get()
        recording = self._recordings.find(wanted)
        if recording is None:
            raise self._recordings.missing(wanted)
        return httpx.Response(200, json=recording.response, request=request)


class Recorder:
    """Keeps each successful answer as a file before anybody else sees it: a response hook of the HTTP client (not of
    instructor, whose hooks swallow errors). Raises OutputError if nothing can be written in the folder."""

    def __init__(self, folder: Path, secrets: Sequence[str] = ()):
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: no recording can be written there: {reason(error)}") from error
        check_writable(folder / "recording.json", "a recording")
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        self.titles: dict[str, str] = {}
        """The title of each pitch to be read, by its fingerprint."""
        self.written: list[Path] = []

    async def keep(self, response: httpx.Response) -> None:
        if response.status_code != 200:
            return
        await response.aread()
        try:
            body = response.json()
        except ValueError:
            return
        if not isinstance(body, dict):
            return
        request = current_request.get()
        title = self.titles.get(request.pitch_sha256, "")
        document = {
            "recorded": datetime.now(UTC).strftime("%Y-%m-%d"),
            "title": title,
            "request": asdict(request),
            "response": {name: body[name] for name in _KEPT if name in body},
        }
        text = json.dumps(document, indent=1, ensure_ascii=False)
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        path = self._folder / f"{_slug(title)}-{request.key[:8]}.json"
        write_whole(path, text + "\n")
        self.written.append(path)


def shipped_recordings() -> Path:
    """The folder of recordings that come with the program."""
    return resource("fixtures") / "recordings"


def _load(path: Path) -> Recording | None:
    """The recording in a file; None if there is none in it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        request, response = Request(**document["request"]), dict(document["response"])
        return Recording(request, response, str(document["recorded"]), str(document["title"]), path)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _differences(one: Request, other: Request) -> list[str]:
    return [words for name, words in _DIFFERENCES if getattr(one, name) != getattr(other, name)]


def _slug(title: str) -> str:
    words = re.findall(r"[a-z0-9]+", title.split(":")[0].lower())
    return "-".join(words)[:40].strip("-") or "pitch"
