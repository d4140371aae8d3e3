"""The readers of documents, one file for each kind; a kind of your own is one more file and an entry in KINDS.

A reader's file is loaded when the first document of its kind is read: most runs read plain text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, Final

from analyzer.files.readers.kind import DocumentKind


def _in(module: str, function: str) -> Callable[..., Any]:
    """A function of a reader's file, which is loaded when it is called."""
    return lambda *arguments: getattr(import_module(f"{__name__}.{module}"), function)(*arguments)


KINDS: Final[tuple[DocumentKind, ...]] = (
    DocumentKind(
        (".pdf",),
        "a PDF",
        "page",
        _in("pdf", "read"),
        "Text in logical order, right-to-left text too; what is filled into a form; boxes of text laid over a page; "
        "encrypted files that need no password",
        "Comments; attached files (counted); pictures (counted; whole pages by OCR)",
        _in("pdf", "pictures"),
    ),
    DocumentKind(
        (".pptx", ".ppsx", ".pptm"),
        "a PowerPoint file (.pptx)",
        "slide",
        _in("pptx", "read"),
        "Shapes and groups by their place on the slide, tables, charts (title, categories, series, values), "
        "SmartArt, the first readable of alternatives, each footer once",
        "Speaker notes (`--notes`); hidden slides (named); embedded files and pictures (counted; slides of pictures "
        "by OCR)",
        _in("pptx", "pictures"),
    ),
    DocumentKind(
        (".docx", ".docm"),
        "a Word document (.docx)",
        "",
        _in("docx", "read"),
        "Paragraphs, tables, text boxes, content controls, tracked insertions as accepted, charts, SmartArt, "
        "footnotes, headers and footers once each; Strict Open XML too",
        "Deleted and hidden text (counted); comments (`--notes`); embedded files and pictures (counted; by OCR if "
        "there is almost no text)",
        _in("docx", "pictures"),
    ),
    DocumentKind(
        (".html", ".htm", ".xhtml"),
        "an HTML page",
        "slide",
        _in("html", "read"),
        "The text that a browser shows, alternative texts of pictures, rows of tables; the slides of a deck in HTML "
        "(reveal.js, Marp and the like) as slides",
        "Scripts, styles and drawings; hidden text (counted); speaker notes (`--notes`); pictures (counted); nothing "
        "is loaded from the network",
    ),
    DocumentKind(
        (".eml",),
        "an e-mail (.eml)",
        "",
        _in("eml", "read"),
        "Subject and text (of HTML, what a mail program shows); a forwarded message; attachments of all these kinds, "
        "each as a source of its own",
        "Earlier messages and the signature (`--notes`); other attachments (named with the reason); addresses and "
        "headers",
    ),
    DocumentKind(
        (".odt",),
        "an OpenDocument text (.odt)",
        "",
        partial(_in("odf", "read"), False),
        "Paragraphs, tables, text boxes, tracked insertions as accepted",
        "Comments (`--notes`); footnotes; embedded files and pictures (counted; by OCR if there is almost no text)",
        partial(_in("odf", "pictures"), False),
    ),
    DocumentKind(
        (".odp",),
        "an OpenDocument presentation (.odp)",
        "slide",
        partial(_in("odf", "read"), True),
        "The text of each slide in the order of the file, tables",
        "Speaker notes (`--notes`); embedded files, charts and pictures (counted; slides of pictures by OCR)",
        partial(_in("odf", "pictures"), True),
    ),
    DocumentKind(
        (".rtf",),
        "Rich Text Format (.rtf)",
        "",
        _in("rtf", "read"),
        "Text and rows of tables",
        "Embedded files and pictures (counted)",
    ),
)
READERS: Final[dict[str, DocumentKind]] = {ending: kind for kind in KINDS for ending in kind.endings}
"""The reader for each ending."""
CLOSED: Final[dict[str, str]] = {
    ".ppt": "an old PowerPoint format; in PowerPoint: File > Save As > .pptx",
    ".pps": "an old PowerPoint format; in PowerPoint: File > Save As > .pptx",
    ".doc": "an old Word format; in Word: File > Save As > .docx",
    ".key": "a Keynote file; in Keynote: File > Export To > PDF",
    ".pages": "a Pages file; in Pages: File > Export To > PDF or Word",
    ".msg": "an Outlook message; in Outlook: File > Save As, as text, or drag it into another mail program as .eml",
    ".gslides": "a link to Google Slides; there: File > Download > PDF",
    ".gdoc": "a link to Google Docs; there: File > Download > Word",
    ".mht": "a saved web page; in the browser: Save As > HTML only",
    ".mhtml": "a saved web page; in the browser: Save As > HTML only",
}
"""Old and closed formats that are not read: what each is, and how to save it as one that is."""
