"""The rows of an Excel workbook, and why a file gives none.

Runs in the process that reads documents (`files.reader_process`), because a hostile workbook can make its reader take
any time and memory. So nothing is imported here but the standard library and, when needed, the reader itself.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

from analyzer.files.readers.kind import TooLong, Unreadable, package

ENDINGS: Final = (".xlsx",)
_MAX_UNPACKED: Final = 150_000_000
_INSTEAD: Final = "save the table as CSV UTF-8"


def sheet_rows(data: bytes, most: int) -> str:
    """The first visible sheet that holds anything, as lines of JSON: first its name and those of the other sheets that
    hold something, then each row as a list of texts.

    Raises Unreadable, PackageMissing, or TooLong at more than `most` characters.
    """
    python_calamine = package("python_calamine")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED:
                raise Unreadable(f"unpacks to more than {_MAX_UNPACKED / 1e6:.0f} MB; {_INSTEAD}")
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        chosen, others = None, []
        for sheet in workbook.sheets_metadata:
            shown = sheet.visible == python_calamine.SheetVisibleEnum.Visible
            if sheet.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            cells = workbook.get_sheet_by_name(sheet.name)
            if not cells.height:
                continue
            if chosen is None and shown:
                chosen = cells
            else:
                others.append(sheet.name if shown else f"{sheet.name} (hidden)")
        if chosen is None:
            raise Unreadable("holds no cells in a visible sheet")
        lines = [json.dumps({"sheet": chosen.name, "others": others}, ensure_ascii=False)]
        length = 0
        for number, row in enumerate(chosen.iter_rows(), 1):
            texts = [_text(cell) for cell in row]
            length += sum(map(len, texts)) + len(texts)
            if length > most:
                raise TooLong(f"row {number:,}")
            lines.append(json.dumps(texts, ensure_ascii=False))
    except (Unreadable, TooLong, MemoryError):
        raise
    except Exception as error:  # a damaged or hostile workbook makes its reader raise anything
        raise Unreadable(_reason(error)) from error
    return "\n".join(lines)


def _text(cell: Any) -> str:
    """A cell as text: whole numbers without a point, dates as in ISO 8601."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _reason(error: Exception) -> str:
    if "assword" in str(error) or type(error).__name__ == "PasswordError":
        return "is protected by a password; save it without one"
    return f"is damaged, or not an Excel workbook; save it again, or {_INSTEAD}"
