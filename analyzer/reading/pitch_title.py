"""The title that a person would give a pitch: its heading, or its first line that says something."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from analyzer.patterns import late

_LONGEST: Final = 120
_LOOKED_AT: Final = 600
"""Characters of a line that are looked at."""
_SHORT_GREETING: Final = 4
"""Words of a greeting that ends without a comma."""
_WITHIN: Final = 80
"""Lines in which a heading is looked for."""
_HEADING: Final = late(r"#[ \t]+(\S.*)")
_UNDERLINE: Final = late(r"={3,}\s*")
_NOT_A_TITLE: Final = late(
    r"(?:https?://\S+\s*)+|.*\bcookies?\b.*|skip to (?:main )?content|table of contents|menu|.*\ball rights reserved\b.*"
    r"|(?:english|deutsch|español|[\u4e00-\u9fff]{2,4})(?:\s*[|\u2022\u00b7/-]\s*\S+)+",
    re.IGNORECASE,
)
_MARKS: Final = late(r"^(?:[#>*+\-\u2022|\s]+(?=\S))|:[a-z0-9_+-]+:|(?<!\w)[*_`~]+(?=\S)|(?<=\S)[*_`~]+(?!\w)|[#|\s]+$")
_GREETING: Final = late(
    r"(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)|greetings|to whom it may concern|hallo|guten tag|liebe[rs]?"
    r"|sehr geehrte[rs]?|bonjour|ch(?:er|ère)s?|madame|hola|buenos días|estimad[oa]s?)\b(?:[ \t]+[\w.'’&-]+){0,6}[ \t]*[,:!–—-]?",
    re.IGNORECASE,
)
_NAVIGATION: Final = late(r"\s+\|\s+|\s{2,}|\t")


def title_of(text: str) -> str:
    """The title of a cleaned text that holds a letter or digit: a heading, unless the first line says more than it."""
    lines = [line for line in text.split("\n") if any(char.isalnum() for char in line)]
    first = text.split("\n")[:_WITHIN]
    for number, line in enumerate(first):
        heading = _HEADING.fullmatch(line.strip())
        underlined = number + 1 < len(first) and _UNDERLINE.fullmatch(first[number + 1])
        if heading or (underlined and line.strip()):
            title = shortened(heading[1] if heading else line)
            if any(char.isalnum() for char in title):
                opening = shortened(lines[0])
                says_more = len(opening.split()) > len(title.split()) + 1
                return opening if says_more and title.casefold() in opening.casefold() else title
    for line in lines[:_WITHIN]:
        title = shortened(line)
        if any(char.isalpha() for char in title) and not _NOT_A_TITLE.fullmatch(title) and not is_greeting(line):
            return title
    return shortened(lines[0])


def is_greeting(line: str) -> bool:
    """Whether a line is the salutation of a letter, such as "Dear Ms. Okafor,"."""
    line = line.strip()
    return _GREETING.fullmatch(line) is not None and (line[-1] in ",:!–—-" or len(line.split()) <= _SHORT_GREETING)


def shortened(line: str) -> str:
    """A line as a title: without marks, without the navigation of a page after it, at most 120 characters."""
    plain = "".join(
        char for char in line.strip()[:_LOOKED_AT].expandtabs(2) if unicodedata.category(char)[0] != "C"
    ).strip()
    parts = _NAVIGATION.split(plain)
    if len(parts) > 3 and any(char.isalpha() for char in parts[0]):
        plain = parts[0]
    bare = _MARKS.sub("", plain).strip()
    plain = bare or plain
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1].rstrip() + "…"
