"""Removes the markup around a pitch: what is left is the text that a person would read.

Hidden here: which HTML, Markdown and e-mail headers are layout. Plain text stays as it is, byte for byte, and cleaning
what is clean changes nothing, so that offsets and fingerprints always refer to the same text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final

from analyzer.patterns import late

_MOST_PASSES: Final = 8
_BLOCKS: Final = (
    "address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_INLINE: Final = (
    "a abbr b bdi bdo big button cite code del em font i img input ins kbd label mark picture q s samp small source "
    "span strike strong sub sup td th time tt u var video wbr"
)
_BLOCK_NAMES: Final = frozenset(_BLOCKS.split())
_NAMES: Final = "|".join(sorted((*_BLOCKS.split(), *_INLINE.split()), key=len, reverse=True))
_TAG: Final = late(rf"<(/?)({_NAMES})((?:\s[^<>]{{0,2000}})?)/?>", re.IGNORECASE)
_UNREAD: Final = late(r"<(head|style|script|svg|template|noscript|iframe)\b[^<>]{0,2000}>", re.IGNORECASE)
_DOCTYPE: Final = late(r"<!doctype[^<>]{0,200}>", re.IGNORECASE)
_COMMENT: Final = late(r"<!--")
_ATTRIBUTE: Final = late(r"""\b(alt|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ENTITY: Final = late(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,24});", re.IGNORECASE)
_CODE: Final = late(
    r"^(```|~~~)[^\n]*\n.*?^\1[^\n]*$|(?<!`)(`{1,2})(?!`)[^\n]+?(?<!`)\2(?!`)", re.DOTALL | re.MULTILINE
)
_FRONT_MATTER: Final = late(
    r"\A\s*---[ \t]*\n(?:(?:[\w-]+:[^\n]*|[ \t]+[^\n]*|-[ \t][^\n]*|#[^\n]*)\n)+---[ \t]*(?:\n|\Z)"
)
_ADDRESS: Final = r"(?:https?://|mailto:|\.{0,2}/|\#)[^\s()]*(?:\([^\s()]*\)[^\s()]*)*|[^\s()]+\.(?:md|rst|html?|pdf|png|svg|gif|jpe?g|webp|ya?ml|ipynb)(?:\#[^\s()]*)?"  # fmt: skip
_LINK_TITLE: Final = r"""(?:\s+(?:"[^"\n]*"|'[^'\n]*'))?"""
_IMAGE: Final = late(rf"!\[([^\[\]\n]*)\]\(\s*<?(?:{_ADDRESS})>?{_LINK_TITLE}\s*\)", re.IGNORECASE)
_LINK: Final = late(rf"(?<!!)\[([^\[\]\n]+)\]\(\s*<?({_ADDRESS}|[A-Z]{{4,}})>?{_LINK_TITLE}\s*\)")
_EMPTY_LINK: Final = late(rf"(?<!!)\[\]\(\s*<?(?:{_ADDRESS})>?{_LINK_TITLE}\s*\)", re.IGNORECASE)
_REFERENCE: Final = late(r"\[([^\[\]\n]+)\](?:\[([^\[\]\n]*)\])?")
_IMAGE_REFERENCE: Final = late(rf"!{_REFERENCE.pattern}")
_DEFINITION: Final = late(
    rf"^[ ]{{0,3}}\[([^\[\]\n]+)\]:[ \t]+<?((?:https?://|\.{{0,2}}/|\#)\S*?)>?{_LINK_TITLE}[ \t]*$\n?", re.MULTILINE
)
_REPOSITORY: Final = late(
    r"https?://(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|huggingface\.co|git\.sr\.ht)/"
    r"~?[\w.\-]+/[\w.\-]+/?(?:\.git)?(?:\#[\w\-]*)?$",
    re.IGNORECASE,
)
_HEADER_NAMES: Final = (
    r"from|to|cc|bcc|subject|date|sent|reply-to|message-id|von|an|betreff|gesendet|datum|de|à|objet|envoyé|asunto|para|"
    r"enviado|fecha|mime-version|content-type|content-transfer-encoding|return-path|received|delivered-to"
)
_HEADER: Final = rf"(?:{_HEADER_NAMES})[ \t]?:[^\n]*\n(?:[ \t]+\S[^\n]*\n)*"
_FIRST_HEADERS: Final = late(rf"\A\s*((?:{_HEADER})+)(?:[ \t]*\n|\Z)", re.IGNORECASE)
_FORWARDED: Final = late(
    rf"^[ \t>]*(?:-{{2,}}|_{{5,}})[^\n]{{0,80}}\n(?:[ \t]*\n)?((?:[ \t>]*{_HEADER}){{2,}})",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT: Final = late(r"^(?:subject|betreff|objet|asunto)[ \t]?:[ \t]*([^\n]*)$", re.IGNORECASE | re.MULTILINE)
_REPLY: Final = late(r"\A(?:(?:re|fwd?|aw|wg|tr|rv)\s*:\s*)+", re.IGNORECASE)
_MANY_BLANKS: Final = late(r"\n[ \t]*\n(?:[ \t]*\n)+")


def clean_text(text: str) -> str:
    """The text without markup: unchanged if it has none. Cleaning it again changes nothing."""
    return _repeated(_once, text)


def without_markup(text: str) -> str:
    """A part of a text without markup, such as a page: `clean_text`, but for the headers and front matter that only the
    whole text can begin with."""
    return _repeated(_without_markup, text)


def subject_of(text: str) -> str:
    """The subject of an e-mail that was pasted with its headers, without "Re:"; empty for any other text."""
    headers = _first_headers(text)
    subject = _SUBJECT.search(headers) if headers else None
    return without_reply(subject[1]) if subject else ""


def without_reply(subject: str) -> str:
    """The subject of an e-mail without "Re:" and "Fwd:"."""
    return _REPLY.sub("", subject.strip())


def _repeated(clean: Callable[[str], str], text: str) -> str:
    for _ in range(_MOST_PASSES):
        cleaned = clean(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def _first_headers(text: str) -> str:
    """The headers that a text begins with: several, or a subject alone; empty if there are none."""
    match = _FIRST_HEADERS.match(text)
    if match is None:
        return ""
    return match[0] if match[1].count("\n") > 1 or _SUBJECT.search(match[1]) else ""


def _once(text: str) -> str:
    headers = _first_headers(text)
    text = _FORWARDED.sub("", text[len(headers) :]) if headers or ":" in text else text
    return _without_markup(_FRONT_MATTER.sub("", text))


def _without_markup(text: str) -> str:
    if not any(mark in text for mark in ("<", "](", "]:", "&")):
        return text
    is_html = _has_tags(text)
    before = text
    if is_html:
        text = _without(_DOCTYPE.sub("", text), _UNREAD, lambda match: rf"</{match[1]}\s*>")
    parts: list[str] = []
    end = 0
    addresses = {match[1].casefold(): match[2] for match in _DEFINITION.finditer(text)}
    for code in _CODE.finditer(text):
        parts += [_plain(text[end : code.start()], is_html, addresses), code.group()]
        end = code.end()
    text = "".join((*parts, _plain(text[end:], is_html, addresses)))
    if text == before or not is_html:
        return text
    lines = [line.strip() if line.strip() else "" for line in text.split("\n")]
    return _MANY_BLANKS.sub("\n\n", "\n".join(lines)).strip()


def _without(text: str, opening: re.Pattern[str], closing: Callable[[re.Match[str]], str]) -> str:
    """The text without what lies between an opening and its closing; an opening without one stays."""
    parts: list[str] = []
    at = 0
    missing: set[str] = set()
    for match in opening.finditer(text):
        pattern = closing(match)
        if match.start() < at or pattern.lower() in missing:
            continue
        end = re.compile(pattern, re.IGNORECASE).search(text, match.end())
        if end is None:
            missing.add(pattern.lower())
            continue
        parts.append(text[at : match.start()])
        at = end.end()
    return "".join((*parts, text[at:]))


def _has_tags(text: str) -> bool:
    """Whether HTML tags are in the text, apart from code."""
    return "<" in text and (_TAG.search(_CODE.sub("", text)) is not None or text.lstrip()[:9].lower() == "<!doctype")


def _plain(text: str, is_html: bool, addresses: dict[str, str]) -> str:
    """A part without code, without its markup."""
    if is_html:
        text = _without(text, _COMMENT, lambda match: "-->")
        text = _TAG.sub(_tag, text)
    text = _ENTITY.sub(lambda match: html.unescape(match.group()).replace("\xa0", " "), text)
    if "](" in text:
        text = _IMAGE.sub(r"\1", text)
        text = _EMPTY_LINK.sub("", text)
        text = _LINK.sub(lambda match: _linked(match[1], match[2]), text)
    if addresses:
        text = _DEFINITION.sub("", text)
        for reference in (_IMAGE_REFERENCE, _REFERENCE):
            text = reference.sub(lambda match: _referred(match, addresses), text)
    return text


def _tag(match: re.Match[str]) -> str:
    """What is left of a tag: the alternative text of a picture, the address of a repository, a line end of a block."""
    closing, name, attributes = match[1], match[2].lower(), match[3]
    if name == "img":
        return _attribute(attributes, "alt")
    if name == "a" and not closing:
        address = _attribute(attributes, "href")
        return f"{address} " if _REPOSITORY.match(address) else ""
    if name in ("td", "th"):
        return " " if closing else ""
    if name not in _BLOCK_NAMES:
        return ""
    if name[0] == "h" and name[1:].isdigit() and not closing:
        return f"\n\n{'#' * int(name[1:])} "
    return "\n\n" if name in ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "section") else "\n"


def _attribute(attributes: str, name: str) -> str:
    for match in _ATTRIBUTE.finditer(attributes):
        if match[1].lower() == name:
            return html.unescape(match[2] or match[3] or match[4] or "").strip()
    return ""


def _linked(words: str, address: str) -> str:
    """The words of a link; with the address of a repository, which a person can start from."""
    if not _REPOSITORY.match(address) or address in words:
        return words
    return f"{words} ({address})"


def _referred(match: re.Match[str], addresses: dict[str, str]) -> str:
    """A link whose address is elsewhere in the text."""
    address = addresses.get((match[2] or match[1]).casefold())
    if address is None:
        return match.group()
    return match[1] if match.group().startswith("!") else _linked(match[1], address)
