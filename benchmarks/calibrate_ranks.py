"""Prove that shrunken ranks are closer to the true order than raw ones: data/proofs/ranks.csv.

A data set is a league of teams whose true net promoter scores are known. Each team answers 0-10 by
chances of its own: real answers (the airport's of 2017) or broad ones, moved up or down by the
team's effect. Four rankings are held against the true ranks: by the raw scores, by the shrunken
scores (`cxlib.stats.shrink`), the expected ranks (`cxlib.stats.expected_ranks`), and these to the
nearest whole place. `make calibrate` reaches this script and skips it while the committed results
carry the digest of the code that is measured; `--leagues 200` gives a quick look. Under a minute
on one core.

By the judge, expected ranks to the nearest whole place must be closer than raw ranks in every
setting: the 99.9 % interval of the gain in mean absolute error lies above 0. So must be, in mean
squared error, the expected ranks themselves; what minimises squares is no whole number, and where
nearly every place is certain ("very large") it misses each by a little.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from cxlib.stats import shrinkage
from cxlib.stats.calibration import CERTAINTY, FEW
from cxlib.stats.means import mean

HERE = Path(__file__)
RESULTS = HERE.parents[1] / "data" / "proofs" / "ranks.csv"
AIRPORT = HERE.parents[1] / "data" / "airport_survey_counts.csv"
BROAD = np.array([5, 2, 3, 5, 6, 14, 11, 16, 17, 11, 10]) / 100
SPREADS = {"small": 0.075, "medium": 0.2, "large": 0.4, "very large": 0.8}  # SD of the effects
RANKINGS = ("raw", "shrunken_score", "expected", "whole_place")


@dataclass(frozen=True)
class Setting:
    """One kind of league; `answers` of each team, or from (lowest, highest) evenly in logarithm."""

    answers: int | tuple[int, int]
    spread: str
    teams: int = 20
    effects: str = "normal"
    shape: str = "airport"

    @property
    def name(self) -> str:
        return "; ".join(map(str, vars(self).values()))


MIXED = (12, 100)
TOP, BOTTOM = np.s_[9:], np.s_[:7]
SETTINGS = (
    *(Setting(n, s) for n in (12, 100, MIXED) for s in ("small", "medium", "large")),
    Setting(30, "medium"),
    Setting(MIXED, "medium", effects="heavy tails"),
    Setting(MIXED, "medium", effects="two groups"),
    Setting(MIXED, "medium", effects="larger is better"),
    Setting(MIXED, "medium", shape="broad"),
    Setting(MIXED, "medium", teams=6),
    Setting(MIXED, "medium", teams=60),
    Setting(100, "very large"),
)


def base_shares(shape: str) -> np.ndarray:
    """Shares of the answers 0 to 10 of a team without effect."""
    if shape == "broad":
        return BROAD
    counts = pd.read_csv(AIRPORT).query("year == 2017 and question == 'all'")
    return counts["n"].to_numpy() / counts["n"].sum()


def effects_of(rng, kind: str, answers: np.ndarray) -> np.ndarray:
    """Standardised effects of teams."""
    k = len(answers)
    if kind == "heavy tails":
        return rng.standard_t(4, k) / np.sqrt(2)
    if kind == "two groups":
        return np.where(rng.random(k) < 0.2, -1.9, 0.475) + 0.3 * rng.normal(size=k)
    noise = rng.normal(size=k)
    if kind == "larger is better":  # what shrinkage assumes does not hold
        size = np.log(answers)
        return 0.8 * noise + size - size.mean()
    return noise


def draw_league(rng, setting: Setting, shares: np.ndarray):
    """True scores, promoters, detractors and answers of each team."""
    k = setting.teams
    if isinstance(setting.answers, tuple):
        n = np.round(np.exp(rng.uniform(*np.log(setting.answers), k))).astype(int)
    else:
        n = np.full(k, setting.answers)
    moved = SPREADS[setting.spread] * effects_of(rng, setting.effects, n)
    below = ndtr(ndtri(shares.cumsum()[:-1]) - moved[:, None])
    chances = np.diff(np.column_stack([np.zeros(k), below, np.ones(k)]), axis=1)
    counts = rng.multinomial(n, chances)
    (true_up, up), (true_down, down) = (
        [table[:, part].sum(axis=1) for table in (chances, counts)]
        for part in (np.s_[9:], np.s_[:7])
    )
    return 100 * (true_up - true_down), up, down, n


def rankings_of(up, down, n) -> np.ndarray:
    """Ranks of each team, 1 = best, as in `RANKINGS`, a row each; ties share the mean place."""
    scores, errors = 100 * (up - down) / n, shrinkage.net_score_error(up, down, n)
    shrunken = shrinkage.shrink(scores, errors, method="robust").estimate
    expected = shrinkage.expected_ranks(scores, errors)
    return np.stack([rankdata(-scores), rankdata(-shrunken), expected, np.round(expected)])


def measure(setting: Setting, leagues: int) -> dict:
    """Mean rank errors of one setting, and what is gained on raw ranks."""
    rng, shares = (
        np.random.default_rng(zlib.crc32(setting.name.encode())),
        base_shares(setting.shape),
    )
    errors, squares, spread = (np.empty((leagues, width)) for width in (4, 4, 1))
    for row in range(leagues):
        truth, *counts = draw_league(rng, setting, shares)
        off = rankings_of(*counts) - rankdata(-truth)
        errors[row], squares[row] = np.abs(off).mean(axis=1), (off**2).mean(axis=1)
        spread[row] = truth.std(ddof=1)
    told = vars(setting) | {"leagues": leagues, "true_sd": spread.mean()}
    if isinstance(setting.answers, tuple):
        told["answers"] = "{}-{}".format(*setting.answers)
    for place, name in enumerate(RANKINGS):
        told[f"{name}_error"] = errors[:, place].mean()
        told[f"{name}_rms"] = np.sqrt(squares[:, place].mean())
    for place, name in enumerate(RANKINGS[1:], start=1):
        gain = mean(errors[:, 0] - errors[:, place], level=CERTAINTY)
        told |= {f"{name}_gain": gain.estimate, f"{name}_low": gain.low, f"{name}_high": gain.high}
        told[f"{name}_verdict"] = verdict_of(gain)
    told["squares_verdict"] = verdict_of(mean(squares[:, 0] - squares[:, 2], level=CERTAINTY))
    return told


def verdict_of(gain) -> str:
    return "closer" if gain.low > 0 else "further" if gain.high < 0 else "cannot tell"


def problems_of(table: pd.DataFrame) -> list[str]:
    """Settings in which shrunken ranks are not closer, by the judge."""
    return [
        f"{name}: {row[f'{name}_verdict']} with {row['answers']} answers, {row['spread']} spread, "
        f"{row['teams']} teams, {row['effects']}, {row['shape']}"
        for name in ("whole_place", "squares")
        for _, row in table[table[f"{name}_verdict"] != "closer"].iterrows()
    ]


def digest() -> str:
    """Of the code that is measured and of this script."""
    files = [Path(shrinkage.__file__), HERE]
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:16]


def is_current() -> bool:
    """Whether the committed results are of the code as it stands, and of all leagues."""
    if not RESULTS.exists():
        return False
    kept = pd.read_csv(RESULTS)
    return set(kept["digest"]) == {digest()} and (kept["leagues"] >= FEW).all()


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leagues", type=int, default=FEW)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    if chosen.leagues == FEW and chosen.out == RESULTS and is_current():
        print("data/proofs/ranks.csv is of this code already.")
        return int(bool(problems_of(pd.read_csv(RESULTS))))
    started = time.process_time()
    table = pd.DataFrame(measure(setting, chosen.leagues) for setting in SETTINGS)
    table = table.assign(digest=digest())
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.5g")
    wrong = problems_of(table)
    print("\n".join(wrong) or "shrunken ranks are closer to the true order in every setting")
    print(f"{len(table)} settings, {time.process_time() - started:.0f} s of CPU time")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
