"""Key figures as a card words them: what is not nothing does not read as nothing."""

import pytest

from cxlib.report.words import figure, interval


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (-0.42, "EUR", "−0.42 EUR"),
        (0.07, "EUR", "0.07 EUR"),
        (-0.004, "EUR", "0.00 EUR"),  # below the cent
        (2.84, "EUR", "2.8 EUR"),
        (9.96, "EUR", "10.0 EUR"),
        (13.4, "EUR", "13 EUR"),
        (0.0, "EUR", "0 EUR"),
        (-0.42, "points", "0 points"),  # elsewhere the interval alone decides
        (-0.003, "share", "0 %"),
    ],
)
def test_money_below_ten_keeps_two_digits_however_wide_its_interval(value, unit, told):
    reach = 0.15 if unit == "share" else 15.0
    entry = {"value": value, "low": value - reach, "high": value + reach, "unit": unit}
    assert figure(entry) == told


def test_the_limits_are_worded_by_their_width():
    entry = {"value": -0.42, "low": -12.5, "high": 11.66, "unit": "EUR", "level": 0.95}
    assert interval(entry) == "95 % interval −12 to 12"
    narrow = {"value": 0.42, "low": 0.31, "high": 0.53, "unit": "EUR", "level": 0.95}
    assert figure(narrow) == "0.42 EUR"
    assert interval(narrow) == "95 % interval 0.31 to 0.53"
