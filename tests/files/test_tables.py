"""Tables as people have them: what is understood, what is asked, and what is refused before anything is paid for."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow.parquet as parquet
import pytest

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.pitches import Sources, uploaded_table
from analyzer.files.table_columns import WantedColumns
from analyzer.files.table_preview import preview_table
from analyzer.files.tables import InputPitch
from analyzer.runs.bulk import BulkOptions, run
from tests.hostile_files import damaged

TEXT = "Kilnworks finds idle GPUs and hands them to the next job."


def xlsx(*sheets: list[list[str]]) -> bytes:
    """A workbook with these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>' for n in numbers)
        + "</Relationships>",
    }
    for number, rows in zip(numbers, sheets, strict=True):
        cells = "".join(
            "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) + "</row>"
            for row in rows
        )
        parts[f"xl/worksheets/s{number}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def read(name: str, data: bytes, **wanted: object) -> list[InputPitch]:
    return list(uploaded_table(name, data, WantedColumns(**wanted)))  # type: ignore[arg-type]


ROWS = [["name", "description", "Stage"], ["Kiln", TEXT, "Seed"], ["Br\u00f8nd", "S\u00f8ger, ledige GPU", "A"]]
CSV = "\n".join(";".join(row) for row in ROWS)
OBJECTS = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", CSV.encode()),
        ("t.csv", CSV.encode("utf-8-sig")),
        ("t.csv", CSV.encode("utf-16")),
        ("t.csv", CSV.encode("utf-16-le")),
        ("t.csv", CSV.encode("utf-16-be")),
        ("t.csv", CSV.replace(";", "|").encode()),
        ("t.csv", CSV.replace(";", "\t").encode("utf-16")),
        ("t.csv", CSV.replace("\n", "\r").encode()),
        ("t.csv", CSV.replace("\n", "\r\n").encode()),
        ("t.csv", f"sep=;\r\n{CSV}".encode()),
        ("t.csv", f"Startups of the third quarter\n\n{CSV}".encode()),
        ("t.csv", CSV.replace("\n", ";\n").encode()),
        ("t.json", json.dumps(OBJECTS).encode()),
        ("t.jsonl", json.dumps(OBJECTS, indent=2).encode()),
        ("t.json", json.dumps({"companies": OBJECTS}).encode()),
        ("t.jsonl", "\n".join(json.dumps(row, indent=1) for row in OBJECTS).encode()),
        ("t.xlsx", xlsx(ROWS)),
        ("t.xlsx", xlsx([["Startups"], [], *ROWS])),
    ],
)
def test_a_table_is_read_however_it_was_saved(name: str, data: bytes) -> None:
    pitches = read(name, data)
    assert [(pitch.id, pitch.title, pitch.text) for pitch in pitches] == [(row[0], row[0], row[1]) for row in ROWS[1:]]
    assert dict(pitches[0].columns) == {"name": "Kiln", "Stage": "Seed"}


def test_windows_1252_is_asked_for_before_anything_is_read_and_read_when_named() -> None:
    data = CSV.encode("windows-1252")
    with pytest.raises(
        InputError, match=r"line 3 would read 'Br\u00f8nd' if it is Windows-1252.*--encoding windows-1252"
    ):
        read("t.csv", data)
    assert read("t.csv", data, encoding="windows-1252")[1].id == "Br\u00f8nd"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("t.csv", b"%PDF-1.4\n1 0 obj", "is named .csv but is a PDF"),
        ("t.csv", xlsx(ROWS), "is an Excel workbook; rename it to .xlsx"),
        ("t.csv", b'[{"id": 1}]', "is JSON; rename it to .json"),
        ("t.csv", b"<html><table>", "is a web page"),
        ("t.jsonl", b"id,pitch\n1,one\n", "is not JSON"),
        ("t.parquet", b"id,pitch\n1,one\n", "is not a Parquet file"),
        ("t.xlsx", b"id,pitch\n1,one\n", "is not an Excel workbook"),
        ("t.csv", f"co-1,{TEXT * 4}\nco-2,{TEXT * 4}\n".encode(), "the first row names no columns"),
        ("t.csv", f"nr,bla\n1,{TEXT}\n".encode(), "which column holds the pitch?"),
        ("t.jsonl", b'{"id": 1, "name": "Kiln"}\n{"id": 2, "name": "Plain"}\n', "which column holds the pitch?"),
    ],
)
def test_what_is_not_certain_is_asked_or_refused(name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError) as raised:
        read(name, data)
    assert says in str(raised.value) and len(str(raised.value).splitlines()) <= 2


def test_columns_are_found_from_many_rows_and_several_texts_are_joined() -> None:
    rows = [{"id": 1, "name": "Empty"}, {"id": 2, "name": "Y", "one_liner": "GPUs.", "long_description": TEXT}, {"id": 3, "name": "Z", "one_liner": "Short."}]  # fmt: skip
    pitches = read("t.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert [(pitch.id, pitch.text) for pitch in pitches] == [("1", ""), ("2", f"GPUs.\n\n{TEXT}"), ("3", "Short.")]
    chosen = read("t.csv", b"a,b,c\n1,x,y\n", text=("c", "b"), title="a")
    assert (chosen[0].text, chosen[0].title, chosen[0].id) == ("y\n\nx", "1", "1")


def test_a_preview_says_what_was_understood() -> None:
    data = f"id,name,pitch\na,Kiln,{TEXT}\na,Kiln,{TEXT}\nb,Empty,\nc,Broken,x,y\n".encode()
    preview = preview_table(uploaded_table("t.csv", data))
    assert (preview.rows, preview.empty, preview.faulty, preview.same_id, preview.same_text) == (4, 1, 1, 2, 1)
    assert ("Format", "CSV, UTF-8, comma-separated") in preview.facts() and preview.same_ids == ("a",)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_own_columns_are_carried_to_the_output(tmp_path: Path, ending: str) -> None:
    source, output = tmp_path / "in.csv", tmp_path / f"out.{ending}"
    source.write_text(f"id,pitch,stage,Fund\n1,{TEXT},Seed,=A1\n")
    run(Sources((str(source),)), output, BulkOptions(model="keywords"))
    if ending == "jsonl":
        assert json.loads(output.read_text())["input"]["columns"] == {"stage": "Seed", "Fund": "=A1"}
    elif ending == "parquet":
        row = parquet.read_table(output).to_pylist()[0]
        assert (row["input_stage"], row["Fund"]) == ("Seed", "=A1")
    else:
        head, row_ = output.read_text().splitlines()
        assert head.endswith("input_stage,Fund") and row_.endswith("Seed,'=A1")


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t16.csv"])
def test_a_damaged_table_ends_in_rows_or_one_error_that_names_it(name: str) -> None:
    data = {"t.csv": CSV.encode(), "t.json": json.dumps(OBJECTS).encode(), "t16.csv": CSV.encode("utf-16")}[name]
    for seed in range(60):
        try:
            messages = [str(pitch.error) for pitch in read(name, damaged(data, random.Random(seed))) if pitch.error]
        except AnalyzerError as error:
            messages = [str(error)]
        assert all(name in message and len(message.splitlines()) <= 2 for message in messages), (seed, messages)


@pytest.mark.slow
def test_a_damaged_workbook_ends_in_rows_or_one_error_that_names_it() -> None:
    for seed in range(12):
        try:
            read("t.xlsx", damaged(xlsx(ROWS), random.Random(seed)))
        except AnalyzerError as error:
            assert "t.xlsx" in str(error)
