import tomllib
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx

CALIBRATION_UNTIL = "1997-09-30"


@pytest.fixture(scope="session")
def published():
    path = Path(__file__).parents[1] / "reference" / "clv.toml"
    return tomllib.loads(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def purchases():
    return cx.read_cdnow()


@pytest.fixture(scope="session")
def summary(purchases):
    return cx.clv.summarize(purchases, calibration_until=CALIBRATION_UNTIL)


@pytest.fixture(scope="session")
def two_decimals():
    """The summary that ships with lifetimes, read without importing lifetimes.datasets."""
    wheel = metadata.distribution("lifetimes")
    path = wheel.locate_file("lifetimes/datasets/cdnow_customers_summary_with_transactions.csv")
    names = {"ID": "customer_id", "x": "frequency", "t_x": "recency", "zbar": "monetary"}
    return pd.read_csv(path).rename(columns=names).set_index("customer_id")


@pytest.fixture(scope="session")
def model(summary):
    return cx.clv.BetaGeo().fit(summary)


@pytest.fixture(scope="session")
def spend(summary):
    return cx.clv.GammaGamma().fit(summary)
