"""Excel workbooks as rows of cells. A workbook is read in a process of its own, within its limits, as documents are."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import BinaryIO, Final

from analyzer.errors import ConfigurationError, InputError
from analyzer.files.disk import reason
from analyzer.files.reader_worker import DocumentLimits, Worker
from analyzer.resources import install_command

_MOST_BYTES: Final = 50_000_000
_MOST_CHARACTERS: Final = 15_000_000
_LIMITS: Final = DocumentLimits(characters=_MOST_CHARACTERS)
_AT_ONCE: Final = 2
"""Workbooks that this process has read at the same time, so that many visitors cannot take all its memory."""
_CSV: Final = "save the table as CSV UTF-8, which may have any length"
_places = BoundedSemaphore(_AT_ONCE)


def _forget() -> None:
    """In a forked process nobody else reads, whatever its parent's threads were doing."""
    global _places
    _places = BoundedSemaphore(_AT_ONCE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """The rows of one sheet, cells as text. `notes`: what was left out."""

    rows: list[list[str]]
    notes: tuple[str, ...] = ()


def read_workbook(name: str, file: BinaryIO, limits: DocumentLimits = _LIMITS) -> WorkbookSheet:
    """The first visible sheet that holds anything.

    Raises InputError if the workbook cannot be read within the limits, ConfigurationError if its reader is missing.
    """
    data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(f"{name} has more than {_MOST_BYTES // 1_000_000} MB; {_CSV}")
    try:
        with _places:
            worker = Worker()
            try:
                answer = worker.read(".xlsx", data, limits, None)
            finally:
                worker.close()
    except OSError as error:
        raise InputError(
            f"{name} cannot be read now, as no process can be started ({reason(error)}); {_CSV}"
        ) from error
    if answer.problem == "package":
        raise ConfigurationError(
            f"reading {name} needs a package that is not installed: {install_command('documents')}"
        )
    if answer.problem is not None or answer.found is None:
        reasons = {
            "document": answer.reason,
            "characters": f"has more than {limits.characters:,} characters (stopped at {answer.reason}); {_CSV}",
            "memory": f"takes more than {limits.memory / 1e6:.0f} MB of memory to read; {_CSV}",
            "seconds": f"takes more than {limits.seconds:g} seconds to read; {_CSV}",
            "wait": f"was not read within {limits.wait:g} seconds; {_CSV}",
        }
        raise InputError(f"{name} {reasons.get(answer.problem or '', f'made its reader break off; {_CSV}')}")
    head, *lines = answer.found["lines"].split("\n")
    sheets = json.loads(head)
    notes: tuple[str, ...] = ()
    if others := sheets["others"]:
        shown = ", ".join(str(other)[:40] for other in others[:5])
        notes = (f"Only the sheet {sheets['sheet'][:40]!r} is read, not: {shown}.",)
    return WorkbookSheet([json.loads(line) for line in lines], notes)
