"""Control charts and funnels: textbook values, false alarms, edges."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError


def test_individuals_chart_by_hand():
    values = [10.0, 12, 11, 13, 10, 12]
    # moving ranges 2 1 2 3 2, mean 2, sigma 2 / 1.128 = 1.773
    chart = stats.control_chart(values)
    assert chart.centre == pytest.approx(11.3333, abs=1e-4)
    assert chart.high[0] - chart.centre == pytest.approx(3 * 2 / 1.128)
    assert not chart.signals.any()


def test_runs_of_eight_signal():
    values = [0.0, 1, 0, 1, 0, 1, *([0.9] * 8)]
    chart = stats.control_chart(values, baseline=6)
    # above the centre of .5 from place 5 on: the eighth and the ninth signal
    assert chart.signals.nonzero()[0].tolist() == [12, 13]


def test_false_alarms_of_a_long_series():
    values = np.random.default_rng(1).normal(size=40_000)
    chart = stats.control_chart(values)
    outside = ((values < chart.low) | (values > chart.high)).mean()
    assert outside == pytest.approx(0.0027, abs=0.0012)
    assert (chart.signals.mean() - outside) == pytest.approx(1 / 128, abs=0.003)


def test_net_score_chart_allows_what_varies_by_nature():
    rng = np.random.default_rng(2)
    n = rng.integers(200, 400, 60)
    calm = rng.binomial(n, 0.5)
    restless = rng.binomial(n, rng.uniform(0.35, 0.65, 60))
    narrow, wide = (stats.net_score_chart(x, 0 * x, n) for x in (calm, restless))
    sampling = 300 * np.sqrt(0.25 / n)
    assert narrow.high - narrow.centre == pytest.approx(sampling, rel=0.3)
    assert (wide.high - wide.centre > 2 * sampling).all()
    assert ((restless / n * 100 > wide.low) & (restless / n * 100 < wide.high)).all()


def test_chart_result_is_told_drawn_and_tabulated():
    chart = stats.net_score_chart([50, 48, 52, 20], [20, 22, 19, 40], [100] * 4, baseline=3)
    assert "1 of 4 points" in chart.summary()
    assert chart.to_frame()["signals"].tolist() == [False, False, False, True]
    assert "period" in chart.plot().get_xlabel()


def test_funnel_limits_by_hand():
    low, high = stats.funnel_limits([1, 25, 400], promoters=0.5, detractors=0.2)
    # 1.96 * sqrt(.61) / sqrt(n), clipped at one answer
    assert high - 30 == pytest.approx([70, 30.615, 7.654], abs=0.001)
    assert low[0] == -100


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.control_chart([1.0]),
        lambda: stats.control_chart([1, np.nan, 2]),
        lambda: stats.control_chart([1, 2, 3], baseline=1),
        lambda: stats.net_score_chart([5, 5], [0, 0], [5, 5]),
        lambda: stats.net_score_chart([5], [0], [5]),
        lambda: stats.funnel_limits([0, 5], promoters=0.5),
        lambda: stats.funnel_limits([5], promoters=0.7, detractors=0.4),
    ],
)
def test_bad_charts(call):
    with pytest.raises(CxError):
        call()
