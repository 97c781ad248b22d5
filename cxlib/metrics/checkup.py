"""Ten pitfalls of a recommendation score, and which of them matter in the data at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics import pitfalls
from cxlib.metrics.answers import read_answers
from cxlib.metrics.votes import (
    naive_dates,
    nps_rows,
    read_votes,
    require_columns,
    settled_scale,
    told_in_words,
)
from cxlib.stats.checks import check_level

__all__ = ["PITFALLS", "nps_checkup"]

PITFALLS = (
    "sampling error",
    "lost information",
    "intention is not behaviour",
    "mix shift",
    "non-response",
    "response style",
    "ranking small teams",
    "trend noise",
    "gaming and timing",
    "prediction",
)
NEEDS = {
    "lost information": "split",
    "intention is not behaviour": "churn",
    "mix shift": "segment",
    "response style": "culture",
    "ranking small teams": "team",
    "trend noise": "period",
    "gaming and timing": "asked",
    "prediction": "churn",
}


def nps_checkup(
    responses: pd.DataFrame,
    *,
    columns: Mapping[str, object] | None = None,
    known: Sequence[str] = (),
    population: pd.DataFrame | None = None,
    predictors: Mapping[str, Sequence[str]] | None = None,
    margin: float = 2.0,
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    scale: str = "ask",
) -> pd.DataFrame:
    """Judge ten pitfalls of the net promoter score in the data at hand.

    Parameters
    ----------
    responses : DataFrame
        One row an invitation; the score is missing where nobody answered.
    columns : mapping of role to column
        Which column plays which role: ``period`` (sorted), ``segment`` (of which the mix may
        shift), ``split`` (two groups that a good measure should tell apart), ``churn`` (left
        later, 0 or 1), ``culture`` and ``anchor`` (a group that may answer in a style of its own;
        a fact that customers of all groups share), ``team``, ``asked`` (when, how or by whom was
        asked). A role may also be a pair (frame, column), for surveys that come as several tables.
    known : sequence of str
        Columns known of those who did not answer.
    population : DataFrame, optional
        All members with the columns `known`; default everybody asked in the last period.
    predictors : mapping of name to columns, optional
        Rivals of the score in foretelling churn.
    margin : float
        How many points would change what is said; stated before looking.
    level, score_col, weight_col, cluster_col, scale
        As in `nps_trend`.

    Returns
    -------
    DataFrame
        pitfall, verdict ("harmless here", "matters here", "cannot tell with these data"), number,
        low, high, unit, rests_on; ten rows. A distortion in points is harmless if its whole
        interval lies within the margin, and matters if wholly beyond. 1: luck may exceed the
        margin. 2: of the mean's information less than .9. 3: promoters leave at least half as
        often as detractors. 5: never harmless unless the worst case is. 7: less than .7 of the
        spread between teams is real. 8: at least half of the moves beyond the margin may be luck.
        10: a rival predicts better, out of sample; harmless up to .02.

    Raises
    ------
    CxError
        An unknown role, a column that is not there, answers off the scale; all at once.

    Examples
    --------
    >>> days = ["2025Q1"] * 60 + ["2025Q2"] * 60
    >>> table = pd.DataFrame({"score": [9] * 40 + [5] * 20 + [9] * 36 + [5] * 24, "when": days})
    >>> found = nps_checkup(table, columns={"period": "when"})
    >>> found.loc[0, ["pitfall", "verdict"]].tolist()
    ['sampling error', 'matters here']
    """
    check_level(level)
    if not margin > 0:
        raise CxError(f"margin must be above 0 points: found {margin!r}.")
    day = next((name for name in ("invited_at", "answered_at") if name in responses), None)
    if day is not None:  # the latest answer of a customer is the latest by date
        days = naive_dates(responses[day], day).to_numpy()
        responses = responses.iloc[np.argsort(days, kind="stable")]
    roles = _roles(responses, dict(columns or {}))
    require_columns(responses, [score_col, weight_col, cluster_col, *known])
    asked = nps_rows(responses)
    settled_scale(asked[score_col], scale)
    weights = None if weight_col is None else asked[weight_col]
    read_answers(asked[score_col], (0, 10), weights=weights)
    options = {"score_col": score_col, "weight_col": weight_col, "cluster_col": cluster_col}
    weighted, clustered = weight_col is not None, cluster_col is not None

    def votes_of(*names):
        frames = [roles[name][0] for name in names if name in roles]
        source = frames[0] if frames else responses
        wanted = [roles[name][1] for name in names if name in roles]
        own = {k: v if v is None or v in source else None for k, v in options.items()}
        return read_votes(source, dict.fromkeys(wanted), scale="0-10", **own)

    def column(name):
        return roles[name][1]

    def with_period(*names):
        votes = votes_of(*names, "period") if names else votes_of("period")
        period = votes[column("period")] if "period" in roles else "all"
        votes = votes.assign(**{"a period": period})
        return votes, sorted(votes["a period"].unique())

    def rule(name):
        if name == "sampling error":
            return pitfalls.sampling_error(*with_period(), level, margin, weighted, clustered)
        if name == "lost information":
            return pitfalls.lost_information(
                votes_of("split"), column("split"), level, weighted, clustered
            )
        if name == "intention is not behaviour":
            return pitfalls.intention(votes_of("churn"), column("churn"), level)
        if name == "mix shift":
            votes, periods = with_period("segment")
            return pitfalls.mix_shift(votes, periods, column("segment"), level, margin, weighted)
        if name == "non-response":
            return pitfalls.nonresponse(
                _last_period(responses, roles),
                score_col,
                list(known),
                population,
                level,
                margin,
                weight_col,
            )
        if name == "response style":
            anchor = column("anchor") if "anchor" in roles else None
            table = pitfalls.contrasts(
                votes_of("culture", "anchor"), column("culture"), level, weighted, anchor
            )
            told = f" at the same {anchor}" if anchor else "; style or experience: no anchor"
            beyond = pitfalls.MATTERS if anchor else pitfalls.CANNOT
            return pitfalls.largest_contrast(table, margin, beyond, told)
        if name == "ranking small teams":
            return pitfalls.small_teams(
                votes_of("team"), column("team"), level, weighted, clustered
            )
        if name == "trend noise":
            votes, _ = with_period()
            inner = {"weight_col": "weight" if weighted else None,
                     "cluster_col": "cluster" if clustered else None}  # fmt: skip
            return pitfalls.trend_noise(votes, inner, level, margin)
        if name == "gaming and timing":
            table = pitfalls.contrasts(votes_of("asked"), column("asked"), level, weighted)
            told = f" of {column('asked')}"
            return pitfalls.largest_contrast(table, margin, pitfalls.MATTERS, told)
        rivals = {n: list(c) for n, c in (predictors or {}).items() if set(c) <= set(responses)}
        if not rivals:
            raise CxError("No rival is named: pass predictors.")
        extra = [c for columns_ in rivals.values() for c in columns_]
        votes = read_votes(
            responses, dict.fromkeys([column("churn"), *extra]), scale="0-10", **options
        )
        return pitfalls.prediction(votes, column("churn"), rivals, level)

    rows = []
    for number, name in enumerate(PITFALLS, start=1):
        need = NEEDS.get(name)
        if need is not None and need not in roles:
            found = pitfalls.Finding(pitfalls.CANNOT, *[np.nan] * 3, "", f"no column for: {need}")
        else:
            try:
                found = rule(name)
            except CxError as error:
                found = pitfalls.Finding(pitfalls.CANNOT, *[np.nan] * 3, "", error.headline)
        rows.append({"no": number, "pitfall": name} | vars(found))
    return pd.DataFrame(rows)


def _last_period(responses, roles) -> pd.DataFrame:
    asked = nps_rows(responses)
    if "period" in roles and roles["period"][0] is responses:
        period = asked[roles["period"][1]]
        asked = asked[period == sorted(period.dropna().unique())[-1]]
    return asked


def _roles(responses, given: dict) -> dict:
    allowed = {*NEEDS.values(), "anchor"}
    problems = [
        Problem(f"there is no role {name!r}", allowed=", ".join(sorted(allowed)))
        for name in given
        if name not in allowed
    ]
    roles = {}
    for name, what in given.items():
        if what is None:
            continue
        frame, column = what if isinstance(what, tuple) else (responses, what)
        if column not in frame:
            problems.append(Problem(f"{name}: column {column!r} is missing"))
        elif name == "churn":
            problems += told_in_words(frame, [column])
        roles[name] = frame, column
    if problems:
        raise CxError("The checkup cannot begin.", problems)
    return roles
