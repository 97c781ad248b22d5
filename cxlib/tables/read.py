"""Six readers that differ only in the declaration they pass on, and one check.

The engine reads; here the choices are documented and what was handled is said.
"""

from __future__ import annotations

import warnings

import pandas as pd

from cxlib.errors import CxWarning, RefusedError
from cxlib.tables.engine import read_source
from cxlib.tables.intake import Intake, intake
from cxlib.tables.schema import TABLES, Table
from cxlib.tables.sources import near

__all__ = [
    "check",
    "intake",
    "read_contacts",
    "read_customers",
    "read_events",
    "read_responses",
    "read_table",
    "read_transactions",
    "read_usage",
]


def read_table(source, table: Table, options: dict, label: str | None = None) -> pd.DataFrame:
    """Read any source as one of the declared tables; what all public readers do.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
    table : Table
    options : dict
        See ``read_transactions``.
    label : str, optional
        How messages call the source.
    """
    frame = read_source(source, table, options, label)
    if scales := options.get("scale"):
        frame.attrs["scale"] = {
            q.lower(): [float(low), float(high)] for q, (low, high) in scales.items()
        }
        nps = tuple(scales.get("nps", ()))
        if nps in ((0, 10), (1, 10)):
            frame.attrs["nps_scale"] = f"{nps[0]:g}-{nps[1]:g}"
    record = intake(frame)
    if record.handled:
        lines = "\n".join(f"  {i}. {h}" for i, h in enumerate(record.handled, start=1))
        text = f"{record.source}: handled while reading {table.name}.\n{lines}"
        warnings.warn(CxWarning(text), stacklevel=3)
    return frame


def check(source, table: str, **options) -> Intake:
    """All problems of a source at once, or how it would come in.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
    table : {"responses", "transactions", "contacts", "customers", "usage", "events"}
    **options
        As for the reader of that table.

    Returns
    -------
    Intake

    Raises
    ------
    RefusedError
        Nothing was read: no such file, table or option, or an impossible choice.
    CxError
        The content has problems; all are listed.

    Examples
    --------
    >>> import pandas as pd
    >>> check(pd.DataFrame({"customer_id": ["a"], "joined_at": ["2025-02-30"]}), "customers")
    Traceback (most recent call last):
        ...
    cxlib.errors.CxError: the frame cannot be used as customers.
      1. joined_at must be a day of the calendar: 1 of 1 is "2025-02-30" (in row 1).
    """
    if table not in TABLES:
        raise RefusedError(
            f'"{table}" is no table. Allowed: {", ".join(TABLES)}. {near(table, TABLES)}'.rstrip()
        )
    return intake(read_source(source, TABLES[table], options))


def read_transactions(source, **options) -> pd.DataFrame:
    """Read purchases: one row a purchase, checked as a whole.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        CSV or other delimited text, Parquet, Excel, a DuckDB file, or a frame.
    columns : mapping, optional
        Our name to theirs: ``{"amount": "Umsatz"}``. Other columns are kept as they are.
    missing : mapping, optional
        Further codes for "nothing given", by our name or theirs: ``{"amount": [-9]}``. Blank cells
        always are; in all but text columns also NA, N/A, NaN, NULL, None, "-" and the like.
    timezone : str, optional
        Where the clock of times of day hangs, such as ``"Europe/Berlin"``. Times with an offset are
        converted to it, so that the local date counts. Whole dates need none and stay naive.
    customer_id : str or None, optional
        Their name for the customer. None numbers the rows of anonymous answers, contacts or events.
    negative : {"drop", "net", "keep"}, default "drop"
        Returns, that is negative amounts. "drop" leaves them out and the purchases whole. "net"
        takes a return off the order of the same ``order_id`` where that order has purchases, else
        off the customer's latest purchase before it, then the one before that; same time counts as
        before. What is wholly returned is left out, a margin shrinks in proportion, and what finds
        no purchase is reported. A later return then changes an earlier purchase, which a holdout
        test must not know. "keep" keeps rows with negative amounts.
    zero : {"keep", "drop"}, default "keep"
        Amounts of zero (vouchers, free replacements). The customer came back, which is what counts
        of purchases measure; models of spending leave them out by themselves.
    no_customer : {"drop", "error"}, default "drop"
        Purchases that nobody can be named for; "error" is the default of the other tables.
    duplicates : {"keep", "drop", "error"}, default "keep"
        Rows equal to an earlier one in every cell. Two of the same article in one basket are two
        honest lines, so that only the caller can know that an export wrote them twice.
    decimal : {".", ","}, optional
    dayfirst : bool, optional
        Needed only where the column itself does not decide ("1.234", "03/04/2025").
    delimiter, encoding, sheet : str, optional
        Of a text file; sheet of an Excel file or table of a database. Found out where possible.
    private : bool, optional
        Whether customer ids are replaced by pseudonyms such as ``c_3f9a61c07be2d845``, the same in
        every table and run of one key. By default they are in a Jupyter kernel, whose outputs may
        be passed on, and are not in plain Python; files below ``data/sample`` concern nobody and
        keep theirs. ``cx.export(..., real_ids=True)`` writes the real ones.

    Returns
    -------
    pandas.DataFrame
        customer_id and other names as text, ordered_at as datetime64, amount as float64; declared
        columns first, extra ones after. ``cx.intake(frame)`` tells what was read and handled.

    Raises
    ------
    RefusedError
        Nothing was read: no such file, unknown option, impossible choice.
    CxError
        Anything in the content that breaks a rule: all problems at once, each with line, column,
        the text found and a count.

    Warns
    -----
    CxWarning
        Rows were handled by one of the choices above; one message for all.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "Kunde": ["a", "a", "b"],
    ...     "am": ["03.01.2025", "17.02.2025", "1.3.2025"],
    ...     "Umsatz": ["1.234,50", "80,00", "19,90"],
    ... })
    >>> names = {"customer_id": "Kunde", "ordered_at": "am", "amount": "Umsatz"}
    >>> read_transactions(orders, columns=names)
      customer_id ordered_at  amount
    0           a 2025-01-03  1234.5
    1           a 2025-02-17    80.0
    2           b 2025-03-01    19.9
    """
    return read_table(source, TABLES["transactions"], options)


def read_responses(source, **options) -> pd.DataFrame:
    """Read answers: one row an answer, or an invitation without one (its score is missing).

    Parameters
    ----------
    source, columns, missing, timezone, customer_id, decimal, dayfirst, delimiter, encoding, sheet
        And ``private``: as in ``read_transactions``; ``customer_id=None`` numbers anonymous rows.
    questions : mapping, optional
        Question to their column: ``{"nps": "NETPRO", "csat": "Q7ALL"}``. The wide file becomes one
        row a question and respondent.
    scale : mapping, optional
        Lowest and highest score of a question. ``nps`` is (0, 10) unless said otherwise; scores
        outside are problems. Whoever names the scale of ``nps`` is not asked about it later, and
        ``frame.attrs["scale"]`` keeps what was named for those who need it.
    mapping : mapping of text to number, optional
        Scores of answers in words, ``{"stimme zu": 6, "stimme eher zu": 5}``; case and outer spaces
        do not count. A text that it does not name is a problem: no order of words is guessed.
    no_customer, duplicates
        As in ``read_transactions``, with defaults "error" and "keep".

    Returns
    -------
    pandas.DataFrame
        customer_id, question, score (float64), then the other columns.

    Raises
    ------
    RefusedError, CxError
        As in ``read_transactions``.

    Examples
    --------
    >>> import pandas as pd
    >>> survey = pd.DataFrame({"NETPRO": [9, 11, 3]})
    >>> read_responses(survey, questions={"nps": "NETPRO"}, customer_id=None)
    Traceback (most recent call last):
        ...
    cxlib.errors.CxError: the frame cannot be used as responses.
      1. column NETPRO: scores must lie in 0-10: 1 of 3 is 11 (in row 2). Is 11 a code for
         "no answer"? Pass missing={"score": [11]}.
    >>> options = {"questions": {"nps": "NETPRO"}, "customer_id": None}
    >>> read_responses(survey, missing={"score": [11]}, **options)
      customer_id question  score
    0 anonymous-1      nps    9.0
    1 anonymous-2      nps    NaN
    2 anonymous-3      nps    3.0
    """
    return read_table(source, TABLES["responses"], options)


def read_contacts(source, **options) -> pd.DataFrame:
    """Read service cases: one row a case; ``contact_id`` may not repeat.

    Parameters
    ----------
    source, **options
        As in ``read_transactions``, without ``negative`` and ``zero``.

    Returns
    -------
    pandas.DataFrame
        contact_id, customer_id, opened_at, then the other declared and extra columns.

    Raises
    ------
    RefusedError, CxError
        As in ``read_transactions``.

    Examples
    --------
    >>> import pandas as pd
    >>> cases = pd.DataFrame({"contact_id": [1], "customer_id": ["a"], "opened_at": ["2025-01-03"]})
    >>> read_contacts(cases)
      contact_id customer_id  opened_at
    0          1           a 2025-01-03
    """
    return read_table(source, TABLES["contacts"], options)


def read_customers(source, **options) -> pd.DataFrame:
    """Read customers: one row a customer; ``customer_id`` may not repeat.

    Parameters
    ----------
    source, **options
        As in ``read_transactions``, without ``negative`` and ``zero``.

    Returns
    -------
    pandas.DataFrame
        customer_id, joined_at, then the other declared and extra columns.

    Raises
    ------
    RefusedError, CxError
        As in ``read_transactions``.

    Examples
    --------
    >>> import pandas as pd
    >>> read_customers(pd.DataFrame({"customer_id": ["a"], "joined_at": ["2025-01-03"]}))
      customer_id  joined_at
    0           a 2025-01-03
    """
    return read_table(source, TABLES["customers"], options)


def read_usage(source, **options) -> pd.DataFrame:
    """Read use of the app: one row a customer and week; the pair may not repeat.

    Parameters
    ----------
    source, **options
        As in ``read_transactions``, without ``negative`` and ``zero``.

    Returns
    -------
    pandas.DataFrame
        customer_id, week (int64), then the other declared and extra columns.

    Raises
    ------
    RefusedError, CxError
        As in ``read_transactions``.

    Examples
    --------
    >>> import pandas as pd
    >>> read_usage(pd.DataFrame({"customer_id": ["a"], "week": [3], "logins": [5]}))
      customer_id  week  logins
    0           a     3       5
    """
    return read_table(source, TABLES["usage"], options)


def read_events(source, **options) -> pd.DataFrame:
    """Read events: one row for something that happened or was done to a customer.

    Parameters
    ----------
    source, **options
        As in ``read_transactions``, without ``negative`` and ``zero``.

    Returns
    -------
    pandas.DataFrame
        customer_id, at, kind, then the other declared and extra columns.

    Raises
    ------
    RefusedError, CxError
        As in ``read_transactions``.

    Examples
    --------
    >>> import pandas as pd
    >>> read_events(pd.DataFrame({"customer_id": ["a"], "at": ["2025-01-03"], "kind": ["visit"]}))
      customer_id         at   kind
    0           a 2025-01-03  visit
    """
    return read_table(source, TABLES["events"], options)
