"""The weak spot of BG/NBD, looked at: customers with a single purchase."""

from __future__ import annotations

import pandas as pd

from cxlib.clv.histories import require_columns

__all__ = ["one_time_buyers"]


def one_time_buyers(model, summary: pd.DataFrame) -> pd.DataFrame:
    """What the model says of customers with and without a repeat purchase, and what came.

    In BG/NBD customers leave only after a repeat purchase, so P(alive) of a one-time buyer is 1
    however long the silence. "Active" is not "will buy", so what counts is the last two columns.

    Parameters
    ----------
    model : BetaGeo
    summary : DataFrame
        With holdout columns, from ``summarize(..., calibration_until=...)``.

    Returns
    -------
    DataFrame
        Index group ("one purchase", "came back"); columns customers, p_alive (mean), bought_again
        (share with a purchase in the holdout), expected and actual (mean purchases in it).

    Raises
    ------
    CxError
        A column is missing.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5})
    >>> table = one_time_buyers(truth, truth.simulate(40.0, customers=500, horizon=20.0, seed=3))
    >>> float(table.loc["one purchase", "p_alive"])
    1.0
    """
    require_columns(summary, ("holdout_frequency", "holdout_duration"))
    came_back = (summary["frequency"] > 0).map({False: "one purchase", True: "came back"})
    columns = pd.DataFrame(
        {
            "customers": 1,
            "p_alive": model.p_alive(summary),
            "bought_again": (summary["holdout_frequency"] > 0).astype(float),
            "expected": model.expected_purchases(summary, summary["holdout_duration"]),
            "actual": summary["holdout_frequency"],
        }
    ).groupby(came_back.rename("group"))
    return columns.mean().assign(customers=columns.size()).loc[lambda t: t.index[::-1]]
