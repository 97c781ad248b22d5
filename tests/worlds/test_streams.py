"""Draws are pure functions of seed, name, customer and counter, and look random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cxlib.worlds.streams import Streams

MANY = 50_000


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**63 - 1),
    who=st.lists(st.integers(0, 199), min_size=1, max_size=20),
    at=st.integers(0, 10_000),
)
def test_a_draw_does_not_depend_on_who_else_draws(seed, who, at):
    streams = Streams(seed, 200)
    everybody = streams.uniform("a", at=at)
    assert np.array_equal(streams.uniform("a", np.array(who), at), everybody[who])
    counters = np.full(len(who), at)
    assert np.array_equal(streams.uniform("a", np.array(who), counters), everybody[who])
    assert np.array_equal(Streams(seed, 500).uniform("a", at=at)[:200], everybody)


def test_many_customers_draw_in_parts_what_few_draw_at_once():
    many, few = Streams(7, MANY), Streams(7, 100)
    for at in (0, 9):
        assert np.array_equal(many.uniform("a", at=at)[:100], few.uniform("a", at=at))
    nobody = many.uniform("a", np.array([], int), np.array([], int))
    assert (nobody.shape, nobody.dtype) == ((0,), float)


def test_drawing_leaves_the_base_of_a_stream_as_it_was():
    streams = Streams(3, 100)
    first = streams.uniform("a", at=5).copy()
    streams.uniform("a", at=6)
    assert np.array_equal(streams.uniform("a", at=5), first)


@pytest.mark.parametrize("at", [0, 1, 103])
def test_uniform_draws_are_uniform(at):
    u = Streams(7, MANY).uniform("shape", at=at)
    assert u.min() > 0
    assert u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-4  # fixed seed: fails only if the law is wrong


def test_streams_weeks_and_neighbours_are_uncorrelated():
    streams = Streams(7, MANY)
    a = streams.uniform("a", at=0)
    others = [
        streams.uniform("b", at=0),
        streams.uniform("a", at=1),
        Streams(8, MANY).uniform("a", at=0),
        np.roll(a, 1),
    ]
    for other in others:
        assert abs(np.corrcoef(a, other)[0, 1]) < 4 / np.sqrt(MANY)  # four standard errors


def test_along_the_weeks_of_one_customer_draws_are_uniform_and_uncorrelated():
    u = Streams(7, 3).uniform("a", np.zeros(MANY, int), np.arange(MANY))
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4 / np.sqrt(MANY)
