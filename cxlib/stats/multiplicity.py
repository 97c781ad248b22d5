"""Many tests at once: how many of the findings may be luck."""

from __future__ import annotations

import numpy as np

from cxlib.stats.checks import check_choice, numbers, refuse

__all__ = ["adjust_p"]

METHODS = ("holm", "benjamini_hochberg")


def adjust_p(p, *, method: str = "holm") -> np.ndarray:
    """Adjusted p-values; a finding stands at rate alpha where its adjusted p is at most alpha.

    Parameters
    ----------
    p : array_like
        m raw p-values in [0, 1].
    method : {"holm", "benjamini_hochberg"}, optional
        ``holm`` bounds the chance of any false finding: the running maximum of
        ``(m - i + 1) p_(i)``. ``benjamini_hochberg`` bounds the expected share of false findings
        (independent or positively dependent tests): the running minimum from above of
        ``m p_(i) / i``, by scipy.

    Returns
    -------
    ndarray
        In the order given, at least p and at most 1.

    Raises
    ------
    CxError
        For missing p-values or such outside [0, 1].

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6(2), https://www.jstor.org/stable/4615733.
    Benjamini & Hochberg 1995, JRSS B 57(1), doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    from scipy.stats import false_discovery_control

    check_choice("method", method, METHODS)
    p = numbers("p", p)
    refuse((p < 0) | (p > 1), "p-values outside [0, 1]", "values from 0 to 1")
    if method == "benjamini_hochberg":
        return false_discovery_control(p)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted
