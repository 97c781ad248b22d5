"""Posteriors of the CDNOW sample by pymc-marketing's NUTS, for tests/reference/posterior.toml.

Run by hand where pymc-marketing is installed beside cxlib (neither the project nor its tests need
it): `python benchmarks/reference_posterior.py [MODEL ...]`; the sections of other models stay as
they are. The priors are those of PRIORS, normal on the logarithms (shares: on the logit), exactly
as `fit(prior=...)` takes them; each value stands beside its Monte Carlo error.

Pareto/NBD takes pymc-marketing's model too long. There its density is taken once for each distinct
history, times how many customers share it.
"""

from __future__ import annotations

import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc_extras.prior import Prior, register_tensor_transform
from pymc_marketing import clv
from pymc_marketing.clv.distributions import ParetoNBD
from scipy.stats import beta

import cxlib as cx

OUT = Path(__file__).parents[1] / "tests" / "reference" / "posterior.toml"
PRIORS = {
    "beta_geo": {"r": (0.5, 1.0), "alpha": (5.0, 1.0), "a/(a+b)": (0.3, 1.0), "a+b": (3.0, 1.0)},
    "modified_beta_geo": {
        "r": (0.5, 1.0),
        "alpha": (5.0, 1.0),
        "a/(a+b)": (0.3, 1.0),
        "a+b": (3.0, 1.0),
    },
    "pareto_nbd": {"r": (0.5, 1.0), "alpha": (10.0, 1.0), "s": (0.5, 1.0), "beta": (10.0, 1.0)},
    "gamma_gamma": {"p": (5.0, 1.0), "q": (4.0, 1.0), "gamma": (20.0, 1.0)},
}
PEERS = {
    "beta_geo": clv.BetaGeoModel,
    "modified_beta_geo": clv.ModifiedBetaGeoModel,
    "pareto_nbd": clv.ParetoNBDModel,
    "gamma_gamma": clv.GammaGammaModel,
}
RENAMED = {"a/(a+b)": "phi_dropout", "a+b": "kappa_dropout", "gamma": "v"}
NAMES = {
    "beta_geo": ("r", "alpha", "a", "b"),
    "modified_beta_geo": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
    "gamma_gamma": ("p", "q", "gamma"),
}
QUANTILES = (0.05, 0.5, 0.95)
CHAINS, TUNE, DRAWS = 4, 1000, 2500
SHORT = {"pareto_nbd": (2, 500, 1000)}


def prior_of(name: str, median: float, spread: float) -> Prior:
    if "/" in name:
        return Prior("LogitNormal", mu=float(np.log(median / (1 - median))), sigma=spread)
    if name == "q":
        register_tensor_transform("one_plus_exp", lambda value: 1 + pt.exp(value))
        return Prior("Normal", mu=float(np.log(median - 1)), sigma=spread, transform="one_plus_exp")
    return Prior("LogNormal", mu=float(np.log(median)), sigma=spread)


def sample(name: str):
    summary = cx.clv.summarize(cx.read_cdnow(), calibration_until="1997-09-30").reset_index()
    data = summary[["customer_id", "frequency", "recency", "T"]]
    if name == "gamma_gamma":
        summary = summary[(summary["frequency"] > 0) & (summary["monetary"] > 0)]
        data = summary[["customer_id", "frequency"]].assign(monetary_value=summary["monetary"])
    config = {RENAMED.get(key, key): prior_of(key, *pair) for key, pair in PRIORS[name].items()}
    chains, tune, draws = SHORT.get(name, (CHAINS, TUNE, DRAWS))
    with of_distinct(config, data) if name == "pareto_nbd" else of_peer(name, config, data):
        return pm.sample(draws, tune=tune, chains=chains, cores=1, random_seed=1, progressbar=False)


def of_peer(name: str, config, data) -> pm.Model:
    model = PEERS[name](model_config=config)
    model.build_model(data=data)
    return model.model


def of_distinct(config, data) -> pm.Model:
    rows = data.groupby(["recency", "frequency", "T"], as_index=False).size()
    with pm.Model() as model:
        params = {key: prior.create_variable(key) for key, prior in config.items()}
        each = ParetoNBD.dist(**params, T=rows["T"].to_numpy())
        density = pm.logp(each, rows[["recency", "frequency"]].to_numpy())
        pm.Potential("histories", pt.sum(rows["size"].to_numpy() * density))
    return model


def worth(values, **options) -> float:
    """Effective draws of chains, shape (chains, draws)."""
    return np.asarray(az.ess(values, **options)).item()


def quantile_error(values, share: float) -> float:
    """Half the distance of the quantiles at which the order statistics' share has one error."""
    size = worth(values, method="quantile", prob=share)
    ends = beta(share * size + 1, (1 - share) * size + 1).ppf([0.1587, 0.8413])
    return float(np.diff(np.quantile(values, ends))[0] / 2)


def section(name: str) -> str:
    started = time.perf_counter()
    found = sample(name)
    seconds = time.perf_counter() - started
    chains, tune, draws = SHORT.get(name, (CHAINS, TUNE, DRAWS))
    lines = [
        f"[{name}]",
        f"seconds = {seconds:.0f}  # {chains} chains of {draws} draws after {tune} of tuning",
        f"divergences = {int(found.sample_stats['diverging'].sum())}",
        f"[{name}.prior]",
        *(f'"{key}" = [{a}, {b}]' for key, (a, b) in PRIORS[name].items()),
    ]
    for own in NAMES[name]:
        values = found.posterior[RENAMED.get(own, own)].to_numpy()
        squares = (values - values.mean()) ** 2
        numbers = {
            "mean": values.mean(),
            "mean_error": values.std() / np.sqrt(worth(values, method="mean")),
            "sd": values.std(ddof=1),
            "sd_error": squares.std() / np.sqrt(worth(squares, method="mean")) / 2 / values.std(),
            "effective_draws": worth(values),
        }
        for share in QUANTILES:
            key = f"q{100 * share:02.0f}"
            numbers[key] = np.quantile(values, share)
            numbers[f"{key}_error"] = quantile_error(values, share)
        lines += [
            f"[{name}.{own}]",
            *(f"{key} = {float(value):.6g}" for key, value in numbers.items()),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    chosen = sys.argv[1:] or list(PEERS)
    old = re.split(r"\n(?=\[\w+\]\n)", OUT.read_text("utf-8")) if OUT.exists() else []
    found = {text[1 : text.index("]")]: text for text in old if text.startswith("[")}
    found |= {name: section(name) for name in chosen}
    head = (
        "# Posteriors of the CDNOW sample (2,357 customers, weeks, until 30 September 1997) by NUTS"
        f"\n# of pymc-marketing {version('pymc-marketing')}, pymc {version('pymc')}: made by"
        "\n# benchmarks/reference_posterior.py. *_error is the Monte Carlo standard error.\n"
    )
    sections = (found[name].strip("\n") + "\n" for name in PEERS if name in found)
    OUT.write_text(head + "\n".join(sections), "utf-8")


if __name__ == "__main__":
    main()
