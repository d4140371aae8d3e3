"""Loads what a command names: a pitch, a rulebook, a market map."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.screen import note
from analyzer.settings import Settings

if TYPE_CHECKING:
    from analyzer.files.document import Document
    from analyzer.framework.market import MarketMap
    from analyzer.framework.rulebook import Rulebook
    from analyzer.reading.pitch import Pitch


def load_pitch(source: str, notes_too: bool = False) -> Pitch:
    """The pitch in a file, or on standard input for "-"; `notes_too`: with speaker notes and the like. Says what was
    read of a file, and what was not. Raises InputError, DocumentError or PitchError."""
    from analyzer.files.documents import MAX_BYTES, read_document, read_file
    from analyzer.files.listing import TABLES, spelled
    from analyzer.reading.pitch import Pitch

    if source == "-":
        if sys.stdin.isatty():
            note("Paste the pitch, then end with Ctrl-D (Windows: Ctrl-Z, Enter).")
        typed = read_document("standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
        return Pitch.from_text(typed.text)
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{source} is a folder; to read every pitch in it: pitch bulk {source} -o OUT.jsonl")
    if path.suffix.lower() in TABLES:
        raise InputError(f"{source} is a table of pitches; to read every row: pitch bulk {source} -o OUT.jsonl")
    document = read_file(path)
    if notes_too:
        document = document.including_asides()
    note_what_was_read(document)
    if document.has_asides and not notes_too:
        note("To include what was left out of notes, comments and earlier messages: --notes")
    return Pitch.from_document(document, spelled(path.stem))


def note_what_was_read(document: Document) -> None:
    """Say what was read of a file, and what was not."""
    for each in document.all:
        if summary := " ".join(each.summary()):
            note(f"{each.title}: {summary}")


def load_rulebook(path: Path | None) -> Rulebook:
    """The rulebook in a file; for None the one that is configured, else the built-in one. Raises RulebookError."""
    from analyzer.framework.rulebook import Rulebook

    path = path or Settings.from_environment().rulebook
    return Rulebook.load(path) if path else Rulebook.built_in()


def load_market(path: Path | None) -> MarketMap:
    """The market map in a file; for None the one that is configured, else the built-in one. Raises MarketError."""
    from analyzer.framework.market import MarketMap

    path = path or Settings.from_environment().market
    return MarketMap.load(path) if path else MarketMap.built_in()
