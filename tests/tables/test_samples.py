"""The CDNOW purchases, against what has been published about them."""

import cxlib as cx


def test_cdnow_is_the_published_sample():
    purchases = cx.read_cdnow()
    # 6,919 lines of 2,357 customers; Fader, Hardie & Lee 2005, doi:10.1287/mksc.1040.0098
    assert len(purchases) == 6919
    assert purchases["customer_id"].nunique() == 2357
    days = purchases.drop_duplicates(["customer_id", "ordered_at"])
    first = days.groupby("customer_id")["ordered_at"].transform("min")
    repeat = days[days["ordered_at"] > first]
    holdout = repeat["ordered_at"] > "1997-09-30"
    # 946 customers came back within the calibration period; 1,882 purchases in the 39 weeks after
    assert repeat.loc[~holdout, "customer_id"].nunique() == 946
    assert holdout.sum() == 1882


def test_cdnow_keeps_free_and_equal_purchases_and_says_so():
    purchases = cx.read_cdnow()
    assert (purchases["amount"] == 0).sum() == 8
    assert [h.choice for h in cx.intake(purchases).handled] == ['duplicates="keep"', 'zero="keep"']
