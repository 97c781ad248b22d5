"""MBG/NBD: BG/NBD in which customers may leave after their very first purchase, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cxlib.clv.beta_geo import BetaGeo

__all__ = ["ModifiedBetaGeo"]


@dataclass(frozen=True, eq=False)
class ModifiedBetaGeo(BetaGeo):
    """The MBG/NBD model of repeat purchases.

    As ``BetaGeo``, but the first purchase, too, is one after which a customer leaves with
    probability p, so that P(alive) of a one-time buyer falls with the length of the silence::

        L = B(a, b+x+1)/B(a, b) * G(r+x) alpha^r / G(r)
            * [ (alpha+T)^-(r+x) + a/(b+x) (alpha+t_x)^-(r+x) ]

    Parameters
    ----------
    params : mapping, optional
        r, alpha (in the unit of T), a, b, to predict from known parameters. Leave out to fit.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007), doi:10.1016/j.ijresmar.2006.12.005. Checked against
    the CDNOW values of BTYDplus and against lifetimes.

    Examples
    --------
    >>> import pandas as pd
    >>> model = ModifiedBetaGeo({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614})
    >>> customer = pd.DataFrame({"frequency": [2, 0], "recency": [30.43, 0], "T": [38.86, 38.86]})
    >>> model.expected_purchases(customer, 39).round(2).tolist()
    [1.26, 0.15]
    >>> model.p_alive(customer).round(2).tolist()
    [0.71, 0.39]
    """

    label = "MBG/NBD"
    leaves_at_first: ClassVar[int] = 1
