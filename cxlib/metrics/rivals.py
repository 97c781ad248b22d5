"""Who enters the contest of predictors: what customers said, and what the order book knows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.metrics.behaviour import need_columns

__all__ = ["survey_rivals"]

BOOK = ("earlier_rate", "recency_weeks")


def survey_rivals(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Predictors from recommendation, intention, satisfaction and the order book.

    Parameters
    ----------
    frame : DataFrame
        nps; where there are such columns intent, csat, and earlier_rate and recency_weeks as
        `cx.follow_up` gives them.

    Returns
    -------
    DataFrame
        The rows with all these answers, and the columns nps_class (0 detractor, 1 passive,
        2 promoter) and top2 (csat on its two highest answers).
    dict of str to list of str
        For `cx.predictive_power`; "NPS" comes first and is what the others are compared with.

    Raises
    ------
    CxError
        There is no column nps.

    Examples
    --------
    >>> frame = pd.DataFrame({"nps": [10, 7, 3], "intent": [9, 4, None]})
    >>> rows, rivals = survey_rivals(frame)
    >>> rows["nps_class"].tolist(), rivals["NPS and intention"]
    ([2, 1], ['nps_class', 'intent'])
    """
    need_columns(frame, ["nps"], "A contest of predictors")
    asked = [name for name in ("nps", "intent", "csat") if name in frame]
    rows = frame[frame[asked].notna().all(axis=1)]
    rows = rows.assign(nps_class=np.digitize(rows["nps"].astype(float), [7, 9]))
    rivals = {"NPS": ["nps_class"], "recommendation 0-10": ["nps"]}
    if "intent" in asked:
        rivals |= {"intention": ["intent"], "NPS and intention": ["nps_class", "intent"]}
    if "csat" in asked and len(rows):
        rows["top2"] = (rows["csat"] >= rows["csat"].max() - 1).astype(float)
        rivals |= {"satisfaction": ["csat"], "top-2 satisfied": ["top2"]}
    rivals["all answers"] = asked
    if set(BOOK) <= set(rows):
        rivals |= {"order book": [*BOOK], "order book and answers": [*BOOK, *asked]}
    return rows, rivals
