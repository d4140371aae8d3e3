"""The real texts, rebuilt from clones of the public repositories they come from.

A text is stored as spans of its source file and the few characters between them, so that no text of others is part of
this project. Each is held to its checksum.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
"""Where sources, spans, checksums, manual scores and readings are."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a public repository at one commit. `id`: the pitch id of the text in it."""

    id: str
    repo: str
    commit: str
    path: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The texts by pitch id that equal their checksums, and why the others are missing."""

    texts: dict[str, str]
    faults: tuple[str, ...]


def sources(home: Path = HERE) -> list[Source]:
    """Where each text comes from."""
    return [Source(**{name: row[name] for name in Source.__slots__}) for row in _rows(home / "sources.jsonl")]


def rebuild(clones: Path, home: Path = HERE) -> Rebuilt:
    """Rebuild the texts from a folder with one clone for each repository, named owner+name, owner/name or name.

    A clone may be bare, and may be a folder around one. Runs `git show` and writes nothing. A text whose source is
    missing, or that differs from its checksum, is a fault.
    """
    spans = {row["file"].removesuffix(".txt"): row["ops"] for row in _rows(home / "spans.jsonl")}
    lines = (home / "texts.sha256").read_text(encoding="utf-8").splitlines()
    checksums = {name.removesuffix(".txt"): checksum for checksum, name in map(str.split, lines)}
    texts: dict[str, str] = {}
    faults: list[str] = []
    for source in sources(home):
        found = _source_text(source, clones)
        if found is None:
            where = f"https://github.com/{source.repo}"
            faults.append(f"{source.id}: no clone of {where} in {clones} with commit {source.commit[:12]}")
            continue
        text = _assembled(spans[source.id], found)
        if hashlib.sha256(text.encode()).hexdigest() == checksums[source.id]:
            texts[source.id] = text
        else:
            faults.append(f"{source.id}: the rebuilt text differs from its checksum")
    return Rebuilt(texts, tuple(faults))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _source_text(source: Source, clones: Path) -> str | None:
    """The source file at its commit; None where no clone has it."""
    name = source.repo.partition("/")[2]
    for folder in (clones / source.repo.replace("/", "+"), clones / source.repo, clones / name):
        for git in (folder, folder / ".git", *sorted(folder.glob("*/"))):
            if (git / "HEAD").exists():
                shown = f"{source.commit}:{source.path}"
                done = subprocess.run(["git", f"--git-dir={git}", "show", shown], capture_output=True, check=False)  # noqa: S607
                if done.returncode == 0:
                    return done.stdout.decode()
    return None


def _assembled(parts: Sequence[str | Sequence[int]], text: str) -> str:
    """Spans (start, length) of a text and literal characters, joined."""
    return "".join(part if isinstance(part, str) else text[part[0] : part[0] + part[1]] for part in parts)
