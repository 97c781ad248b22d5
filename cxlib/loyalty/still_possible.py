"""Where too little was seen: how little, why, and what is still possible."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, WEEK
from cxlib.loyalty.occasions import LEVELS, NO_FAILURE, RECOVERY

__all__ = [
    "FEWEST",
    "TooRareError",
    "no_before",
    "no_control",
    "no_ladder",
    "no_level",
    "no_spread",
    "not_seen",
    "times",
    "too_rare",
]

FEWEST = 5  # occasions of a side, or answers: fewer say nothing of luck
SHORTEST = 4  # weeks that say something of purchases
TRIED = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 26, 39, 52, 78, 104)  # weeks to answer


class TooRareError(CxError):
    """A control or an exposure has too few occasions, whatever the outcome."""


def times(count: int) -> str:
    """``never``, ``once only``, ``3 times only``.

    Examples
    --------
    >>> [times(k) for k in (0, 1, 3)]
    ['never', 'once only', '3 times only']
    """
    return ("never", "once only")[count] if count < 2 else f"{count:,} times only"


def _among(study, among) -> np.ndarray:
    if among == "all":
        return np.ones(len(study), bool)
    return study.promoter == float(among == "promoters")


def _told(study, among="all") -> str:
    counts = np.bincount(study.level[_among(study, among)], minlength=len(LEVELS))
    told = ", ".join(f"{n} {c:,}" for n, c in zip(LEVELS, counts, strict=True) if c)
    return told or "no occasions"


def _or_words(ways) -> str:
    ways = list(ways)
    return " or ".join([", ".join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)


def _sides(study, control, exposure, among) -> dict[str, np.ndarray]:
    """Rows of a comparison by side, the control first."""
    mine, exposed = _among(study, among), study.mask(exposure)
    sides = {control: study.mask(control) & ~exposed, exposure: exposed}
    return {name: np.flatnonzero(rows & mine) for name, rows in sides.items()}


def _choices(study, pairs: dict[str, tuple], among: str, outcome: str | None) -> list[str]:
    """Of other choices those by which both sides have the outcome often enough.

    Where there is none: those that have others, or would have this one with other weeks.
    """
    sides = {way: _sides(study, *pair, among) for way, pair in pairs.items()}
    sides = {way: g for way, g in sides.items() if min(map(len, g.values())) >= FEWEST}
    have = {way: [o for o in OUTCOMES if _can_be_judged(study, g, o, True)]
            for way, g in sides.items()}  # fmt: skip
    good = [way for way, outcomes in have.items() if outcome in outcomes]
    if good:
        return [_or_words(good)]
    found: dict[str, list] = {}
    for way, outcomes in have.items():
        others = [_or_words(outcomes)] if outcomes else []
        if outcome is not None and outcome not in study.lacking:
            others += _weeks(study, sides[way], outcome, True)
        for other in others:
            found.setdefault(other, []).append(way)
    return [f"{_or_words(ways)} with {other}" for other, ways in found.items()]


def _exposures(study, control, among, outcome, but=()) -> list[str]:
    """Exposures that could be compared with a control."""
    names = [n for n in (*LEVELS[1:7], "failure") if n not in (control, *but)]
    return _choices(study, {f"exposure={n!r}": (control, n) for n in names}, among, outcome)


def _everybody(study, control, exposure, among, outcome) -> list[str]:
    pairs = {} if among == "all" else {"among='all'": (control, exposure)}
    return _choices(study, pairs, "all", outcome)


def too_rare(study, control, exposure, among: str, outcome: str) -> CxError:
    """Too few occasions of one side of a comparison, and what would do for an outcome."""
    one, other = (rows.size for rows in _sides(study, control, exposure, among).values())
    if one < FEWEST:
        return no_control(study, control, [exposure], one, among, outcome)
    return no_level(study, exposure, other, among, control, outcome)


def no_control(study, control, exposures, count: int, among: str, outcome=None) -> TooRareError:
    """Too few occasions of the control; without an outcome, each way out says for which it is."""
    exposure, whom = exposures[0], "" if among == "all" else f" of {among}"
    names = [n for n in (*LEVELS[1:7], NO_FAILURE) if n not in (control, exposure)]
    ways = _choices(study, {f"control={n!r}": (n, exposure) for n in names}, among, outcome)
    ways += _everybody(study, control, exposure, among, outcome)
    if control == NO_FAILURE:
        ways.append("tables with parcels or contacts that did not fail")
    what = f"There is no control: {count} occasions{whom} are {control!r}"
    if exposure == "failure" and control in LEVELS[1:7]:
        what += ", as those with a failure all belong to 'failure'"
    return _nothing_to_compare(what, study, among, outcome, ways)


def no_ladder(study, rungs, count: int, outcome: str) -> TooRareError:
    """Too few occasions without a failure for a ladder."""
    ways = []
    for control, exposure in ((a, b) for a in rungs for b in rungs[::-1] if a != b):
        way = f"recovery_effect with exposure={exposure!r} and control={control!r}"
        ways = ways or _choices(study, {way: (control, exposure)}, "all", outcome)
    ways.append("tables with parcels or contacts that did not fail")
    what = f"There is no control: {count} occasions are {NO_FAILURE!r}"
    return _nothing_to_compare(what, study, "all", outcome, ways)


def no_level(study, name, count: int, among: str, control=NO_FAILURE, outcome=None) -> TooRareError:
    """Too few occasions of an exposure; without an outcome, each way out says for which it is."""
    ways = _exposures(study, control, among, outcome, (name,))
    ways += _everybody(study, control, name, among, outcome)
    reported = [study.mask(n).any() for n in RECOVERY]
    empty = name in RECOVERY and not any(reported) and study.mask("unknown").any()
    more = sum(list(study.excluded.values())[3:])
    if count + more >= FEWEST and not empty:
        ways = ways or ["longer records, or more customers"]
        ways.append(f"perhaps failures='any': {more:,} occasions more enter, failed or not")
    whom = "" if among == "all" else f" of {among}"
    what = f"Recovery {name!r} was seen {times(count)} among eligible occasions{whom}"
    cause = " No failure says how it was made good: is the column recovery filled?" if empty else ""
    return _nothing_to_compare(what, study, among, outcome, ways, cause)


def _nothing_to_compare(what, study, among, outcome, ways, cause="") -> TooRareError:
    if outcome in study.lacking:
        cause += f" Besides, {study.lacking[outcome]}."
    possible = "; ".join(ways or ["longer records, or more customers"])
    return TooRareError(
        f"{what}. Seen are: {_told(study, among)}.{cause} Still possible: {possible}."
    )


def not_seen(study, groups: dict[str, np.ndarray], outcome: str, *, all_of=True) -> CxError:
    """An outcome that was seen too rarely after the occasions of some groups.

    Parameters
    ----------
    groups : dict of str to ndarray
        Rows of the study by name, the control first.
    all_of : bool
        Whether the other groups are all needed, or one of them beside the control.
    """
    counts = {name: _seen(study, rows, outcome) for name, rows in groups.items()}
    told = ", ".join(f"{times(k)} after {n!r}" for n, k in counts.items() if k < FEWEST)
    why = study.lacking.get(outcome, "")
    occasions = [rows.size for rows in groups.values()][1:]
    if max(occasions) < FEWEST:
        why = f"no such level has {FEWEST} eligible occasions (seen are: {_told(study)})"
        ways = _exposures(study, next(iter(groups)), "all", outcome, groups)
        ways = [f"recovery_effect with {way}" for way in ways]
        ways = ways or ["longer records, or more customers"]
    else:
        weeks = [] if why else _weeks(study, groups, outcome, all_of)
        ways = _other_outcomes(study, groups, outcome, all_of, weeks=not weeks) + weeks
        ways = ways or [f"tables that hold {outcome}" if why else "longer records"]
    reason = f", as {why}" if why else ""
    return CxError(
        f"{outcome} was seen {told}: too few to judge luck{reason}. Still possible: "
        f"{'; '.join(ways)}."
    )


def no_spread(study, groups: dict[str, np.ndarray], outcome: str, *, all_of=True) -> CxError:
    """An outcome that is the same after every occasion."""
    others = _other_outcomes(study, groups, outcome, all_of)
    return CxError(
        f"{outcome} shows no spread, so luck cannot be judged: it is the same after every occasion "
        f"of {next(iter(groups))!r}. Still possible: {'; '.join(others) or 'longer records'}."
    )


def _other_outcomes(study, groups, outcome, all_of, *, weeks=True) -> list[str]:
    """Outcomes that can be judged; where there is none, those that other weeks would follow."""
    others = [o for o in OUTCOMES if o != outcome and o not in study.lacking]
    seen = [o for o in others if _can_be_judged(study, groups, o, all_of)]
    if seen or not weeks:
        return [", ".join(seen)] if seen else []
    found: dict[str, list] = {}
    for other in others:
        for way in _weeks(study, groups, other, all_of):
            found.setdefault(way, []).append(other)
    return [f"{_or_words(names)} with {way}" for way, names in found.items()]


def no_before(study, groups: dict[str, np.ndarray], outcome: str) -> CxError:
    """An outcome of which too few occasions have the same measure from before."""
    known = ~np.isnan(study.before[outcome])
    counts = {n: _seen(study, rows[known[rows]], outcome) for n, rows in groups.items()}
    told = ", ".join(f"{times(k)} after {n!r}" for n, k in counts.items() if k < FEWEST)
    return CxError(
        f"{outcome} was seen with a measure from before it too rarely ({told}), so no change can "
        "be told. Still possible: correction='everybody' or 'weighted'."
    )


def _seen(study, rows, outcome) -> int:
    return int((~np.isnan(study.outcomes[outcome][rows])).sum())


def _can_be_judged(study, groups, outcome, all_of: bool) -> bool:
    control, *others = (_seen(study, rows, outcome) >= FEWEST for rows in groups.values())
    if not (control and (all(others) if all_of else any(others))):
        return False
    values = study.outcomes[outcome][next(iter(groups.values()))]
    return bool(np.nanmax(values) > np.nanmin(values))


def _weeks(study, groups, outcome, all_of) -> list[str]:
    """Other weeks of the design, with which the outcome would be seen often enough."""
    if outcome in ANSWERS:
        return _answer_weeks(study, groups, outcome, all_of)
    large = [_room(study, rows) for rows in groups.values() if rows.size >= FEWEST]
    # half of each group, or more, is followed to the end
    halves = [int(np.sort(room)[::-1][max(FEWEST, -(-room.size // 2)) - 1]) for room in large]
    now, silent = study.design["horizon_weeks"], study.design["churn_weeks"]
    most = min(halves, default=0)
    if outcome == "churn" and most // 2 >= SHORTEST and most < now + silent:
        weeks = f"horizon_weeks={most // 2} and churn_weeks={most // 2} ({now} and {silent} now)"
    elif outcome != "churn" and SHORTEST <= most < now:
        weeks = f"horizon_weeks={most} ({now} now)"
    else:
        return []
    return [f"{weeks}, as the records end early"]


def _answer_weeks(study, groups, outcome, all_of) -> list[str]:
    """The weeks of a few in which the rarest group answers most, if that is often enough."""
    now, best = study.design["answer_weeks"], (FEWEST - 1, 0)
    for weeks in TRIED:
        control, *others = (
            int(((_room(study, rows) >= weeks) & (study.wait[outcome][rows] < weeks * WEEK)).sum())
            for rows in groups.values()
        )
        least = min(control, (min if all_of else max)(others))
        best = max(best, (least, -weeks))
    if not best[1]:
        return []
    why = "so that later answers count" if -best[1] > now else "as the records end early"
    return [f"answer_weeks={-best[1]} ({now} now), {why}"]


def _room(study, rows) -> np.ndarray:
    """Weeks from the landmark to the end of the records."""
    return (study.last - study.day[rows]) // WEEK - study.design["landmark_weeks"]
