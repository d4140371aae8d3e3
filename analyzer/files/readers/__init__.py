"""The readers of documents, one file for each kind; a kind of your own is one more file and an entry in KINDS."""

from __future__ import annotations

from typing import Final

from analyzer.files.readers import docx, eml, html, odf, pdf, pptx, rtf
from analyzer.files.readers.kind import DocumentKind

KINDS: Final[tuple[DocumentKind, ...]] = (
    pdf.KIND,
    pptx.KIND,
    docx.KIND,
    html.KIND,
    eml.KIND,
    odf.TEXT_KIND,
    odf.SLIDES_KIND,
    rtf.KIND,
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
