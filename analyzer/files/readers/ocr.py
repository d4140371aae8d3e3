"""Pictures to text, by RapidOCR with the models inside its package: nothing is downloaded.

Runs in the process that reads documents; the extra `ocr` brings the packages.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from analyzer.files.document import Page
from analyzer.files.readers.kind import PackageMissing, Pictures, PicturesRead, package
from analyzer.files.readers.reading_order import Box, in_reading_order

MAX_PIXELS: Final = 50_000_000
"""The largest picture that is opened."""
_SIDE: Final = 1_600
"""Pixels of the longer side to which a larger picture is reduced."""
_SMALLEST: Final = 40
"""Pixels; smaller pictures are lines and dots."""
_PICTURES_A_PAGE: Final = 12
_CERTAIN: Final = 0.6
"""A line that is read with less confidence is noise more often than text."""
_MODELS: Final = {"Det": "*_det_*.onnx", "Rec": "*_rec_*.onnx"}


def read_pictures(pictures: Pictures, pages: Sequence[int], most: int, seconds: float) -> PicturesRead:
    """The pages with the text that is in their pictures. Stops when `seconds` have passed or at more than `most`
    characters.

    Raises PackageMissing, or MemoryError.
    """
    engine = _engine()
    until = time.monotonic() + seconds
    found: dict[int, list[tuple[str, float]]] = {}
    counts: Counter[int] = Counter()
    stopped_at: int | None = None
    length = 0
    for number, picture in pictures:
        if time.monotonic() > until or length > most:
            found.pop(number, None)  # half a page would pass for a whole one
            stopped_at = number
            break
        counts[number] += 1
        opened = _opened(picture) if counts[number] <= _PICTURES_A_PAGE else None
        if opened is not None:
            lines = _lines(engine, opened)
            found.setdefault(number, []).extend(lines)
            length += sum(len(text) for text, _ in lines)
    late = () if stopped_at is None else tuple(pages[list(pages).index(stopped_at) :])
    return PicturesRead(
        tuple(_page(number, found[number]) for number in pages if number in found),
        late,
        tuple(number for number in pages if number not in found and number not in late),
    )


def _page(number: int, lines: list[tuple[str, float]]) -> Page:
    certain = sum(certainty for _, certainty in lines) / len(lines) if lines else 0.0
    return Page(number, "\n".join(text for text, _ in lines), ocr=round(certain, 3))


@cache
def _engine() -> Any:
    rapidocr = package("rapidocr")
    package("onnxruntime")
    folder = Path(rapidocr.__file__).parent / "models"
    models: dict[str, Any] = {}
    for part, pattern in _MODELS.items():
        path = next(iter(sorted(folder.glob(pattern))), None)
        if path is None:  # the engine would download one
            raise PackageMissing(f"rapidocr with the model {pattern}")
        models[f"{part}.model_path"] = str(path)
    return rapidocr.RapidOCR(
        params={
            **models,
            "Global.log_level": "critical",
            "Global.use_cls": False,  # it takes some lines for upside down, and garbles them
            "Global.text_score": _CERTAIN,
            "Global.max_side_len": _SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 2,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _opened(picture: Any) -> Any:
    """A picture as an array of pixels, reduced to a size that is enough; None if it cannot or need not be read."""
    if not isinstance(picture, bytes):
        return picture
    image_module, numpy = package("PIL.Image"), package("numpy")
    try:
        with image_module.open(io.BytesIO(picture)) as image:
            if image.width * image.height > MAX_PIXELS or min(image.size) < _SMALLEST:
                return None
            image.draft("RGB", (_SIDE, _SIDE))
            image.thumbnail((_SIDE, _SIDE))
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                layer = image.convert("RGBA")
                image = image_module.new("RGBA", layer.size, "white")
                image.alpha_composite(layer)
            return numpy.asarray(image.convert("RGB"))[:, :, ::-1]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # a damaged picture makes its decoder raise anything at all
        return None


def _lines(engine: Any, picture: Any) -> list[tuple[str, float]]:
    """The lines of a picture in reading order, each with how certain it is."""
    found = engine(picture)
    if found.txts is None or found.boxes is None:
        return []
    boxes = [
        Box(*(float(edge) for edge in (box[:, 0].min(), box[:, 1].min(), box[:, 0].max(), box[:, 1].max())))
        for box in found.boxes
    ]
    order = in_reading_order(boxes, [False] * len(boxes))
    return [(str(found.txts[at]).strip(), float(found.scores[at])) for at in order if str(found.txts[at]).strip()]
