"""How this program writes files: whole or not at all, and never in silence; and how it reads lines of any length.

Hidden here: temporary names that no two runs share, links that stay links, and what the system's errors mean to the
person who named the file.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from analyzer.errors import OutputError

_REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EFBIG: "it would be larger than files may be there",
    errno.EMFILE: "this program has too many open files (ulimit -n)",
    errno.ENFILE: "the system has too many open files",
    errno.ENOMEM: "the system is out of memory",
    errno.EIO: "the disk reports an error",
}
LONGEST_LINE: Final = 10_000_000
"""Bytes of a line that are read; a longer one is skipped piece by piece."""
TOO_LONG: Final = f"this line has more than {LONGEST_LINE / 1e6:.0f} MB"
_OTHER_FILES: Final = 40
"""Files that a run holds open beside its connections: the store, inputs, outputs, modules being loaded."""


def read_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file; None for one longer than LONGEST_LINE, so that memory stays small whatever comes."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield None


def check_writable(path: Path, what: str, endings: tuple[str, ...] = (), inputs: Iterable[Path] = ()) -> None:
    """Checks that a file can be written, before anything is paid for; leaves what is there as it is.

    `what` names the file in the message ("a report"). Raises OutputError if the ending is not one of `endings`, the
    file is one of `inputs`, or the folder cannot take it.
    """
    if endings and path.suffix.lower() not in endings:
        raise OutputError(f"{path}: {what} ends in {_either(endings)}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file for {what}")
    target = _target(path)
    if not target.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it or name another")
    if target.exists():
        if not target.is_file():
            raise OutputError(f"{path} is not an ordinary file; name another for {what}")
        if any(_same(target, source) for source in inputs):
            raise OutputError(f"{path} is one of the inputs; name another file for {what}")
        if not os.access(target, os.W_OK):
            raise OutputError(f"{path} is write-protected; name another file for {what}")
    trial = _temporary(target)
    try:
        with trial.open("xb") as file:
            file.write(b"\n")
    except OSError as error:
        raise failed(path, error) from error
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def check_distinct(paths: Iterable[Path | None]) -> None:
    """Raises OutputError if two of the files to be written are the same."""
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if _target(path) in seen:
            raise OutputError(f"{path} is named for two outputs; name another file for one of them")
        seen.add(_target(path))


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all, text as UTF-8. Raises OutputError."""
    target = _target(path)
    partial = _temporary(target)
    try:
        with partial.open("xb") as file:
            file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)
        partial.replace(target)
    except OSError as error:
        raise failed(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def failed(path: Path, error: OSError) -> OutputError:
    """What to tell about a file that could not be written."""
    return OutputError(f"{path} cannot be written: {reason(error)}")


def reason(error: OSError) -> str:
    """What an error of the system means: "the disk is full"."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__


@contextmanager
def open_whole(path: Path) -> Iterator[GrowingFile]:
    """A file to be written piece by piece, which takes its name when all went well. Raises OutputError."""
    target = _target(path)
    try:
        file = GrowingFile(_temporary(target), path)
    except OSError as error:
        raise failed(path, error) from error
    try:
        with file:
            yield file
        file.path.replace(target)
    except OSError as error:
        raise failed(path, error) from error
    finally:
        with suppress(OSError):
            file.path.unlink(missing_ok=True)


def connections_at_once(wanted: int) -> int:
    """How many of the wanted connections the system lets this process hold open (`ulimit -n`), at least one.

    Raises the process's own limit as far as the system allows.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(wanted, soft - _OTHER_FILES))
    return wanted


class GrowingFile(io.FileIO):
    """A new file that grows by whole pieces: a piece that does not fit leaves no part of itself."""

    def __init__(self, path: Path, shown: Path | None = None):
        """`shown`: the name in error messages. Raises OSError, FileExistsError if there is such a file."""
        super().__init__(path, "x+")
        self.path = path
        self._shown = shown or path
        self._own = os.fstat(self.fileno())

    def write(self, piece: Any) -> int:
        """Appends all of the piece, or nothing and raises OutputError."""
        end = self.tell()
        view = memoryview(piece).cast("B")
        written = 0
        try:
            while written < len(view):
                written += super().write(view[written:]) or 0
        except OSError as error:
            with suppress(OSError):
                self.truncate(end)
                self.seek(end)
            raise failed(self._shown, error) from error
        return written

    @property
    def in_place(self) -> bool:
        """Whether the file is still where it was made, and not deleted or replaced."""
        try:
            return os.path.samestat(self._own, self.path.stat())
        except OSError:
            return False


def _target(path: Path) -> Path:
    """The file behind a path: what a link points to is written, and the link stays."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return path.absolute()


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _temporary(target: Path) -> Path:
    import secrets  # slow to load, and needed where something is written

    return target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.partial")


def _either(endings: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
