"""Which files a run reads: the named ones, all below named folders, patterns; each once, and what was left out.

Hidden here: links that lead out of a folder are not followed, documents of one name get ids of their own.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from analyzer.errors import InputError
from analyzer.files.disk import reason
from analyzer.files.documents import SUFFIXES
from analyzer.files.readers import CLOSED
from analyzer.files.table_bytes import CSV_ENDINGS, JSON_ENDINGS, PARQUET_ENDINGS, WORKBOOK_ENDINGS
from analyzer.screen import printable

TABLES: Final = (*CSV_ENDINGS, *JSON_ENDINGS, *PARQUET_ENDINGS, *WORKBOOK_ENDINGS)
"""Endings of files that hold many pitches, one a row."""
ENDINGS: Final = (*SUFFIXES, *TABLES)
KINDS: Final = ", ".join(ENDINGS)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file to be read; `path` None is standard input. `found`: in a folder or by a pattern, not named itself.

    `error`: why it cannot be read, where that is known already.
    """

    path: Path | None
    id: str
    found: bool = False
    error: str = ""

    @property
    def is_table(self) -> bool:
        return self.path is not None and self.path.suffix.lower() in TABLES


class Listing:
    """The files that names give, each once, and what was left out."""

    def __init__(self) -> None:
        self.files: list[ListedFile] = []
        self.twice = 0
        self._seen: set[str] = set()
        self._other_kinds: Counter[str] = Counter()
        self._links: list[str] = []
        self._pipes = 0

    def take(self, path: Path, found: bool) -> None:
        """Adds a file, or all below a folder. Raises InputError if there is nothing of that name."""
        if path.is_dir():
            self._take_folder(path)
        elif not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
        elif path.suffix and path.suffix.lower() not in ENDINGS:
            if not found and path.suffix.lower() in CLOSED:
                raise InputError(f"{path} is {CLOSED[path.suffix.lower()]}")
            if not found:
                raise InputError(
                    f"{path} is of a kind that cannot be read; use {KINDS} (another spreadsheet: save it as .xlsx)"
                )
            self._leave_out(path)
        elif found and _is_other_json(path):
            self._leave_out(path)
        else:
            self.add(ListedFile(path, spelled(path.stem), found))

    def add(self, file: ListedFile) -> None:
        key = "-" if file.path is None else os.path.realpath(file.path)
        if key in self._seen:
            self.twice += 1
            return
        self._seen.add(key)
        self.files.append(file)

    def name_apart(self) -> None:
        """Gives documents of one id their path as id, with the ending where they differ in nothing else."""
        for ending in (False, True):
            documents = Counter(file.id for file in self.files if not file.is_table)
            for at, file in enumerate(self.files):
                if file.path is not None and not file.is_table and documents[file.id] > 1:
                    longer = file.path if ending else file.path.with_suffix("")
                    self.files[at] = replace(file, id=spelled(longer.as_posix()))

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        notes = []
        if self._other_kinds:
            kinds = [f"{count} {ending or 'without an ending'}" for ending, count in self._other_kinds.most_common(6)]
            kinds += ["…"] if len(self._other_kinds) > 6 else []
            files = _counted(self._other_kinds.total(), "file of another kind was", "files of other kinds were")
            notes.append(f"{files} left out: {', '.join(kinds)}.")
        if self._links:
            links = _counted(len(self._links), "link that leads", "links that lead")
            notes.append(f"{links} out of the folder not followed: {', '.join(self._links[:3])}.")
        if self._pipes:
            notes.append(f"{_counted(self._pipes, 'entry that is', 'entries that are')} not a file left out.")
        if self.twice:
            notes.append(f"{_counted(self.twice, 'file', 'files')} named more than once, read once.")
        return notes

    def _leave_out(self, path: Path) -> None:
        self._other_kinds[path.suffix.lower()] += 1

    def _take_folder(self, folder: Path) -> None:
        def unreadable(error: OSError) -> None:
            path = Path(error.filename or folder)
            fault = f"this folder cannot be read: {reason(error)}"
            self.add(ListedFile(path, spelled(path), True, fault))

        root = os.path.realpath(folder)
        paths: list[Path] = []
        for parent, folders, names in os.walk(folder, onerror=unreadable):
            paths += [Path(parent, name) for name in names]
            paths += [path for name in folders if (path := Path(parent, name)).is_symlink()]
        for path in sorted(paths):
            if path.name.startswith((".", "~$")):
                continue
            if path.is_symlink() and os.path.commonpath([root, os.path.realpath(path)]) != root:
                self._links.append(spelled(path))
            elif path.is_dir():  # a link to a folder whose files are read where they are
                continue
            elif not path.is_file():
                self._pipes += 1
            elif path.suffix.lower() not in ENDINGS or _is_other_json(path):
                self._leave_out(path)
            else:
                self.add(ListedFile(path, spelled(path.relative_to(folder).with_suffix("").as_posix()), found=True))


def _is_other_json(path: Path) -> bool:
    """Whether a .json file holds something else than a list, as settings and results do."""
    if path.suffix.lower() != ".json":
        return False
    try:
        with path.open("rb") as file:
            return file.read(4_096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"["
    except OSError:
        return False


def spelled(name: str | Path) -> str:
    """A file's name as a line of text that every file and screen can take; what is not text in it is spelled out."""
    return printable(str(name)).replace("\n", "\\n").replace("\t", "\\t")


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"
