"""Where a pitch came from: the files in its assessment, and the page of every quote."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from analyzer.files.document import Document, TextPart, sentence
from analyzer.framework.assessment import SourceRef, UnreadPart, Warning
from analyzer.vocabulary.signals import Quote

_Model = TypeVar("_Model", bound=BaseModel)


def source_refs(document: Document) -> tuple[SourceRef, ...]:
    """A document and its attachments, as an assessment names them: with ids from 1."""
    return tuple(
        SourceRef(
            id=str(number),
            title=each.title,
            kind=each.kind,
            speaker=each.author,
            date=each.date,
            sha256=each.sha256,
            pages=each.total if each.unit else None,
            unread=tuple(
                UnreadPart(
                    kind=unread.kind, count=unread.count, pages=unread.pages, message=sentence(unread, each.unit)
                )
                for unread in each.left_out()
            ),
        )
        for number, each in enumerate(document.all, 1)
    )


def source_warnings(document: Document) -> Iterator[Warning]:
    """What the reader of an assessment must know about its files: what was not read, and what OCR read."""
    several = len(document.all) > 1
    for each in document.all:
        name = f"{each.title}: " if several else ""
        for message in each.sentences(serious=True):
            yield Warning(kind="unread", message=name + message)
        if message := each.by_ocr():
            yield Warning(kind="ocr", message=f"{name}{message}.")


def with_places(model: _Model, passages: Sequence[TextPart], several: bool) -> _Model:
    """The same model with every quote in it placed: on its page, in its source if there are `several`."""
    if not several and not any(passage.page or passage.origin for passage in passages):
        return model
    placed: _Model = _placed(model, passages, [passage.start for passage in passages], several)
    return placed


def _placed(value: Any, passages: Sequence[TextPart], starts: Sequence[int], several: bool) -> Any:
    if isinstance(value, Quote):
        return _placed_quote(value, passages, starts, several)
    if isinstance(value, tuple):
        return tuple(_placed(each, passages, starts, several) for each in value)
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        changed = {name: _placed(each, passages, starts, several) for name, each in fields.items()}
        return value.model_copy(update={name: each for name, each in changed.items() if each is not fields[name]})
    return value


def _placed_quote(quote: Quote, passages: Sequence[TextPart], starts: Sequence[int], several: bool) -> Quote:
    at = -1 if quote.start is None else bisect_right(starts, quote.start) - 1
    if at < 0:
        return quote
    passage = passages[at]
    source = str(passage.document + 1) if several else None
    return quote.model_copy(update={"page": passage.page or None, "source": source, "origin": passage.origin})
