"""Real data that ships with an installed package, read by the same checking readers."""

from __future__ import annotations

from importlib import metadata

import pandas as pd

from cxlib.errors import CxError
from cxlib.tables.engine import read_source
from cxlib.tables.schema import TABLES

__all__ = ["CDNOW_UNTIL", "read_cdnow"]

CDNOW_UNTIL = "1998-06-30"


def read_cdnow() -> pd.DataFrame:
    """Purchases of CDs at CDNOW: the 1/10 sample of customers who first bought in early 1997.

    All 2,357 customers made their first purchase between 1 January and 25 March 1997; their
    purchases were followed until 30 June 1998. The usual split calibrates until 30 September 1997
    and keeps the 39 weeks after it as holdout.

    Returns
    -------
    pandas.DataFrame
        customer_id (the sample's four digits, ``"1516"``), ordered_at (whole dates), amount (US
        dollars), discs (number of CDs), master_id (the customer in the full data).

    Notes
    -----
    A few purchases cost nothing; they are kept, because the published counts of purchases contain
    them and a free order is a visit all the same. Equal lines are kept too: the data have no order
    number, and the published spending contains them. ``cx.intake`` tells how many there are.

    The file is read from the installed package lifetimes (MIT licence).

    Raises
    ------
    CxError
        The package lifetimes, or its file, is not installed.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
    https://doi.org/10.1287/mksc.1040.0098.

    Examples
    --------
    >>> purchases = read_cdnow()
    >>> purchases["customer_id"].nunique(), str(purchases["ordered_at"].max().date())
    (2357, '1998-06-30')
    """
    try:
        wheel = metadata.distribution("lifetimes")  # found without importing the package
        given = pd.read_csv(
            wheel.locate_file("lifetimes/datasets/CDNOW_sample.txt"),
            sep=r"\s+",
            header=None,
            names=["master_id", "customer_id", "ordered_at", "discs", "amount"],
            dtype=str,
        )
    except (metadata.PackageNotFoundError, FileNotFoundError) as error:
        raise CxError(
            "the CDNOW purchases are not here: they ship inside the package lifetimes. "
            "Install it with the other dependencies (make reports does)."
        ) from error
    given["discs"] = given["discs"].astype("int64")
    options = {"zero": "keep", "duplicates": "keep", "private": False}
    return read_source(
        given, TABLES["transactions"], options, label="CDNOW sample (1/10, 1997-1998)"
    )
