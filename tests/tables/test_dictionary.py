"""The data dictionary says what the declarations say."""

import re
from pathlib import Path

import pytest

from cxlib.tables.schema import TABLES

TEXT = (Path(__file__).parents[2] / "data" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", list(TABLES))
def test_the_dictionary_lists_every_column(name):
    section = re.search(rf"### {name}\n(.*?)(?=\n##)", TEXT, re.S).group(1)
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    listed = [[cell.strip() for cell in row] for row in rows]
    assert [row[0] for row in listed] == [
        f"**{c.name}**" if c.required else c.name for c in TABLES[name].columns
    ]
    assert [row[1] for row in listed] == [c.type for c in TABLES[name].columns]
    assert [row[4] for row in listed] == [c.meaning for c in TABLES[name].columns]
