"""Pitches rendered as pictures and read by OCR: how many signal values are the same as from their text.

    .venv/bin/python benchmarks/ocr.py                 # the 16 samples and the reading pitches, in four forms
    .venv/bin/python benchmarks/ocr.py --pitches 4     # the first four of each folder
    .venv/bin/python benchmarks/ocr.py --forms scan

Both texts are read by the keyword reader, so a difference comes from OCR alone. Needs the extra `ocr`, and reportlab
and python-pptx, which the extra `dev` brings.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from analyzer import Signals, analyze
from analyzer.files.document import Document
from analyzer.files.documents import DocumentReader, ocr_installed
from analyzer.resources import install_command
from analyzer.vocabulary.signals import SIGNALS

ROOT = Path(__file__).parents[1]
SLIDE = (1600, 900)
SCAN = (1240, 1754)
"""A4 at 150 dots an inch."""


def slides(text: str, size: tuple[int, int], font_size: int, width: int, lines: int) -> Iterator[list[str]]:
    """The text in lines, so many on each page; paragraphs stay apart."""
    wrapped = [line for part in text.splitlines() for line in (textwrap.wrap(part, width) or [""])]
    for start in range(0, len(wrapped), lines):
        if any(line.strip() for line in wrapped[start : start + lines]):
            yield wrapped[start : start + lines]


def rendered(lines: list[str], size: tuple[int, int], font_size: int, ink: str = "black") -> Any:
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(font_size)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((80, 70 + number * font_size * 1.5), line, fill=ink, font=font)
    return image


def slide_pictures(text: str) -> list[Any]:
    return [rendered(lines, SLIDE, 32) for lines in slides(text, SLIDE, 32, 80, 15)]


def pdf_of_pictures(text: str) -> tuple[str, bytes]:
    first, *rest = slide_pictures(text)
    buffer = io.BytesIO()
    first.save(buffer, "PDF", save_all=True, append_images=rest, resolution=150)
    return "deck.pdf", buffer.getvalue()


def pptx_of_pictures(text: str) -> tuple[str, bytes]:
    deck = Presentation()
    for image in slide_pictures(text):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_picture(buffer, 0, 0, Inches(10), Inches(5.6))
    out = io.BytesIO()
    deck.save(out)
    return "deck.pptx", out.getvalue()


def mixed(text: str) -> tuple[str, bytes]:
    """Every other page is text."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(800, 450))
    for number, lines in enumerate(slides(text, SLIDE, 32, 80, 15)):
        if number % 2:
            canvas.drawImage(ImageReader(rendered(lines, SLIDE, 32)), 0, 0, 800, 450)
        else:
            for at, line in enumerate(lines):
                canvas.drawString(40, 410 - 24 * at, line)
        canvas.showPage()
    canvas.save()
    return "mixed.pdf", buffer.getvalue()


def scan(text: str) -> tuple[str, bytes]:
    """Printed pages, slightly turned, gray on gray, saved as JPEG of middling quality."""
    pages = []
    for number, lines in enumerate(slides(text, SCAN, 24, 85, 42)):
        page = rendered(lines, SCAN, 24, "#333333").rotate(
            0.6 * (-1) ** number, Image.Resampling.BICUBIC, fillcolor="white"
        )
        noise = Image.effect_noise(SCAN, 24).convert("RGB")
        pages.append(Image.blend(page, noise, 0.08))
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=150, quality=60)
    return "scan.pdf", buffer.getvalue()


FORMS: dict[str, Callable[[str], tuple[str, bytes]]] = {
    "pdf": pdf_of_pictures,
    "pptx": pptx_of_pictures,
    "mixed": mixed,
    "scan": scan,
}


def values(signals: Signals) -> dict[str, object]:
    """What is compared: every single value, and of the lists their order and kinds."""
    return {
        "in_scope": signals.in_scope,
        **{name: signals.single(name).value for name in SIGNALS},
        "problems": [(problem.stage, problem.focus) for problem in signals.problems],
        "personas": [persona.role for persona in signals.personas],
        "competitors": [competitor.name for competitor in signals.competitors],
    }


def read(pitch: str | Document) -> dict[str, object]:
    return values(analyze(pitch, model="keywords").signals)


def measure(form: str, paths: list[Path]) -> dict[str, object]:
    same = total = pages = 0
    seconds = 0.0
    differences: list[str] = []
    with DocumentReader() as reader:
        for path in paths:
            text = path.read_text(encoding="utf-8")
            name, data = FORMS[form](text)
            begun = time.monotonic()
            document = reader.read(name, data)
            seconds += time.monotonic() - begun
            pages += sum(page.ocr is not None for page in document.pages)
            expected, found = read(text), read(document)
            same += sum(found[key] == value for key, value in expected.items())
            total += len(expected)
            differences += [
                f"{path.stem} {key}: {value} became {found[key]}"
                for key, value in expected.items()
                if found[key] != value
            ]
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {
        "form": form,
        "pitches": len(paths),
        "pages_by_ocr": pages,
        "values": total,
        "same": same,
        "same_percent": round(100 * same / total, 1),
        "seconds_a_page": round(seconds / max(pages, 1), 2),
        "most_memory_mb": round(memory / 1e6),
        "differences": differences,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pitches", type=int, default=100, help="the first so many of each folder")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--reading", type=int, default=12, help="how many of the reading pitches")
    arguments = parser.parse_args()
    if not ocr_installed():
        raise SystemExit(f"OCR needs packages that are not installed: {install_command('ocr')}")
    samples = sorted((ROOT / "fixtures/pitches").glob("*.txt"))[: arguments.pitches]
    reading = sorted((ROOT / "fixtures/reading").glob("*.txt"))[: min(arguments.pitches, arguments.reading)]
    for form in arguments.forms:
        print(json.dumps(measure(form, [*samples, *reading]), indent=2), flush=True)


if __name__ == "__main__":
    main()
