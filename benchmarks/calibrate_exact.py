"""Coverage of the intervals on counts, summed exactly over all outcomes that can occur."""

from __future__ import annotations

import numpy as np
from scipy import stats as sps

from cxlib import stats as st
from cxlib.stats.calibration import LEVELS, exact_coverage, net_score_coverage, simplex_points
from cxlib.stats.charts import funnel_limits
from cxlib.stats.netscore import METHODS

TWO_SIDED, AT_LEAST, OWNED = "two-sided", "at least", "owned"
ENUMERATED = {
    "wald": (OWNED, "kept because the literature uses it; shrinks to a point near the corners"),
    "dirichlet": (OWNED, "kept because the literature uses it; mean holds, corners do not"),
}
MINIMUM_AT_95 = 0.90


def _exact_row(cell, level, coverage, width, rule=TWO_SIDED, note="", least=0.0):
    mean, minimum = float(coverage.mean()), float(coverage.min())
    low, high = mean < level - 0.02 or minimum < least, mean > level + 0.02
    ours = rule == OWNED or (rule == AT_LEAST and not low)
    verdict = "holds" if not (low or high) else "owned" if ours else "fails"
    return {
        "cell": cell,
        "level": level,
        "coverage": mean,
        "coverage_low": mean,
        "coverage_high": mean,
        "minimum": minimum,
        "width": width,
        "verdict": verdict,
        "rule": rule,
        "note": note or "exact: mean and minimum over the possible truths",
    }


def net_score_rows(sizes=(20, 50, 100), levels=LEVELS):
    for method in METHODS:
        rule, note = ENUMERATED.get(method, (TWO_SIDED, ""))
        for n in sizes:
            for level in levels:
                coverage = net_score_coverage(n, method=method, level=level)
                least = MINIMUM_AT_95 if level == 0.95 else 0.0
                middle = st.net_score(round(0.5 * n), round(0.2 * n), n, level=level, method=method)
                name = f"net score, {method}, n = {n}"
                yield _exact_row(
                    name, level, coverage, (middle.high - middle.low) / 100, rule, note, least
                )


def proportion_rows(sizes=(20, 100), levels=LEVELS):
    shares = (np.arange(2000) + 0.5) / 2000
    for method in ("score", "jeffreys", "clopper_pearson"):
        rule = AT_LEAST if method == "clopper_pearson" else TWO_SIDED
        note = "promises at least its level, too wide on average" if rule == AT_LEAST else ""
        for n in sizes:
            x = np.arange(n + 1)
            chances = sps.binom.pmf(x, n, shares[:, None])
            for level in levels:
                found = st.proportion(x, n, level=level, method=method)
                coverage = exact_coverage(chances, shares, found.low, found.high)
                least = level if rule == AT_LEAST else 0.0
                width = float((chances @ (found.high - found.low)).mean())
                name = f"proportion, {method}, n = {n}"
                yield _exact_row(name, level, coverage, width, rule, note, least - 1e-9)


def two_share_rows(sizes=((20, 30), (60, 60)), levels=LEVELS):
    shares = (np.arange(40) + 0.5) / 40
    first, second = (v.ravel() for v in np.meshgrid(shares, shares))
    for n1, n2 in sizes:
        x1, x2 = (v.ravel() for v in np.mgrid[: n1 + 1, : n2 + 1])
        chances = sps.binom.pmf(x1, n1, first[:, None]) * sps.binom.pmf(x2, n2, second[:, None])
        for level in levels:
            for method in ("newcombe", "miettinen_nurminen"):
                found = st.risk_difference((x1, n1), (x2, n2), level=level, method=method)
                coverage = exact_coverage(chances, first - second, found.low, found.high)
                width = float((chances @ (found.high - found.low)).mean())
                name = f"risk difference, {method}, n = {n1} and {n2}"
                yield _exact_row(name, level, coverage, width)
            known = (x1 > 0) | (x2 > 0)
            found = st.risk_ratio((x1[known], n1), (x2[known], n2), level=level)
            given = chances[:, known] / chances[:, known].sum(axis=1, keepdims=True)
            coverage = exact_coverage(given, first / second, found.low, found.high)
            name = f"risk ratio, koopman, n = {n1} and {n2}"
            yield _exact_row(name, level, coverage, float("nan"))


def funnel_rows(sizes=(20, 50), levels=LEVELS):
    points = simplex_points(400)
    for n in sizes:
        a, b = (v.ravel() for v in np.mgrid[: n + 1, : n + 1])
        a, b = a[a + b <= n], b[a + b <= n]
        for level in levels:
            coverage = []
            for up, down in points.T:
                low, high = funnel_limits([n], promoters=up, detractors=down, level=level)
                chances = sps.multinomial.pmf(
                    np.column_stack([a, b, n - a - b]), n, [up, down, 1 - up - down]
                )
                score = 100 * (a - b) / n
                coverage.append(chances[(score >= low) & (score <= high)].sum())
            yield _exact_row(f"funnel limits, n = {n}", level, np.array(coverage), float("nan"))
