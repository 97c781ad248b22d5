"""From DuckDB to a pandas frame with the declared types, the same in pandas 2 and 3."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.tables.columns import Field
from cxlib.tables.request import Request
from cxlib.tables.schema import Table

__all__ = ["STRING", "to_frame"]

STRING = (
    pd.StringDtype("pyarrow", na_value=np.nan)
    if int(pd.__version__.split(".")[0]) >= 3
    else pd.StringDtype("pyarrow_numpy")
)


def to_frame(con, table: Table, fields: list[Field], request: Request) -> pd.DataFrame:
    """The table ``parsed`` as a frame: declared columns in their order, then extra ones."""
    con.execute(f"SET TimeZone = '{request.timezone or 'UTC'}'")
    by_name = {f.name: f for f in fields}
    declared = [c.name for c in table.columns if c.name in by_name or _melted(c.name, fields)]
    names = declared + [name for name in by_name if name not in declared]
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    cells = con.sql(f"SELECT {quoted} FROM parsed").to_arrow_table()
    return pd.DataFrame(
        {name: _series(cells.column(i), by_name.get(name), request) for i, name in enumerate(names)}
    )


def _melted(name: str, fields: list[Field]) -> bool:
    return name == "question" and any(f.question for f in fields)


def _series(cells: pa.ChunkedArray, f: Field | None, request: Request) -> pd.Series:
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        return pd.Series(STRING.__from_arrow__(cells))
    if f is None or f.column is None:
        return cells.to_pandas()
    if f.column.type == "integer":
        whole = pd.Series(pd.Int64Dtype().__from_arrow__(cells))
        return whole.astype("int64") if f.column.filled else whole
    if f.column.type == "flag":
        return pd.Series(pd.BooleanDtype().__from_arrow__(cells))
    values = cells.to_pandas()
    zone = f.zone_for(request)
    return values.dt.tz_convert(zone) if zone else values
