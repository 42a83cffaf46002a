"""Medians with quartiles, and ratios in alternation. Needs nothing but the standard library.

A contestant's times are a list with one entry for each round; in a round every contestant runs once. Clocks, temperature
and neighbours drift over seconds, a round takes less, so the ratio of two contestants is taken within each round and
the median over rounds, never from two medians.
"""
import math
from collections import namedtuple

Spread = namedtuple("Spread", "median low high count")  # low and high: the quartiles


def quantile(values, share):
    """The usual interpolated quantile: position (count - 1) * share in sorted order."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    at = (len(ordered) - 1) * share
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def spread(values):
    """Median and quartiles. Refuses an empty list and what is no finite positive number: a time of 0 or NaN is a fault of
    the measurement, not a fast kernel."""
    values = list(values)
    for value in values:
        if not (0 < value < math.inf):
            raise ValueError(f"{value} is no measured time or ratio")
    return Spread(quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), len(values))


def ratio(times, base):
    """Spread of times[i] / base[i] over the rounds i."""
    if len(times) != len(base):
        raise ValueError(f"{len(times)} rounds beside {len(base)}: not from one alternation")
    return spread(a / b for a, b in zip(times, base))


def order_of_round(names, number):
    """The order in which contestants run in a round: rotated by one each time, and turned round in every other full turn,
    so that none always follows the same neighbour or always runs first."""
    names = list(names)
    if not names:
        return names
    turn, shift = divmod(number, len(names))
    rotated = names[shift:] + names[:shift]
    return rotated[::-1] if turn % 2 else rotated


def rounds_within(seconds_per_round, budget, least, most):
    """How many rounds fit the budget of seconds, within [least, most]."""
    if not (0 < seconds_per_round < math.inf):
        raise ValueError(f"{seconds_per_round} is no measured time")
    return max(least, min(most, int(budget / seconds_per_round)))
