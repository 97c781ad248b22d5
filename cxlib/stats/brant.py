"""Brant's test: does one coefficient a column do for all thresholds of an ordered logit?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.errors import CxError
from cxlib.stats.ordinal import prepared
from cxlib.stats.overlap import fit_logit

__all__ = ["BrantTest", "brant_test"]


@dataclass(frozen=True)
class BrantTest:
    """Does one coefficient a column do for all thresholds?

    Attributes
    ----------
    table : DataFrame
        chi2, df and p for all columns together (``"all"``) and each alone.
    coefficients : DataFrame
        Of the separate logits ``Y > k``: one row a column, one column a threshold.
    """

    table: pd.DataFrame
    coefficients: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """The table of tests."""
        return self.table.copy()

    def plot(self, ax=None):
        """Draw each column's coefficient over the thresholds; returns the Axes."""
        import matplotlib.pyplot as plt

        ax = plt.subplots()[1] if ax is None else ax
        for name, row in self.coefficients.iterrows():
            ax.plot(list(row.index), row.to_numpy(), "o-")
            ax.annotate(str(name), (len(row) - 1, row.iloc[-1]), (6, 0), textcoords="offset points")
        ax.set_xlabel("answers split at")
        ax.set_ylabel("log odds of the upper part")
        return ax

    def summary(self) -> str:
        """One sentence with the joint test."""
        chi2, df, p = self.table.loc["all"]
        word = "is doubtful" if p < 0.05 else "is not contradicted"
        test = f"Brant chi2 = {chi2:.1f}, {df:g} df, p = {p:.2g}"
        return f"One effect for all thresholds {word} ({test})."


def brant_test(answers, covariates) -> BrantTest:
    """Brant's test of proportional odds.

    Separate logits of ``Y > k`` for each threshold k, with the joint covariance of their
    coefficients ``(X'W_k X)^-1 X'W_kl X (X'W_l X)^-1``, ``W_kl = P(Y > l) - P(Y > k) P(Y > l)``
    for k <= l; a Wald test that all k share one set of coefficients.

    Parameters
    ----------
    answers, covariates
        As in `ordered_logit`; three answers or more. Rows are taken as independent.

    Returns
    -------
    BrantTest

    Raises
    ------
    CxError
        As `ordered_logit`, for fewer than three answers, and where a single split is separated.

    References
    ----------
    Brant 1990, Biometrics 46(4), doi:10.2307/2532457.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> x = rng.normal(size=500)
    >>> y = np.digitize(x + rng.logistic(size=500), [-1, 1])
    >>> bool(brant_test(y, {"x": x}).table.loc["all", "p"] > 0.05)
    True
    """
    from scipy.stats import chi2 as chi_square

    categories, codes, design, names = prepared(answers, covariates)
    cuts, columns = len(categories) - 1, len(names)
    if cuts < 2:
        raise CxError(f"Brant's test needs three answers or more: found {list(categories)}.")
    matrix = np.column_stack([np.ones(len(codes)), design])
    fits = [fit_logit(codes > k, matrix, ["constant", *names]) for k in range(cuts)]
    chances = [expit(matrix @ beta) for beta in fits]
    bread = [np.linalg.inv((matrix.T * (p * (1 - p))) @ matrix) for p in chances]
    covariance = np.empty((cuts * columns, cuts * columns))
    for k in range(cuts):
        for m in range(k, cuts):
            middle = (matrix.T * (chances[m] * (1 - chances[k]))) @ matrix
            block = (bread[k] @ middle @ bread[m])[1:, 1:]
            rows, others = (
                slice(k * columns, (k + 1) * columns),
                slice(m * columns, (m + 1) * columns),
            )
            covariance[rows, others] = block
            covariance[others, rows] = block.T
    stacked = np.concatenate([beta[1:] for beta in fits])
    contrast = np.kron(np.column_stack([-np.ones(cuts - 1), np.eye(cuts - 1)]), np.eye(columns))
    gaps, spread = contrast @ stacked, contrast @ covariance @ contrast.T
    tests = {}
    for name, chosen in [("all", np.arange(len(gaps)))] + [
        (name, np.arange(place, len(gaps), columns)) for place, name in enumerate(names)
    ]:
        value = gaps[chosen] @ np.linalg.solve(spread[np.ix_(chosen, chosen)], gaps[chosen])
        tests[name] = (float(value), len(chosen), float(chi_square.sf(value, len(chosen))))
    return BrantTest(
        pd.DataFrame.from_dict(tests, orient="index", columns=["chi2", "df", "p"]),
        pd.DataFrame(
            np.array([beta[1:] for beta in fits]).T, names, [f">{c}" for c in categories[:-1]]
        ),
    )
