"""What Word and PowerPoint files share inside a drawing: paragraphs of shapes, tables, charts and SmartArt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from analyzer.files.readers.archive import Archive, Relation, attribute, child, elements, name_of, within

_MOST_POINTS: Final = 2_000
"""Values of a chart that are read."""


def paragraphs(body: Any) -> Iterator[str]:
    """The paragraphs of a shape's text, without fields that number slides."""
    for paragraph in within(body, "p"):
        words = []
        for part in elements(paragraph):
            name = name_of(part)
            if name == "br":
                words.append("\n")
            elif name == "r" or (name == "fld" and attribute(part, "type") != "slidenum"):
                words += [each.text or "" for each in within(part, "t")]
            elif name not in ("pPr", "endParaRPr", "fld"):  # formulas and choices between them
                words += [each.text or "" for each in within(chosen(part), "t")]
        yield from (line.strip() for line in "".join(words).replace("\v", "\n").splitlines() if line.strip())


def chosen(element: Any) -> Any:
    """What is shown of an element that offers alternatives: the first with any text, else the first."""
    if name_of(element) != "AlternateContent":
        return element
    branches = [each for each in elements(element) if name_of(each) in ("Choice", "Fallback")]
    return next((each for each in branches if any(text.text for text in within(each, "t"))), (branches or [element])[0])


def table_rows(table: Any) -> Iterator[str]:
    """The rows of a table on a slide; a cell that another one covers is none."""
    for row in within(table, "tr"):
        cells = []
        for cell in (each for each in elements(row) if name_of(each) == "tc"):
            if cell.get("hMerge") not in (None, "0", "false") or cell.get("vMerge") not in (None, "0", "false"):
                continue
            cells.append(" ".join(paragraphs(cell)))
        if any(cells):
            yield " | ".join(cells)


def linked_lines(graphic: Any, archive: Archive, relations: dict[str, Relation]) -> Iterator[str]:
    """The text of the charts and SmartArt that a drawing refers to."""
    for reference in within(graphic, "chart", "relIds"):
        diagram = name_of(reference) == "relIds"
        relation = relations.get(attribute(reference, "dm" if diagram else "id"))
        root = archive.maybe_xml(relation.target) if relation is not None else None
        if root is not None:
            yield from _diagram(root) if diagram else _chart(root)


def _diagram(root: Any) -> Iterator[str]:
    for point in within(root, "pt"):
        body = child(point, "t")
        if body is not None and point.get("type", "node") in ("node", "asst", "doc"):
            yield from paragraphs(body)


def _chart(root: Any) -> Iterator[str]:
    """Title, titles of axes, then a table: categories in the first row, a row for each series."""
    for title in within(root, "title"):
        yield from paragraphs(title)
    head: list[str] | None = None
    for series in within(root, "ser"):
        names = " ".join(_points(child(series, "tx")))
        categories = _points(child(series, "cat"))
        categories = categories or _points(child(series, "xVal"))
        values = _points(child(series, "val"))
        values = values or _points(child(series, "yVal"))
        if categories and categories != head:
            head = categories
            yield " | ".join(["", *categories]).strip()
        if row := " | ".join(filter(None, [names, *values])):
            yield row
    yield from (line for shapes in within(root, "userShapes") for line in paragraphs(shapes))


def _points(holder: Any) -> list[str]:
    """The values that a chart shows, in their order."""
    if holder is None:
        return []
    points = list(within(holder, "pt"))[:_MOST_POINTS]
    values = [" ".join(value.text or "" for value in within(point, "v")) for point in points]
    if not points:
        values = [value.text or "" for value in within(holder, "v")]
    return [_short(value.strip()) for value in values]


def _short(value: str) -> str:
    """A number as a chart shows it: without the digits that binary fractions add."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:.6g}" if len(value) > 8 and abs(number) < 1e6 else value
