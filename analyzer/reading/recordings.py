"""Answers of real models, saved as files and replayed through the same client code.

A recording is one exchange: which request it was, and the body of the response. It belongs to what was asked (purpose,
model, pitch, form, mode, reading, the versions of vocabulary and prompt, and in a later turn what was said before), not
to the wording: that is saved as fingerprints, and if it differs from today's the answer is still used and says so. A
change of meaning raises a version, and only then a recording no longer fits. Nothing in it depends on a
library's release; headers, keys, addresses and file paths are never part of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import httpx

from analyzer.errors import MissingRecording, OutputError
from analyzer.files.disk import check_writable, reason, write_whole
from analyzer.framework.assessment import Warning
from analyzer.reading.forms import any_form
from analyzer.reading.reading import Reading
from analyzer.resources import resource
from analyzer.vocabulary.labels import joined
from analyzer.vocabulary.records import VOCABULARY_VERSION

_KEPT: Final = (
    *("id", "object", "created", "model", "choices", "usage"),
    *("status", "incomplete_details", "output"),  # of OpenAI's Responses API
    *("message", "done_reason", "prompt_eval_count", "eval_count"),  # of Ollama's own API
)
"""Parts of a response's body that are saved; the rest says nothing about the answer."""
_SHORTEST_SECRET: Final = 8
"""A shorter key is a word (a local server's "none"); replacing it would spoil the answer."""
_REMEMBERED: Final = 4096
"""How many recordings are remembered, because the same folders are read for each pitch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """A request to a model: what is asked, and fingerprints of the wording.

    `turn` counts from 0. `so_far_sha256`: in a later turn, of what was said before (`so_far_sha256()`); else empty.
    `prompt_sha256`, `schema_sha256` and `said_sha256` are of the exact texts: prompts, answer schema, earlier messages.
    """

    purpose: str = "read"
    model: str
    pitch_sha256: str
    form: str
    mode: str
    reading: int = 1
    vocabulary_version: int
    prompt_version: int
    turn: int = 0
    so_far_sha256: str = ""
    prompt_sha256: str
    schema_sha256: str
    said_sha256: str = ""

    @classmethod
    def first(cls, model: str, pitch_sha256: str, form_name: str, mode: str = "json_schema") -> ModelRequest:
        """The first request of asking about a text today."""
        asked = any_form(form_name)
        return cls(
            purpose=asked.purpose,
            model=model,
            pitch_sha256=pitch_sha256,
            form=form_name,
            mode=mode,
            vocabulary_version=VOCABULARY_VERSION,
            prompt_version=asked.version,
            prompt_sha256=prompt_sha256(form_name),
            schema_sha256=asked.vocabulary_sha256,
        )

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked, in whatever words: what a recording belongs to."""
        return {name: getattr(self, name) for name in _ASKED}

    @property
    def versions(self) -> tuple[int, int]:
        """The versions of vocabulary and prompt."""
        return self.vocabulary_version, self.prompt_version

    @property
    def texts(self) -> dict[str, str]:
        """Fingerprints of the wording."""
        return {name: getattr(self, name) for name in _TEXTS}

    @property
    def recording_key(self) -> str:
        """The key of a recording of it."""
        return _recording_key(self)

    @property
    def key(self) -> str:
        """The key of a stored answer to it: exact to the letter, so that a changed word asks again."""
        # Earlier messages contain the conversation so far.
        return _hash({**self.asked, **self.texts, "so_far_sha256": self.said_sha256})


ANY_MODEL: Final = ""
"""The model of a request that any model may answer."""
_TEXTS: Final = ("prompt_sha256", "schema_sha256", "said_sha256")
_ASKED: Final = tuple(each.name for each in fields(ModelRequest) if each.name not in _TEXTS)


@cache
def prompt_sha256(form_name: str) -> str:
    """Fingerprint of everything that a form says to a model, without the pitch."""
    asked = any_form(form_name)
    rules = hashlib.sha256(asked.instructions(rules=True).encode()).hexdigest()
    return hashlib.sha256(f"{asked.prompt_sha256(rules=True)} {rules}".encode()).hexdigest()


@lru_cache(maxsize=_REMEMBERED)
def _recording_key(request: ModelRequest) -> str:
    return _hash(request.asked)


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def so_far_sha256(turns: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Fingerprint of the turns before: each answer of the model, and the signals it was asked about again. Empty for
    the first turn. How it was asked is not part of it."""
    return _hash([[answer, sorted(about)] for answer, about in turns]) if turns else ""


current_request: ContextVar[ModelRequest] = ContextVar("current_request")
"""Set by the reader around each call, so that a transport knows which request it sends."""

_DIFFERENCES: Final = {
    "pitch_sha256": "the pitch",
    "model": "the model",
    "form": "the form",
    "reading": "the number of the reading",
    "vocabulary_version": "the vocabulary's version",
    "prompt_version": "the prompt's version",
    "turn": "the turn of the conversation",
    "so_far_sha256": "the conversation so far",
}
"""Parts of a request that may differ from a recording's, in words; fingerprints are not shown."""
_WORDINGS: Final = {
    "prompt_sha256": "the prompt",
    "schema_sha256": "the vocabulary",
    "said_sha256": "what is said when asking again",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One saved exchange and its file. `recorded` is a date, YYYY-MM-DD."""

    request: ModelRequest
    response: dict[str, Any]
    recorded: str
    title: str
    path: Path

    def reworded(self, request: ModelRequest) -> list[str]:
        """The texts whose wording in this request differs from the recorded one: "the prompt", "the vocabulary"."""
        return [words for name, words in _WORDINGS.items() if self.request.texts[name] != request.texts[name]]


@dataclass(frozen=True, slots=True)
class Reworded:
    """How many recordings were made with another wording of a text, and between which dates."""

    text: str
    count: int
    first: str
    last: str

    def __str__(self) -> str:
        dates = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.count} recorded with another wording of {self.text} ({dates})"


def _today(recording: Recording) -> ModelRequest:
    """What would be asked today in the form of a recording."""
    return ModelRequest.first("", "", recording.request.form)


class Recordings:
    """All recordings in some folders and below them, the user's own first. Folders that do not exist hold none.

    Of several for the same request, one in the same words comes first, then the newest of the first folder.
    `strays`: JSON files there that are not recordings. They are skipped, and named where it matters.
    """

    def __init__(self, folders: Iterable[Path]):
        found = [pair for folder in folders for pair in _newest_first(folder)]
        self._all = [recording for _, recording in found if recording is not None]
        self.strays = [path for path, recording in found if recording is None]
        self._by_key: dict[str, list[Recording]] = {}
        self._in_any_mode: dict[str, list[Recording]] = {}
        for recording in self._all:
            request = recording.request
            self._by_key.setdefault(request.recording_key, []).append(recording)
            self._in_any_mode.setdefault(replace(request, mode="").recording_key, []).append(recording)

    @classmethod
    def available(cls, own: Path) -> Recordings:
        """The user's own and those that come with the program."""
        return cls((own, shipped_recordings()))

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self._all)

    def outdated(self) -> list[Recording]:
        """Recordings of another version of prompt or vocabulary, which are no longer used."""
        return [r for r in self._all if r.request.versions != _today(r).versions]

    def reworded(self) -> list[Reworded]:
        """Recordings that are used but were made with another wording of the prompt or of the vocabulary."""
        outdated = {recording.path for recording in self.outdated()}
        found = []
        for text in ("prompt_sha256", "schema_sha256"):
            dates = sorted(
                r.recorded
                for r in self._all
                if r.path not in outdated and r.request.texts[text] != _today(r).texts[text]
            )
            if dates:
                found.append(Reworded(_WORDINGS[text], len(dates), dates[0], dates[-1]))
        return found

    def find(self, request: ModelRequest) -> Recording | None:
        """The recording of a request: in its own mode, else in any other."""
        same = self._by_key.get(request.recording_key, [])
        if not same:
            same = self._in_any_mode.get(replace(request, mode="").recording_key, [])
        return min(same, key=lambda recording: bool(recording.reworded(request)), default=None)

    def models_for(self, request: ModelRequest) -> list[str]:
        """The models whose answers to this request are recorded, in any mode and whatever model it names, newest
        first."""
        any_model = {"model": "", "mode": ""}
        asked = {**request.asked, **any_model}
        same = [r for r in self._all if {**r.request.asked, **any_model} == asked]
        same.sort(key=lambda recording: recording.recorded, reverse=True)
        return list(dict.fromkeys(recording.request.model for recording in same))

    def missing(self, request: ModelRequest) -> MissingRecording:
        """Make the error for a request that is not recorded: it names the nearest recording and what differs."""
        if request.purpose == "verify":
            return MissingRecording(
                "no second look at these values is recorded; record one with: pitch record FILE --model recorded "
                "--verify provider/name"
            )
        record_it = "record it with: pitch record FILE --model provider/name"
        if self.strays:
            more = f" and {len(self.strays) - 1} more" if len(self.strays) > 1 else ""
            record_it += f" ({self.strays[0].name}{more} is not a recording and was skipped)"
        readings = [recording for recording in self._all if recording.request.purpose == request.purpose]
        if not readings:
            return MissingRecording(f"there are no recordings yet; {record_it}")
        differences, nearest = min(
            ((_differences(recording.request, request), recording) for recording in readings),
            key=lambda pair: (pair[1].request.pitch_sha256 != request.pitch_sha256, len(pair[0])),
        )
        return MissingRecording(
            f"no recorded answer fits this request; the nearest is {nearest.path.name} ({nearest.title!r}, "
            f"{nearest.recorded}), which differs in {', '.join(differences)}.\nChoose another --model, or {record_it}"
        )


_played: ContextVar[list[tuple[Recording, ModelRequest]]] = ContextVar("_played")


@contextmanager
def noting_played() -> Iterator[list[tuple[Recording, ModelRequest]]]:
    """Collect the recordings that are replayed inside, each with the request it answered."""
    token = _played.set([])
    try:
        yield _played.get()
    finally:
        _played.reset(token)


def as_recorded(reading: Reading, played: Sequence[tuple[Recording, ModelRequest]]) -> Reading:
    """A replayed reading with the fingerprints of the texts that its first answer was recorded for, and a warning if
    the wording for any of its answers differs from today's."""
    warning = reworded_warning(played)
    if warning is None:
        return reading
    first = played[0][0].request
    texts = {"prompt_sha256": first.prompt_sha256, "schema_sha256": first.schema_sha256}
    return replace(reading, reader=reading.reader.model_copy(update=texts), warnings=(*reading.warnings, warning))


def reworded_warning(played: Sequence[tuple[Recording, ModelRequest]]) -> Warning | None:
    """The warning that some of these answers were recorded for another wording than today's; None if none was."""
    words = list(dict.fromkeys(text for recording, request in played for text in recording.reworded(request)))
    if not words:
        return None
    second = "The second look was recorded" if played[0][1].purpose == "verify" else "Recorded"
    message = (
        f"{second} on {played[0][0].recorded} with another wording of {joined(words)}. What is asked means the same; "
        "record it again to see what today's wording gives."
    )
    return Warning(kind="reworded", message=message)


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers requests from recordings; never reaches a network. Raises MissingRecording."""

    def __init__(self, recordings: Recordings):
        self._recordings = recordings

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wanted = current_request.get()
        recording = self._recordings.find(wanted)
        if recording is None:
            raise self._recordings.missing(wanted)
        if (played := _played.get(None)) is not None:
            played.append((recording, wanted))
        return httpx.Response(200, json=recording.response, request=request)


class Recorder:
    """Saves each successful answer as a file before it is used: a response hook of the HTTP client (not of instructor,
    whose hooks swallow errors). Raises OutputError if nothing can be written in the folder.

    `again`: whether it is also asked for what is in the folder, in the same words. `mode`: "" = an answer in any mode
    counts as recorded.
    """

    def __init__(self, folder: Path, secrets: Sequence[str] = (), *, again: bool = False, mode: str = ""):
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot write recordings there: {reason(error)}") from error
        check_writable(folder / "recording.json", "a recording")
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        self.titles: dict[str, str] = {}
        """The title of each pitch to be read, by its fingerprint."""
        self.written: list[Path] = []
        self.skipped = 0
        """Answers that were there already."""
        self._there = None if again else Recordings([folder])
        self._mode = mode

    def recorded(self, request: httpx.Request) -> httpx.Response | None:
        """The recorded response to what is asked now; None if it has to be asked."""
        wanted = current_request.get(None)
        if self._there is None or wanted is None:
            return None
        found = self._there.find(wanted)
        if found is None or found.reworded(wanted) or (self._mode and found.request.mode != self._mode):
            return None
        self.skipped += 1
        return httpx.Response(200, json=found.response, request=request)

    async def keep(self, response: httpx.Response) -> None:
        request = current_request.get(None)
        if response.status_code != 200 or request is None:
            return
        await response.aread()
        try:
            body = response.json()
        except ValueError:
            return
        if not isinstance(body, dict):
            return
        title = self.titles.get(request.pitch_sha256, "")
        document = {
            "recorded": datetime.now(UTC).strftime("%Y-%m-%d"),
            "title": title,
            "request": request.asked,
            "texts": request.texts,
            "response": {name: body[name] for name in _KEPT if name in body},
        }
        text = json.dumps(document, indent=1, ensure_ascii=False)
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        path = self._folder / f"{_slug(title)}-{request.recording_key[:8]}.json"
        write_whole(path, text + "\n")
        self.written.append(path)


class RecordingClient(httpx.AsyncClient):
    """An HTTP client that asks only for what is not recorded yet, and has the answers recorded."""

    def __init__(self, recorder: Recorder, **options: Any):
        super().__init__(**options)
        self._recorder = recorder

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The recorded response, else the server's."""
        return self._recorder.recorded(request) or await super().send(request, **options)


def shipped_recordings() -> Path:
    """The folder of recordings that come with the program."""
    return resource("fixtures") / "recordings"


def _load(path: Path) -> Recording | None:
    """The recording in a file; None if the file is not one."""
    try:
        found = path.stat()
        return _loaded(path, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except OSError:
        return None


@lru_cache(maxsize=_REMEMBERED)
def _loaded(path: Path, version: tuple[int, ...]) -> Recording | None:
    """The recording in this version of a file. Raises OSError, which is not remembered."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        request, response = ModelRequest(**document["request"], **document["texts"]), dict(document["response"])
        return Recording(request, response, str(document["recorded"]), str(document["title"]), path)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _newest_first(folder: Path) -> list[tuple[Path, Recording | None]]:
    found = [(path, _load(path)) for path in sorted(folder.rglob("*.json"))]
    return sorted(found, key=lambda pair: pair[1].recorded if pair[1] else "", reverse=True)


def _differences(recorded: ModelRequest, wanted: ModelRequest) -> list[str]:
    """What is asked otherwise, in words: "the model (openai/a, not openai/b)"."""
    differences = []
    for name, words in _DIFFERENCES.items():
        one, other = getattr(recorded, name), getattr(wanted, name)
        if one != other and not (name == "model" and other == ANY_MODEL):
            differences.append(words if name.endswith("sha256") else f"{words} ({one}, not {other})")
    return differences


def _slug(title: str) -> str:
    words = re.findall(r"[a-z0-9]+", title.split(":")[0].lower())
    return "-".join(words)[:40].strip("-") or "pitch"
