"""Gamma-Gamma: what a customer spends at a purchase, independent of how often they buy."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import digamma, gammaln, zeta

from cxlib.clv.fitted import FittedModel, Scale, exponentials
from cxlib.clv.histories import columns_of, require_columns
from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["GammaGamma", "SpendFrequency", "gamma_gamma_log_likelihood"]

SCALES = (
    Scale(
        "p",
        np.log(1e-3),
        np.log(1e5),
        "single purchases vary without limit",
        "a customer's purchases all cost the same",
        centre=1.0,
    ),
    Scale(
        "q",
        np.log(1e-3),
        np.log(1e5),
        "mean spend has so heavy a tail that its average is hardly finite (q near 1)",
        "all customers spend the same on average",
        centre=1.0,
        offset=1.0,
    ),
    Scale(
        "gamma",
        np.log(1e-6),
        np.log(1e6),
        "the spread of mean spend has no lower end",
        "the spread of mean spend has no upper end",
        spread=2.0,
        relative=True,
    ),
)
STARTS = ((2.0, 3.0), (10.0, 2.0), (0.7, 6.0))
FEWEST_CUSTOMERS = 3
DOUBTFUL_CORRELATION = 0.1


@dataclass(frozen=True)
class SpendFrequency:
    """Pearson's correlation of mean spend and frequency among repeat buyers.

    The model assumes 0. (A rank correlation would not be 0 even then: means of few, skewed spends
    have a lower median than means of many.) The interval is Fisher's z with the asymptotically
    distribution-free error (Steiger & Hakstian 1982, British Journal of Mathematical and
    Statistical Psychology 35), as the variance of a mean falls with the number of purchases.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int

    @property
    def doubtful(self) -> bool:
        """Whether the interval excludes 0 and the correlation is at least 0.1 in size."""
        return self.low * self.high > 0 and abs(self.estimate) >= DOUBTFUL_CORRELATION

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame(
            [{name: getattr(self, name) for name in ("estimate", "low", "high", "level", "n")}]
        )

    def summary(self) -> str:
        """One sentence with the interval and what it means for the model."""
        if self.doubtful:
            verdict = "the model assumes none, so values of frequent buyers are biased"
        elif max(abs(self.low), abs(self.high)) < DOUBTFUL_CORRELATION:
            verdict = "little enough for a model that assumes none"
        else:
            verdict = "the model assumes none, which these data neither refute nor confirm"
        return (
            f"Mean spend and frequency correlate by {self.estimate:.2f} "
            f"[{self.low:.2f}, {self.high:.2f}] over {self.n:,} repeat buyers: {verdict}."
        )


@dataclass(frozen=True)
class Spends:
    """Frequencies, mean spends and counts of repeat buyers, all used at once, and who is not."""

    x: np.ndarray
    m: np.ndarray
    n: np.ndarray
    left_out: int

    def sample(self) -> None:
        return None


@dataclass(frozen=True, eq=False)
class GammaGamma(FittedModel):
    """The Gamma-Gamma model of spend per purchase.

    Spends of one customer are Gamma(shape p, rate nu); the rate nu differs between customers as
    Gamma(shape q, rate gamma). A customer with x purchases of mean m has expected spend::

        E = p (gamma + x m) / (p x + q - 1)

    a weighted average of the customer's own mean and the population mean p gamma / (q - 1).

    Parameters
    ----------
    params : mapping, optional
        p, q (> 1), gamma (in the currency). Leave out to fit.

    Attributes
    ----------
    independence : SpendFrequency or None
        The check of the model's main assumption on the data it was fitted to.
    left_out : int
        Repeat buyers left out of the fit because their repeat purchases cost nothing.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma model of monetary value,
    http://www.brucehardie.com/notes/025/; Fader, Hardie & Lee (2005),
    doi:10.1509/jmkr.2005.42.4.415. Checked against their CDNOW values.

    Examples
    --------
    >>> spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    >>> round(spend.population_mean, 2)
    35.22
    >>> customers = pd.DataFrame({"frequency": [2, 0], "monetary": [22.35, 0.0]})
    >>> spend.expected_spend(customers).round(2).tolist()
    [24.66, 35.22]
    """

    names = ("p", "q", "gamma")
    label = "Gamma-Gamma"
    scales = SCALES
    tied: ClassVar[dict[int, int]] = {0: 2, 1: 2}

    independence: SpendFrequency | None = field(default=None, repr=False)
    left_out: int = 0

    def __post_init__(self):
        super().__post_init__()
        if self.params is not None and self.params["q"] <= 1:
            raise CxError(f"q must exceed 1 for a finite mean spend, not {self.params['q']:g}")

    def fit(self, summary: pd.DataFrame, *, prior=None, level: float = 0.95) -> GammaGamma:
        """Maximum likelihood on the repeat buyers, with the exact gradient and Hessian.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, monetary (mean spend per repeat purchase) and, optionally, n.
            One-time buyers are not used: their monetary is 0 by convention, not by observation.
            Repeat buyers who paid nothing are left out, counted and told by a CxWarning.
        prior : None, "weak" or mapping, optional
            As for ``BetaGeo.fit``; that of q is on the logarithm of q - 1.
        level : float
            Of the interval of the independence check.

        Returns
        -------
        GammaGamma
            A new, fitted model. A CxWarning says when spend and frequency correlate.

        Raises
        ------
        CxError
            Negative or missing spend of repeat buyers, or fewer than three of them.
        """
        spends, unit, customers = self.learn_from(summary)
        if left_out := spends.left_out:
            warnings.warn(
                f"{left_out:,} of {left_out + customers:,} repeat buyers paid nothing for their "
                "repeat purchases; the Gamma-Gamma model knows positive spend only and leaves "
                "them out of the fit.",
                CxWarning,
                stacklevel=2,
            )
        starts = [(np.log(p), np.log(q - 1), np.log(unit * (q - 1) / p)) for p, q in STARTS]
        model = self.search(spends, starts, unit, customers, prior)
        independence = spend_frequency(spends.x, spends.m, spends.n, level)
        if independence.doubtful:
            warnings.warn(independence.summary(), CxWarning, stacklevel=2)
        object.__setattr__(model, "independence", independence)
        object.__setattr__(model, "left_out", left_out)
        return model

    def learn_from(self, summary) -> tuple[Spends, float, int]:
        """Spends of repeat buyers, their mean and how many there are."""
        x, m, n = read_spend(summary)
        repeat = (x > 0) & (n > 0)
        free = repeat & (m == 0)
        used = repeat & ~free
        customers = int(n[used].sum())
        if customers < FEWEST_CUSTOMERS:
            raise CxError(
                f"{customers} repeat buyers with spend above 0 cannot teach the Gamma-Gamma model "
                f"its three parameters: at least {FEWEST_CUSTOMERS} are needed. "
                "Is the column monetary filled, and the time observed long enough?"
            )
        left_out = int(n[free].sum())
        x, m, n = x[used], m[used], n[used]
        return Spends(x, m, n, left_out), n @ m / n.sum(), customers

    @property
    def population_mean(self) -> float:
        """Expected spend per purchase of a customer never seen: p gamma / (q - 1)."""
        p, q, gamma = self.require_params().values()
        return p * gamma / (q - 1)

    def expected_spend(self, summary: pd.DataFrame) -> pd.Series:
        """Expected spend per purchase of each customer, in the currency of monetary.

        One-time buyers get the population mean.
        """
        p, q, gamma = self.require_params().values()
        x, m, _ = read_spend(summary)
        values = p * (gamma + x * m) / (p * x + q - 1)
        return pd.Series(values, summary.index, name="expected_spend")

    @staticmethod
    def to_theta(params):
        p, q, gamma = params
        return np.log([p, q - 1, gamma])

    @classmethod
    def from_theta(cls, theta):
        p, excess, gamma = np.exp(theta)
        return np.array([p, 1 + excess, gamma])

    @staticmethod
    def to_natural(theta):
        """p, q, gamma of log p, log(q - 1), log gamma, with first and second slopes."""
        scale, jacobian, curvature = exponentials(theta)
        return scale + np.array([0.0, 1.0, 0.0]), jacobian, curvature

    @staticmethod
    def likelihood(params, spends, *, value_only=False):
        found = gamma_gamma_log_likelihood(params, spends.x, spends.m, spends.n)
        return found[0] if value_only else found

    def draw_rates(self, params, x, m, rng: np.random.Generator) -> np.ndarray:
        """Each customer's nu from its posterior Gamma(q + p x, gamma + x m)."""
        shape = params["q"] + params["p"] * x
        return rng.standard_gamma(shape) / (params["gamma"] + x * m)


def read_spend(summary: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, monetary (0 for one-time buyers) and n of a summary, checked."""
    require_columns(summary, ("frequency", "monetary"))
    x, m = columns_of(summary, ("frequency", "monetary"))
    n = columns_of(summary, ("n",))[0] if "n" in summary else np.ones(len(summary))
    rules = (
        (
            "frequency and n must be whole numbers >= 0",
            ~((x >= 0) & (x % 1 == 0) & (n >= 0) & (n % 1 == 0)),
            "",
        ),
        (
            "monetary of repeat buyers must be a finite number >= 0",
            (x > 0) & ~(np.isfinite(m) & (m >= 0)),
            "Returns must be netted or dropped before the summary.",
        ),
    )
    problems = [
        Problem(
            f"{rule}: {int(broken.sum()):,} of {len(summary):,} rows are not",
            where=f"first customer {summary.index[int(np.argmax(broken))]!r}",
            cause=cause,
        )
        for rule, broken, cause in rules
        if broken.any()
    ]
    if problems:
        raise CxError("The summary cannot be used.", problems)
    return x, np.where(x > 0, m, 0.0), n


def gamma_gamma_log_likelihood(params, x, m, n):
    """Value, gradient and Hessian of the log-likelihood of mean spends m of x purchases.

    Equation (1a) of Fader & Hardie (2013), each row counted n times.
    """
    p, q, gamma = params
    times, at = np.unique(x, return_inverse=True)
    log_total = np.log(gamma + x * m)
    inv = 1 / (gamma + x * m)
    n_by_x = np.bincount(at, n)
    total = n.sum()
    px = p * times
    log_spend = n @ (x * (np.log(x) + np.log(m) - log_total))
    shape = n * (p * x + q)
    value = (
        n_by_x @ (gammaln(px + q) - gammaln(px))
        + total * (q * np.log(gamma) - gammaln(q))
        + p * log_spend
        - q * (n @ log_total)
        - n @ np.log(m)
    )
    psi_q = digamma(px + q)
    gradient = np.array(
        [
            (n_by_x * times) @ (psi_q - digamma(px)) + log_spend,
            n_by_x @ psi_q + total * (np.log(gamma) - digamma(q)) - n @ log_total,
            total * q / gamma - shape @ inv,
        ]
    )
    tri_q = zeta(2, px + q)
    pq = (n_by_x * times) @ tri_q
    p_gamma, q_gamma = -(n * x) @ inv, total / gamma - n @ inv
    hessian = np.array(
        [
            [(n_by_x * times**2) @ (tri_q - zeta(2, px)), pq, p_gamma],
            [pq, n_by_x @ tri_q - total * zeta(2, q), q_gamma],
            [p_gamma, q_gamma, shape @ inv**2 - total * q / gamma**2],
        ]
    )
    return value, gradient, hessian


def spend_frequency(x, m, n, level=0.95) -> SpendFrequency:
    """Pearson's correlation with a distribution-free interval; rows counted n times."""
    total = int(n.sum())
    a, b = (values - n @ values / total for values in (x, m))
    size_a, size_b = np.sqrt(n @ a**2 / total), np.sqrt(n @ b**2 / total)
    if size_a == 0 or size_b == 0:
        return SpendFrequency(0.0, -1.0, 1.0, level, total)
    a, b = a / size_a, b / size_b
    rho = float(np.clip(n @ (a * b) / total, -1 + 1e-12, 1 - 1e-12))
    influence = a * b - rho * (a**2 + b**2) / 2
    error = np.sqrt(n @ influence**2) / total / (1 - rho**2)
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    low, high = np.tanh([np.arctanh(rho) - reach, np.arctanh(rho) + reach])
    return SpendFrequency(rho, float(low), float(high), level, total)
