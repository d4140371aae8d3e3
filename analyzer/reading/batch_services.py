"""Batches at a provider: sent, found, watched, collected and cancelled, in OpenAI's protocol and in Anthropic's.

Hidden here: files, addresses, words for states, and what a line of results looks like. Nothing is decided: what comes
of a request is an `Outcome`, an error is one of `analyzer.errors`. Reading and polling is tried again for a moment;
creating a batch never is, because a request that failed may have created it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final, Literal, Protocol, cast
from urllib.parse import quote

import httpx
import openai

from analyzer.errors import ConfigurationError
from analyzer.reading.batch_transport import BatchTransport, RefusedRequest, mapped, write_part
from analyzer.reading.clients import split_model
from analyzer.reading.profiles import Batches, Profile, base_url, profile_of
from analyzer.reading.provider_errors import garbled
from analyzer.settings import Settings, anthropic_url
from analyzer.store.batches import Outcome

_NAME: Final = "pitch_analyzer_batch"
"""The key of our id in the metadata of a batch."""
_PAGE: Final = 100
_MOST_PAGES: Final = 200
_CLOCKS_DIFFER: Final = 600.0
"""Seconds by which a provider's clock may differ from ours."""


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch as its provider sees it. `ended`: how it ended; empty while it goes on. `refused`: why it was not begun,
    in short words of the provider. `done`: how many requests have a reply, `total`: of how many. `files`: where results
    are."""

    id: str
    ended: Literal["", "completed", "expired", "cancelled", "refused"] = ""
    refused: str = ""
    done: int = 0
    total: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A batch that may be the one that was looked for. `certain`: whether it is."""

    remote: RemoteBatch
    certain: bool


class BatchService(Protocol):
    """A provider that takes batches for one model. Every method raises ProviderError or ConfigurationError."""

    batches: Batches

    def line(self, key: str, endpoint: str, body: Mapping[str, Any]) -> bytes:
        """One request as a line of the file that is sent."""
        ...

    def upload(self, file: IO[bytes], name: str) -> str:
        """Send the file of requests, if the protocol sends it before the batch is created; its id, or empty."""
        ...

    def create(self, name: str, endpoint: str, upload: str, file: IO[bytes]) -> RemoteBatch:
        """Create the batch; tried once."""
        ...

    def find(self, name: str, upload: str, since: datetime, requests: int) -> list[Found]:
        """The batches that may be the one that `create` was called for, created since then."""
        ...

    def get(self, remote: str) -> RemoteBatch:
        """The batch as it is now."""
        ...

    def results(self, batch: RemoteBatch) -> Generator[Outcome | None, None, None]:
        """What came of each request, in any order; None for a line that cannot be read."""
        ...

    def cancel(self, remote: str) -> None:
        """End the batch; what is done by then stays."""
        ...


def batches_of(model: str, settings: Settings) -> Batches:
    """What is known of the batches of a model's server. Raises ConfigurationError if it has none."""
    split_model(model)
    profile = profile_of(model.strip(), settings)
    if profile.batches is None:
        raise ConfigurationError(
            f"{model}: no way to send batches to this server is known ({profile.title}); run without --batch, or "
            "describe its batches in a profile of your own (PITCH_PROFILES)"
        )
    return profile.batches


def service_for(model: str, settings: Settings, pause: Callable[[float], None] = time.sleep) -> BatchService:
    """The provider of a model's batches. `pause` waits between attempts. Raises ConfigurationError."""
    batches_of(model, settings)
    profile = profile_of(model.strip(), settings)
    kind = _AnthropicBatches if profile.batches and profile.batches.protocol == "anthropic" else _OpenAIBatches
    return kind(model.strip(), settings, profile, pause)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


# ---------------------------------------------------------------- OpenAI


QUEUE_FULL: Final = "token_limit_exceeded"
"""The reason of a batch that was refused because too many tokens of a model wait already, also where it has none."""
_ENDS: Final[Mapping[str, Any]] = {
    "failed": "refused",
    "completed": "completed",
    "expired": "expired",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
"""How a batch with this status ended; with any other it goes on."""


class _OpenAIBatches(BatchTransport):
    """OpenAI's files and batches, which other makers serve too."""

    def __init__(self, model: str, settings: Settings, profile: Profile, pause: Callable[[float], None]):
        super().__init__(model, settings, profile, pause)
        self._sdk = openai.OpenAI(
            api_key=self._key,
            base_url=base_url(model, settings) or None,
            max_retries=0,
            http_client=cast(Any, self._http),  # typed as httpx2; httpx serves both
        )

    def line(self, key: str, endpoint: str, body: Mapping[str, Any]) -> bytes:
        request = {"custom_id": key, "method": "POST", "url": f"/v1{endpoint}", "body": body}
        return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"

    def upload(self, file: IO[bytes], name: str) -> str:
        def send() -> str:
            file.seek(0)
            made = self._sdk.files.create(file=(f"{name}.jsonl", file, "application/jsonl"), purpose="batch")
            if not _text(getattr(made, "id", None)):
                raise garbled()
            return made.id

        return self.patiently(send)  # a file that arrived twice costs nothing

    def create(self, name: str, endpoint: str, upload: str, file: IO[bytes]) -> RemoteBatch:
        with mapped():
            return self._read(
                self._sdk.batches.create(
                    input_file_id=upload,
                    endpoint=cast(Any, f"/v1{endpoint}"),
                    completion_window=cast(Any, f"{self.batches.hours}h"),
                    metadata={_NAME: name},
                )
            )

    def find(self, name: str, upload: str, since: datetime, requests: int) -> list[Found]:
        for batch in self.patiently(lambda: list(self._since(since.timestamp() - _CLOCKS_DIFFER))):
            ours = _as_mapping(getattr(batch, "metadata", None)).get(_NAME) == name
            if ours or (upload and getattr(batch, "input_file_id", None) == upload):
                return [Found(self._read(batch), certain=True)]
        return []

    def _since(self, moment: float) -> Iterator[Any]:
        """The batches from the newest on, of all pages that hold younger ones."""
        after: Any = openai.NOT_GIVEN
        for _ in range(_MOST_PAGES):
            page = self._sdk.batches.list(limit=_PAGE, after=after)
            entries = list(page.data or ())
            yield from entries
            last = entries[-1] if entries else None
            if last is None or not page.has_more or _number(last.created_at) < moment:
                return
            after = last.id

    def get(self, remote: str) -> RemoteBatch:
        return self.patiently(lambda: self._read(self._sdk.batches.retrieve(remote)))

    def results(self, batch: RemoteBatch) -> Generator[Outcome | None, None, None]:
        for file in batch.files:
            for document in self.lines(lambda into, file=file: self._download(file, into)):  # type: ignore[misc]
                yield None if document is None else _openai_outcome(document)

    def _download(self, id_: str, into: IO[bytes]) -> None:
        with self._sdk.files.with_streaming_response.content(id_) as response:
            for part in response.iter_bytes():
                write_part(into, part)

    def cancel(self, remote: str) -> None:
        self.patiently(lambda: self._sdk.batches.cancel(remote))

    def _read(self, batch: Any) -> RemoteBatch:
        id_, status = _text(getattr(batch, "id", None)), _text(getattr(batch, "status", None))
        if not id_:
            raise garbled()
        counts = getattr(batch, "request_counts", None)
        errors = getattr(getattr(batch, "errors", None), "data", None) or ()
        codes = sorted({code for error in errors if (code := _reason(error))})
        files = (_text(getattr(batch, name, None)) for name in ("output_file_id", "error_file_id"))
        return RemoteBatch(
            id_,
            _ENDS.get(status.lower(), ""),
            refused=", ".join(codes[:3]),
            done=_number(getattr(counts, "completed", None)),
            total=_number(getattr(counts, "total", None)),
            files=tuple(filter(None, files)),
        )


def _reason(error: Any) -> str:
    """Why a batch was not begun, in a short word."""
    full = "enqueued token" in _text(getattr(error, "message", None)).lower()
    return QUEUE_FULL if full else _text(getattr(error, "code", None))


def _status(value: object) -> int:
    return int(value) if isinstance(value, str) and re.fullmatch("[1-5][0-9][0-9]", value) else _number(value)


def _openai_outcome(document: Mapping[str, Any]) -> Outcome | None:
    key = document.get("custom_id")
    if not isinstance(key, str):
        return None
    response, error = _as_mapping(document.get("response")), _as_mapping(document.get("error"))
    status, body = _status(response.get("status_code")), response.get("body")
    if isinstance(body, str):
        with suppress(ValueError, RecursionError):
            body = json.loads(body)
    code = error.get("code")
    if code == "batch_expired":
        return Outcome(key, "expired")
    if code == "batch_cancelled":
        return Outcome(key, "cancelled")
    if status == httpx.codes.OK and isinstance(body, Mapping):
        return Outcome(key, "replied", status, body)
    return Outcome(
        key,
        "failed",
        status if 300 <= status < 600 else None,
        body if isinstance(body, Mapping) else {"error": dict(error)},
    )


# ---------------------------------------------------------------- Anthropic


_VERSION: Final = "2023-06-01"
_STATUS_OF: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status of each of Anthropic's kinds of error; results of batches have only the kind."""


class _AnthropicBatches(BatchTransport):
    """Anthropic's message batches. A batch has no place for a name of ours: one that may have been created is found by
    its time and size, and known by the ids in its results."""

    def __init__(self, model: str, settings: Settings, profile: Profile, pause: Callable[[float], None]):
        super().__init__(model, settings, profile, pause)
        url = profile.url or anthropic_url() or "https://api.anthropic.com"
        self._url = f"{url.rstrip('/').removesuffix('/v1')}/v1/messages/batches"

    def line(self, key: str, endpoint: str, body: Mapping[str, Any]) -> bytes:
        request = {"custom_id": key, "params": body}
        return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"

    def upload(self, file: IO[bytes], name: str) -> str:
        return ""

    def create(self, name: str, endpoint: str, upload: str, file: IO[bytes]) -> RemoteBatch:
        with mapped():
            size = {"content-length": str(sum(map(len, _as_one_document(file))))}
            return self._read(self._call("POST", "", size, content=_as_one_document(file)))

    def find(self, name: str, upload: str, since: datetime, requests: int) -> list[Found]:
        earliest = since.timestamp() - _CLOCKS_DIFFER
        found = []
        for batch in self.patiently(lambda: list(self._since(earliest))):
            if _moment(batch.get("created_at")) >= earliest and self._read(batch).total == requests:
                found.append(Found(self._read(batch), certain=False))
        return found

    def _since(self, moment: float) -> Iterator[Mapping[str, Any]]:
        after = ""
        for _ in range(_MOST_PAGES):
            page = self._call("GET", f"?limit={_PAGE}{f'&after_id={quote(after)}' if after else ''}")
            entries = [_as_mapping(entry) for entry in page.get("data") or ()]
            yield from entries
            if not entries or not page.get("has_more") or _moment(entries[-1].get("created_at")) < moment:
                return
            after = _text(entries[-1].get("id"))

    def get(self, remote: str) -> RemoteBatch:
        return self.patiently(lambda: self._read(self._call("GET", f"/{quote(remote)}")))

    def results(self, batch: RemoteBatch) -> Generator[Outcome | None, None, None]:
        for document in self.lines(lambda into: self._download(batch.id, into)):
            yield None if document is None else _anthropic_outcome(document)

    def _download(self, remote: str, into: IO[bytes]) -> None:
        with self._http.stream("GET", f"{self._url}/{quote(remote)}/results", headers=self._headers()) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise RefusedRequest(response)
            for part in response.iter_bytes():
                write_part(into, part)

    def cancel(self, remote: str) -> None:
        self.patiently(lambda: self._call("POST", f"/{quote(remote)}/cancel"))

    def _call(self, method: str, path: str, more: Mapping[str, str] | None = None, **content: Any) -> Mapping[str, Any]:
        headers = {**self._headers(), **(more or {})}
        response = self._http.request(method, f"{self._url}{path}", headers=headers, **content)
        if response.status_code != httpx.codes.OK:
            raise RefusedRequest(response)
        document = response.json()
        if not isinstance(document, dict):
            raise garbled()
        return document

    def _headers(self) -> dict[str, str]:
        return {"x-api-key": self._key, "anthropic-version": _VERSION, "content-type": "application/json"}

    def _read(self, batch: Mapping[str, Any]) -> RemoteBatch:
        id_ = _text(batch.get("id"))
        if not id_:
            raise garbled()
        counts = _as_mapping(batch.get("request_counts"))
        kinds = ("processing", "succeeded", "errored", "canceled", "expired")
        number = {kind: _number(counts.get(kind)) for kind in kinds}
        ended = batch.get("processing_status") == "ended"
        how = "expired" if number["expired"] else "cancelled" if number["canceled"] else "completed"
        return RemoteBatch(
            id_,
            cast(Any, how if ended else ""),
            done=number["succeeded"],
            total=sum(number.values()),
            files=(id_,) if ended else (),
        )


def _as_one_document(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file as the body of one request, a line at a time: a batch may have 256 MB."""
    file.seek(0)
    yield b'{"requests":['
    before = b""
    for line in file:
        yield before + line.rstrip(b"\n")
        before = b","
    yield b"]}"


def _anthropic_outcome(document: Mapping[str, Any]) -> Outcome | None:
    key, result = document.get("custom_id"), _as_mapping(document.get("result"))
    if not isinstance(key, str):
        return None
    kind, message = result.get("type"), result.get("message")
    if kind == "succeeded" and isinstance(message, Mapping):
        return Outcome(key, "replied", 200, message)
    if kind == "expired":
        return Outcome(key, "expired")
    if kind == "canceled":
        return Outcome(key, "cancelled")
    error = _as_mapping(result.get("error"))
    named = _text(_as_mapping(error.get("error")).get("type")) or _text(error.get("type"))
    return Outcome(key, "failed", _STATUS_OF.get(named), dict(error))


def _moment(text: object) -> float:
    """Seconds since 1970; 0 for a time that cannot be read."""
    try:
        return datetime.fromisoformat(_text(text)).timestamp()
    except ValueError:
        return 0.0
