"""What the protocols of batches share: one client, attempts, errors, and files of results on this computer's disk."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, Any, Final, TypeVar, cast

import httpx
import openai
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from analyzer.errors import (
    ConfigurationError,
    ModelNotFound,
    ProviderError,
    ProviderRejected,
    ProviderUnreachable,
    RateLimited,
)
from analyzer.reading.clients import key_for, stay_at_origin
from analyzer.reading.profiles import Batches, Profile
from analyzer.reading.provider_errors import error_of
from analyzer.settings import Settings

T = TypeVar("T")
_ATTEMPTS: Final = 4


class BatchTransport:
    """What both protocols share."""

    def __init__(self, model: str, settings: Settings, profile: Profile, pause: Callable[[float], None]):
        self._key = key_for(model, settings)
        self._pause = pause
        self.batches = cast(Batches, profile.batches)
        self._http = _client(settings.timeout)

    def patiently(self, work: Callable[[], T]) -> T:
        """The result of work that may be repeated; a server that fails for a moment does not matter."""
        again = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=1, max=20),
            sleep=self._pause,
            reraise=True,
        )
        return again(lambda: self._once(work))

    def _once(self, work: Callable[[], T]) -> T:
        try:
            with mapped():
                return work()
        except ModelNotFound as error:
            raise BatchNotFound(f"{error}") from error

    def lines(self, write: Callable[[IO[bytes]], None]) -> Iterator[Any]:
        """The documents in a file of results; None for a line that is not one."""

        def download() -> IO[bytes]:
            file = temporary_file()
            try:
                write(file)
                with on_temporary_disk():
                    file.flush()
            except BaseException:
                with suppress(OSError):
                    file.close()
                raise
            file.seek(0)
            return file

        with self.patiently(download) as file:
            for line in _unpacked(file):
                if line is None or line.strip():
                    yield _document(line)


def _unpacked(file: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of a file, which may be compressed; None where that breaks off."""
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not is_packed:
        yield from file
        return
    try:
        yield from gzip.GzipFile(fileobj=file)
    except (OSError, EOFError, zlib.error):
        yield None


def _document(line: bytes | None) -> dict[str, Any] | None:
    """The document in a line; None if there is none."""
    try:
        document = None if line is None else json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def temporary_file() -> IO[bytes]:
    """A file that is gone when it is closed. Raises ConfigurationError."""
    with on_temporary_disk():
        return tempfile.TemporaryFile()


@contextmanager
def on_temporary_disk() -> Iterator[None]:
    """Say what cannot be written on the computer's own disk: nothing that a server is asked about again."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"a temporary file cannot be written: {error.strerror or type(error).__name__}; free space in "
            f"{_temporary_folder()}, or set TMPDIR to another folder"
        ) from error


def _temporary_folder() -> str:
    with suppress(OSError):
        return tempfile.gettempdir()
    return "the folder for temporary files"


@cache
def _client(timeout: float) -> httpx.Client:
    """One client for all services: to load the certificates takes longer than most requests."""
    times = httpx.Timeout(timeout, connect=min(10.0, timeout), pool=None)
    return httpx.Client(timeout=times, follow_redirects=True, event_hooks={"response": [stay_at_origin]})


def write_part(into: IO[bytes], part: bytes) -> None:
    """Write a part of a download. Raises ConfigurationError if the disk has no room for it."""
    with on_temporary_disk():
        into.write(part)


class BatchNotFound(ProviderRejected):
    """The provider does not know a batch, or a file."""


class NeverConnected(ProviderUnreachable):
    """No connection came about, so nothing was carried out."""


@contextmanager
def mapped() -> Iterator[None]:
    """Raise this program's errors for what a server, a connection or an SDK does."""
    try:
        yield
    except (
        openai.OpenAIError,
        httpx.HTTPError,
        RefusedRequest,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        known = error_of(error)
        if isinstance(known, ProviderError) and _never_connected(error):
            known = NeverConnected(f"{known}")
        raise known from error


def _never_connected(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return True
        error = error.__cause__ or error.__context__
    return False


class RefusedRequest(Exception):
    """An answer of Anthropic's API that is an error."""

    def __init__(self, response: httpx.Response):
        super().__init__(f"HTTP {response.status_code}")
        self.status_code = response.status_code
        self.response = response
        try:
            self.body: object = response.json()
        except ValueError:
            self.body = None


def is_uncertain(error: Exception) -> bool:
    """Whether a request that failed like this may have been carried out all the same."""
    return isinstance(error, ProviderError) and not isinstance(error, ProviderRejected | RateLimited | NeverConnected)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ProviderError) and not isinstance(error, ProviderRejected)
