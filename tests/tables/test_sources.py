"""Whatever people have: the same table comes out of every kind of file."""

import zipfile
from datetime import date

import duckdb
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError, RefusedError

HEADER = "customer_id,ordered_at,amount,shop\n"
ROWS = HEADER + "007,2025-01-31,12.5,Köln\na b,2025-12-01,1234.56,\n"
EXPECTED = pd.DataFrame(
    {
        "customer_id": ["007", "a b"],
        "ordered_at": pd.to_datetime(["2025-01-31", "2025-12-01"]),
        "amount": [12.5, 1234.56],
        "shop": ["Köln", None],
    }
)


def same(frame, expected=EXPECTED):
    assert list(frame.columns) == list(expected.columns)
    for name in expected:
        ours, theirs = frame[name], expected[name]
        assert list(ours.isna()) == list(theirs.isna())
        assert list(ours.dropna()) == list(theirs.dropna())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ROWS, "utf-8"),
        (ROWS, "utf-8-sig"),
        (ROWS, "cp1252"),
        (ROWS, "utf-16"),
        (ROWS.replace("\n", "\r\n"), "utf-8"),
        (ROWS.replace("\n", "\r"), "utf-8"),
        (ROWS.replace(",Köln\n", ",Köln\r\n"), "utf-8"),
        (ROWS.replace(",", "\t"), "utf-8"),
        (ROWS.replace(",", "|"), "latin-1"),
        (ROWS.rstrip("\n"), "utf-8"),
        ("\n" + ROWS.replace("\na b", "\n\n\na b"), "utf-8"),
        (ROWS.replace(",", ";").replace("12.5", "12,5").replace("1234.56", "1.234,56"), "cp1252"),
        (ROWS.replace("2025-01-31", "31.1.2025").replace("2025-12-01", "01.12.2025"), "utf-8"),
        (ROWS.replace("2025-01-31", "1/31/2025").replace("2025-12-01", "12/1/2025"), "utf-8"),
        (ROWS.replace("2025-01-31", "20250131").replace("2025-12-01", "2025/12/1"), "utf-8"),
        (ROWS.replace("2025-01-31", "2025-01-31 00:00:00"), "utf-8"),
        (ROWS.replace("1234.56", '"1,234.56"'), "utf-8"),
        (ROWS.replace("1234.56", "1'234.56"), "utf-8"),
    ],
)
def test_text_files_in_many_habits(tmp_path, text, encoding):
    path = tmp_path / "orders.csv"
    path.write_bytes(text.encode(encoding))
    same(cx.read_transactions(path))


def test_parquet_database_and_frame_keep_their_types(tmp_path):
    typed = EXPECTED.assign(visits=[1, 2], ordered_at=EXPECTED["ordered_at"].dt.as_unit("ns"))
    typed.to_parquet(tmp_path / "orders.parquet")
    with duckdb.connect(tmp_path / "shop.duckdb") as con:
        con.register("typed", typed)
        con.execute("CREATE TABLE orders AS SELECT * FROM typed; CREATE TABLE other(x INT)")
    for source, options in [
        (typed, {}),
        (tmp_path / "orders.parquet", {}),
        (tmp_path / "shop.duckdb", {"sheet": "orders"}),
    ]:
        frame = cx.read_transactions(source, **options)
        same(frame, typed)
        assert frame["visits"].dtype == "int64"
    with pytest.raises(RefusedError, match=r"2 tables: orders, other.*Name one"):
        cx.read_transactions(tmp_path / "shop.duckdb")
    with pytest.raises(RefusedError, match=r'no table "order".*Did you mean orders'):
        cx.read_transactions(tmp_path / "shop.duckdb", sheet="order")


def write_excel(path, rows, sheets=("Orders",)):
    """A minimal workbook: inline strings, plain numbers, dates as day numbers in style 1."""
    letters = "ABCDEFGH"

    def cell(value, where):
        if isinstance(value, str):
            return f'<c r="{where}" t="inlineStr"><is><t>{value}</t></is></c>'
        if isinstance(value, date):
            return f'<c r="{where}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        return f'<c r="{where}"><v>{value}</v></c>'

    body = "".join(
        f'<row r="{i}">'
        + "".join(cell(v, f"{letters[j]}{i}") for j, v in enumerate(row) if v is not None)
        + "</row>"
        for i, row in enumerate(rows, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/s{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(
            f'<sheet name="{s}" sheetId="{n}" r:id="r{n}"/>'
            for n, s in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in numbers
        )
        + f'<Relationship Id="r99" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for n in numbers:
        parts[f"xl/worksheets/s{n}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{body if n == 1 else ""}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text)


EXCEL_ROWS = [
    ["customer_id", "ordered_at", "amount", "shop"],
    ["007", date(2025, 1, 31), 12.5, "Köln"],
    [None, None, None, None],
    ["a b", date(2025, 12, 1), 1234.56, None],
]


def test_excel(tmp_path):
    write_excel(tmp_path / "orders.xlsx", EXCEL_ROWS)
    same(cx.read_transactions(tmp_path / "orders.xlsx"))


def test_excel_names_the_row_of_the_sheet_and_asks_for_one_sheet(tmp_path):
    rows = [*EXCEL_ROWS[:3], ["a b", date(2025, 12, 1), "12,5O", None]]
    write_excel(tmp_path / "orders.xlsx", rows)
    with pytest.raises(CxError, match=r'"12,5O" \(in row 4\)'):
        cx.read_transactions(tmp_path / "orders.xlsx")
    write_excel(tmp_path / "two.xlsx", EXCEL_ROWS, sheets=("Orders", "Notes"))
    with pytest.raises(RefusedError, match="2 sheets: Orders, Notes"):
        cx.read_transactions(tmp_path / "two.xlsx")
    same(cx.read_transactions(tmp_path / "two.xlsx", sheet="Orders"))
    with pytest.raises(CxError, match="is empty: sheet Notes"):
        cx.read_transactions(tmp_path / "two.xlsx", sheet="Notes")


def test_a_frame_with_odd_cells():
    odd = pd.DataFrame(
        {
            "customer_id": [1.0, 2.0, 3.0],
            "ordered_at": [date(2025, 1, 1), "2.1.2025", pd.Timestamp("2025-01-03")],
            "amount": [1, "2,5", 3.25],
            "tier": pd.Categorical(["a", "b", None]),
        }
    )
    with pytest.raises(CxError, match=r"amount must be a number: 1 of 3 is "):
        cx.read_transactions(odd)
    frame = cx.read_transactions(odd.assign(amount=[1, 2, 3]))
    assert list(frame["customer_id"]) == ["1", "2", "3"]
    assert list(frame["ordered_at"].dt.day) == [1, 2, 3]
    assert list(frame["tier"].dropna()) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.csv", b"", CxError, "a.csv is empty: it has no header and no rows"),
        ("a.csv", b"\n \n", CxError, "is empty: it holds blank lines only"),
        ("a.csv", HEADER.encode(), CxError, "holds no rows, only a header"),
        ("a.csv", b"%PDF-1.7", RefusedError, "is a PDF document"),
        ("a.csv", b"\x1f\x8b\x08", RefusedError, "gzip archive: unpack it first"),
        ("a.csv", b"\x00\x01\x02", RefusedError, "is no text file"),
        ("a.parquet", b"a,b\n1,2\n", RefusedError, "no Parquet file, though its name says so"),
        ("a.xlsx", b"PK\x03\x04rest", RefusedError, "cannot be opened as an Excel file"),
        ("a.csv", ROWS.encode() + b"\xe4,2025-01-01,1,\n", CxError, r"bytes e4 .*in line 4"),
        ("a.csv", b"a,b\n\x81,1\n", CxError, r"bytes 81 .*in line 2"),
    ],
)
def test_what_is_no_table(tmp_path, name, content, error, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message) as caught:
        cx.read_transactions(tmp_path / name)
    assert type(caught.value) is error


def test_a_named_encoding_is_held_to(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(ROWS.encode("cp1252"))
    with pytest.raises(CxError, match=r"bytes f6 are no utf-8 text \(first in line 2\)"):
        cx.read_transactions(path, encoding="utf-8")


def test_what_is_not_there(tmp_path):
    (tmp_path / "orders.csv").write_text(ROWS)
    with pytest.raises(RefusedError, match=r"is not there. Did you mean orders.csv\?"):
        cx.read_transactions(tmp_path / "order.csv")
    with pytest.raises(RefusedError, match=r"is a folder, not a file. It holds orders.csv"):
        cx.read_transactions(tmp_path)
    with pytest.raises(RefusedError, match=r"the folder .* does not exist"):
        cx.read_transactions(tmp_path / "no" / "orders.csv")
    with pytest.raises(RefusedError, match="cannot read from a list"):
        cx.read_transactions([1, 2])
    with pytest.raises(RefusedError, match="is an address"):
        cx.read_transactions("https://example.org/orders.csv")
