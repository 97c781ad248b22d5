"""What becomes of returns, zero amounts, rows without a customer and repeated lines.

Each of these is a choice with a default, carried out in SQL on the table ``parsed`` and recorded.
The order is fixed: rows without a customer, repeated lines, negative amounts, zero amounts.
"""

from __future__ import annotations

import duckdb

from cxlib.tables.intake import Handled

__all__ = ["CHOICES", "handle_no_customer", "handle_repeated", "handle_signed", "mark_repeated"]

CHOICES = {
    "negative": ("drop", "net", "keep"),
    "zero": ("drop", "keep"),
    "no_customer": ("drop", "error"),
    "duplicates": ("keep", "drop", "error"),
}


def mark_repeated(con: duckdb.DuckDBPyConnection, fields: int) -> tuple[int, int, int]:
    """Fill ``repeated`` with the rows of ``raw`` that equal an earlier one in every cell.

    Returns
    -------
    count, first, original : int
        Repeated rows, the first of them, and the row it repeats (-1 without any).
    """
    names = ", ".join(f"c{i}" for i in range(fields))
    con.execute(
        f"""CREATE TEMP TABLE repeated AS
        WITH twins AS (SELECT hash({names}) AS h FROM raw GROUP BY 1 HAVING count(*) > 1),
        numbered AS (
            SELECT rowid AS "row", min(rowid) OVER (PARTITION BY {names}) AS original
            FROM raw WHERE hash({names}) IN (SELECT h FROM twins))
        SELECT "row", original FROM numbered WHERE "row" > original"""
    )
    found = con.execute(
        'SELECT count(*), coalesce(min("row"), -1), coalesce(arg_min(original, "row"), -1) '
        "FROM repeated"
    )
    return found.fetchone()


def handle_no_customer(con: duckdb.DuckDBPyConnection) -> list[Handled]:
    """Leave out the rows that nobody can be named for."""
    count = _delete(con, "customer_id IS NULL")
    if not count:
        return []
    return [
        Handled(
            f"{_rows(count)} without a customer left out",
            count,
            'no_customer="drop"',
            'Pass no_customer="error" to be stopped instead',
        )
    ]


def handle_repeated(con, choice: str, found: tuple[int, int], place: str) -> list[Handled]:
    """Keep or leave out the rows that repeat an earlier one exactly."""
    count, line = found
    if not count:
        return []
    first = f"first in {place} {line:,}" if count > 1 else f"in {place} {line:,}"
    if choice == "keep":
        what = f"{_rows(count)} equal to an earlier one in every cell kept ({first})"
        change = 'Pass duplicates="drop" if an export wrote them twice'
    else:
        _delete(con, '"row" IN (SELECT "row" FROM repeated)')
        what = f"{_rows(count)} equal to an earlier one in every cell left out ({first})"
        change = 'Pass duplicates="keep" if equal lines are separate purchases'
    return [Handled(what, count, f'duplicates="{choice}"', change)]


def handle_signed(
    con: duckdb.DuckDBPyConnection, column: str, time: str, present: set[str], choices: dict
) -> list[Handled]:
    """Carry out ``negative=`` and ``zero=`` on the column of money.

    Parameters
    ----------
    con : DuckDB connection
    column, time : str
        Names of the amount and of its time.
    present : set of str
        Columns of ``parsed``.
    choices : dict
        ``negative`` and ``zero``.
    """
    handled = []
    count, money = con.execute(
        f"SELECT count(*), coalesce(sum({column}), 0) FROM parsed WHERE {column} < 0"
    ).fetchone()
    zeros = con.execute(f"SELECT count(*) FROM parsed WHERE {column} = 0").fetchone()[0]
    if count:
        what, change = f"{_rows(count)} with negative {column} ({money:,.2f} in total)", ""
        if choices["negative"] == "drop":
            _delete(con, f"{column} < 0")
            what += " left out; the purchases they return stay whole"
            change = (
                'Pass negative="net" to take returns off earlier purchases, "keep" to keep them'
            )
        elif choices["negative"] == "net":
            what += _net(con, column, time, present)
            change = 'Pass negative="drop" to leave returns out without netting'
        else:
            what += " kept as rows of their own"
            change = 'Pass negative="net" or "drop" before counting purchases'
        handled.append(Handled(what, count, f'negative="{choices["negative"]}"', change))
    if zeros:
        if choices["zero"] == "drop":
            _delete(con, f"{column} = 0")
        kept = "kept as purchases" if choices["zero"] == "keep" else "left out"
        other = "drop" if choices["zero"] == "keep" else "keep"
        change = f'Pass zero="{other}" to {"leave them out" if other == "drop" else "keep them"}'
        what = f"{_rows(zeros)} with {column} zero {kept}"
        handled.append(Handled(what, zeros, f'zero="{choices["zero"]}"', change))
    return handled


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _delete(con, condition: str) -> int:
    return con.execute(f"DELETE FROM parsed WHERE {condition}").fetchone()[0]


_NETTING = """
CREATE OR REPLACE TEMP TABLE netted AS
WITH running AS (
    SELECT *, sum(money) OVER past AS balance FROM ledger
    WINDOW past AS (PARTITION BY part ORDER BY moment, money < 0, "row"
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)),
grounded AS (
    SELECT *, least(0, min(balance) OVER past) AS ground FROM running
    WINDOW past AS (PARTITION BY part ORDER BY moment, money < 0, "row"
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)),
levels AS (
    SELECT *, coalesce(lag(balance - ground) OVER steps, 0) AS level_before,
           coalesce(lag(ground) OVER steps, 0) - ground AS unmatched,
           min(balance - ground) OVER (
               PARTITION BY part ORDER BY moment, money < 0, "row"
               ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS lowest_after
    FROM grounded
    WINDOW steps AS (PARTITION BY part ORDER BY moment, money < 0, "row"))
SELECT "row", money, CASE WHEN money > 0 THEN greatest(0, lowest_after - level_before) END AS rest,
       unmatched
FROM levels
"""


def _net(con, column: str, time: str, present: set[str]) -> str:
    """Take returns off purchases and say what happened.

    A customer's purchases lie on a stack and a return takes from its top: the running balance,
    never below ground, is the height of the stack, and what is left of a purchase is the part of
    its layer that lies under every later height. First within orders that name both a purchase and
    the return, then over the other returns and what is left of the customer's purchases.
    """
    order = "order_id" if "order_id" in present else "NULL"
    con.execute(
        f"""CREATE TEMP TABLE flow AS
        SELECT "row", customer_id, {order} AS order_id, {time} AS moment,
               CAST({column} AS DECIMAL(38, 6)) AS money
        FROM parsed WHERE {column} <> 0 AND customer_id IN (
            SELECT customer_id FROM parsed WHERE {column} < 0)"""
    )
    con.execute(
        """CREATE TEMP TABLE ledger AS
        SELECT "row", customer_id || chr(31) || order_id AS part, moment, money FROM flow
        WHERE (customer_id, order_id) IN (
            SELECT (customer_id, order_id) FROM flow WHERE order_id IS NOT NULL
            GROUP BY customer_id, order_id HAVING min(money) < 0 AND max(money) > 0)"""
    )
    con.execute(_NETTING)
    con.execute("CREATE TEMP TABLE netted_orders AS SELECT * FROM netted")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE ledger AS
        SELECT f."row", f.customer_id AS part, f.moment, coalesce(o.rest, f.money) AS money
        FROM flow f LEFT JOIN netted_orders o USING ("row")
        WHERE o."row" IS NULL OR o.rest > 0"""
    )
    con.execute(_NETTING)
    con.execute(
        """CREATE TEMP TABLE rests AS
        SELECT "row", f.money, coalesce(n.rest, o.rest) AS rest
        FROM flow f LEFT JOIN netted n USING ("row") LEFT JOIN netted_orders o USING ("row")
        WHERE f.money > 0"""
    )
    reduced, returned = con.execute(
        "SELECT count(*) FILTER (rest < money), count(*) FILTER (rest = 0) FROM rests"
    ).fetchone()
    unmatched, left = con.execute(
        """SELECT coalesce(sum(unmatched), 0), count(*) FILTER (unmatched > 0) FROM (
           SELECT unmatched FROM netted UNION ALL SELECT unmatched FROM netted_orders)"""
    ).fetchone()
    margin = (
        f", margin = parsed.margin * (rests.rest / parsed.{column})" if "margin" in present else ""
    )
    con.execute(
        f"""UPDATE parsed SET {column} = CAST(rests.rest AS DOUBLE){margin}
        FROM rests WHERE parsed."row" = rests."row" AND rests.rest > 0
        AND rests.rest < rests.money"""
    )
    _delete(con, f'{column} < 0 OR "row" IN (SELECT "row" FROM rests WHERE rest = 0)')
    text = (
        f" taken off {reduced:,} earlier purchases, of which {returned:,} wholly returned left out"
    )
    if left:
        text += f"; {left:,} found too few purchases to net and {unmatched:,.2f} of them is lost"
    return text
