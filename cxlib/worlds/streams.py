"""Named random streams that make worlds comparable draw by draw.

Every draw is a pure function of (seed, stream name, customer, counter): a counter-based generator
(the finaliser of SplitMix64, applied twice), vectorised. Nothing is consumed, so a mechanism may
draw for ten customers or for all, early or late, and no other draw moves. Two worlds with one
seed therefore differ by what was turned and by nothing else (common random numbers); a longer
world begins like the shorter one, and a world of more customers begins with the same ones.

Source: Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators,
doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.special import ndtri

__all__ = ["Streams"]

_GOLDEN = 0x9E3779B97F4A7C15
_SECOND = 0xD1342543DE82EF95
_WORD = (1 << 64) - 1
_PART = 16_384
# made once: a small company draws for few customers, many times
_ONE, _FACTOR = np.uint64(1), np.uint64(_SECOND)
_SHIFT_11, _SHIFT_27, _SHIFT_30, _SHIFT_31 = (np.uint64(n) for n in (11, 27, 30, 31))
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mix(z: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words in place."""
    shifted = z >> _SHIFT_30
    z ^= shifted
    z *= _MIX_1
    z ^= np.right_shift(z, _SHIFT_27, out=shifted)
    z *= _MIX_2
    z ^= np.right_shift(z, _SHIFT_31, out=shifted)
    return z


def _unit(words: np.ndarray) -> np.ndarray:
    """Middles of 2**53 equal pieces of (0, 1) from words (spoilt); in parts that fit a cache."""
    if words.size <= _PART:
        words = _mix(words)
        words >>= _SHIFT_11
        unit = words.astype(float)
        unit += 0.5
        unit *= 2.0**-53
        return unit
    unit = np.empty(words.size)
    for start in range(0, words.size, _PART):
        part = _mix(words[start : start + _PART])
        part >>= _SHIFT_11
        piece = unit[start : start + _PART]
        piece[:] = part
        piece += 0.5
        piece *= 2.0**-53
    return unit


class Streams:
    """Uniform and normal draws by stream name, customer and counter.

    Parameters
    ----------
    seed : int
        0 to 2**63 - 1.
    customers : int
        How many customers there are; they are addressed by 0 .. customers - 1.

    Examples
    --------
    >>> streams = Streams(7, customers=1000)
    >>> everybody = streams.uniform("doctest", at=3)
    >>> bool(everybody[5] == streams.uniform("doctest", np.array([5]), at=3)[0])
    True
    """

    def __init__(self, seed: int, customers: int):
        self.seed = seed
        self._index = np.arange(1, customers + 1, dtype=np.uint64)
        self._bases: dict[str, np.ndarray] = {}

    def key(self, name: str) -> int:
        digest = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    def _base(self, name: str) -> np.ndarray:
        if name not in self._bases:
            self._bases[name] = _mix(self._index * np.uint64(_GOLDEN) + np.uint64(self.key(name)))
        return self._bases[name]

    def uniform(self, name: str, who=None, at=0) -> np.ndarray:
        """Uniform draws in the open interval (0, 1).

        Parameters
        ----------
        name : str
            The stream: one per mechanism and purpose.
        who : array of int, optional
            Customers; None = all.
        at : int or array of int
            Counter within the customer's stream: a week, an order number, a contact number.
        """
        if who is not None and not len(who):
            return np.empty(0)
        base = self._base(name)
        if isinstance(at, np.ndarray) and at.ndim:
            words = at.astype(np.uint64)
            words += _ONE
            words *= _FACTOR
            words += base if who is None else base[who]
        else:
            step = np.uint64((int(at) + 1) * _SECOND & _WORD)
            words = base + step if who is None else base[who] + step
        return _unit(words)

    def normal(self, name: str, who=None, at=0) -> np.ndarray:
        """Standard normal draws, the inverse distribution function of `uniform`."""
        return ndtri(self.uniform(name, who, at))

    def numbers(self, name: str, count: int) -> np.ndarray:
        """Standard normal draws for things that are not customers, such as agents."""
        index = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        words = _mix(index + np.uint64(self.key(name))) + np.uint64(_SECOND)
        return ndtri(_unit(words))
