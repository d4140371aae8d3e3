"""E-mails: subject and body; earlier messages and the signature apart; attachments as documents of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Final

from analyzer.files.document import Aside, Page, Unread
from analyzer.files.readers import html
from analyzer.files.readers.kind import INSTEAD, Attachment, Parts, Unreadable
from analyzer.patterns import late

_MOST_PARTS: Final = 200
_FORWARDED: Final = late(r"^\s*(fwd?|wg|tr|rv|i|enc)\s*:", re.IGNORECASE)
"""Subjects of forwarded messages, in the languages whose programs translate the word."""
_HISTORY: Final = late(
    r"^(?:On .{5,200} wrote:|Am .{5,200} schrieb.*:|Le .{5,200} a écrit\s*:|El .{5,200} escribió:"
    r"|-{2,} ?(?:Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original) ?-{2,}"
    r"|_{20,})\s*$",
    re.IGNORECASE,
)
"""Lines that begin what an earlier message said."""
_FORWARD_LINE: Final = late(
    r"^(?:-{2,} ?(?:Forwarded message|Weitergeleitete Nachricht|Message transféré) ?-{2,}"
    r"|Begin forwarded message:)\s*$",
    re.IGNORECASE,
)
_HEADER_LINE: Final = late(
    r"^\*?(?:From|Sent|To|Cc|Date|Subject|Von|Gesendet|An|Betreff|De|À|Objet)\s?:", re.IGNORECASE
)
_SIGNATURE: Final = late(r"^-- ?$")
_PICTURES: Final = ("image", "audio", "video")


def read(data: bytes) -> Parts:
    message = BytesParser(policy=policy.default).parsebytes(data)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise Unreadable(f"is not an e-mail; save it from your mail program again, {INSTEAD}")
    subject = _subject(message)
    body = _body(message)
    own, asides = _apart(body, bool(_FORWARDED.match(subject)))
    yield Page(0, "\n\n".join(filter(None, (subject, own))), tuple(asides))
    yield from _attachments(message)


def origin(data: bytes) -> tuple[str | None, str | None, str | None]:
    """Who sent an e-mail, when (ISO), and its subject."""
    message = BytesParser(policy=policy.default).parsebytes(data, headersonly=True)
    sender = " ".join(_header(message, "from").split()) or None
    try:
        date = message["date"].datetime.isoformat()
    except (AttributeError, ValueError, TypeError, MessageError):
        date = None
    return sender, date, _subject(message) or None


def _subject(message: EmailMessage) -> str:
    return " ".join(_header(message, "subject").split())


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, "") or "")
    except (ValueError, TypeError, IndexError, AttributeError, MessageError):  # a header that its parser cannot take
        return ""


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    text = _content(part)
    if part.get_content_subtype() != "html":
        return text.replace("\r\n", "\n")
    return "\n\n".join(page.text for page in html.read(text.encode("utf-8", "replace")) if isinstance(page, Page))


def _content(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = part.get_content_charset() or "utf-8"
    try:
        return data.decode(charset)
    except (LookupError, UnicodeDecodeError):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(f"holds text that is not in {charset}, as it says; {INSTEAD}") from error


def _apart(body: str, forwarded: bool) -> tuple[str, Iterator[Aside]]:
    """The message's own text, and earlier messages and the signature. What a message forwards is its own text."""
    own: list[str] = []
    history: list[str] = []
    signature: list[str] = []
    into = own
    in_headers = False
    lines = body.splitlines()
    for at, line in enumerate(lines):
        if (
            into is not history
            and not forwarded
            and (_HISTORY.match(line) or (_HISTORY.match(f"{line} {lines[at + 1]}") if at + 1 < len(lines) else False))
        ):
            into = history
        elif into is own and _SIGNATURE.match(line):
            into = signature
            continue
        elif _FORWARD_LINE.match(line) or (forwarded and _HISTORY.match(line)):
            into, in_headers = own, True
            continue
        if in_headers and (_HEADER_LINE.match(line) or not line.strip()):
            continue
        in_headers = False
        if into is own and line.startswith(">") and not forwarded:
            history.append(line)
        else:
            into.append(line)
    found = (("history", history), ("signature", signature))
    asides = (Aside(kind, "\n".join(said).strip()) for kind, said in found if "".join(said).strip())
    return "\n".join(own).strip(), asides


def _attachments(message: EmailMessage) -> Parts:
    body = message.get_body(("plain", "html"))
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            yield Unread("attachment", 1, (), f"more than {_MOST_PARTS} parts")
            return
        if part.is_multipart() or part is body:
            continue
        name = " ".join((part.get_filename() or "").split())
        if not name and part.get_content_maintype() == "text":
            continue  # the same body in another form
        if part.get_content_maintype() in _PICTURES:
            yield Unread("pictures")
            continue
        data = part.get_payload(decode=True)
        name = name[:200] or "without a name"
        if isinstance(data, bytes):
            yield Attachment(name, data)
        else:  # a message within the message
            yield Unread("attachment", 1, (), name)
