"""Shared by all tests: where CXLIB_NO_SKIP is set, a skipped test is a failed one."""

import os

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CXLIB_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped where no skip is allowed: {report.longrepr}"
