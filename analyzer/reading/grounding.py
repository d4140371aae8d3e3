"""Finds quotes in the pitch, exactly, and nothing that merely resembles them.

A quote counts only if its words stand in the pitch in that order. White space, Unicode forms (composed or
not, ligatures, full width), typographic quotes and dashes, and invisible format characters may differ; letters,
digits and case may not. There is no fuzzy matching: it finds "We sell" in "We do not sell".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.signals import Quote

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    }
)
_KEEPS_FORM = ("<super>", "<sub>", "<fraction>")
_SPACED_SCRIPT = re.compile(r"[0-9A-Za-z\u00aa-\u024f\u0370-\u052f]")
_CLUSTER = re.compile(
    r"[\s\S][\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u1160-\u11ff\u1ab0-\u1aff\u20d0-\u20f0\u3099\u309a\ufe20-\ufe2f]*"
)


@dataclass(frozen=True, slots=True)
class _Folded:
    """`text` is what is compared; character i of it came from `starts[i]:ends[i]` of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


class Grounding:
    """One pitch, folded once, in which quotes are looked up."""

    def __init__(self, pitch: str):
        self._pitch = pitch
        self._folded = _fold(pitch)

    def find(self, quote: str, outside: Sequence[tuple[int, int]] = ()) -> Quote | None:
        """The first place where the quote stands, as the pitch spells it; None if it stands nowhere but within
        the spans of `outside`.

        A quote never begins or ends within a word ("can" is not found in "cannot"), and holds at least
        one letter or digit.
        """
        wanted = _fold(quote).text.strip()
        if not any(char.isalnum() for char in wanted):
            return None
        text = self._folded.text
        at = text.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            if not _within_word(text, at) and not _within_word(text, end):
                start, stop = self._folded.starts[at], self._folded.ends[end - 1]
                if any(start < last and first < stop for first, last in outside):
                    at = text.find(wanted, at + 1)
                    continue
                return Quote(text=self._pitch[start:stop], start=start, end=stop)
            at = text.find(wanted, at + 1)
        return None


def folded(text: str) -> str:
    """The text as it is compared: what only spelling and invisible characters can differ in is made alike."""
    return _fold(text).text


def _within_word(text: str, at: int) -> bool:
    """Whether position `at` falls between two letters or digits of a script that puts spaces between words."""
    return 0 < at < len(text) and bool(_SPACED_SCRIPT.match(text[at - 1]) and _SPACED_SCRIPT.match(text[at]))


def _fold(text: str) -> _Folded:
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        for char in _fold_cluster(cluster.group()):
            if char == " " and folded and folded[-1] == " ":
                ends[-1] = cluster.end()
                continue
            folded.append(char)
            starts.append(cluster.start())
            ends.append(cluster.end())
    return _Folded("".join(folded), tuple(starts), tuple(ends))


def _fold_cluster(cluster: str) -> str:
    if len(cluster) == 1 and cluster.isascii():
        return " " if cluster.isspace() else cluster.translate(_SAME)
    if unicodedata.decomposition(cluster[0]).startswith(_KEEPS_FORM):
        return cluster
    plain = unicodedata.normalize("NFKC", cluster.translate(_SAME)).translate(_SAME)
    return "".join(" " if char.isspace() else char for char in plain if unicodedata.category(char) != "Cf")
