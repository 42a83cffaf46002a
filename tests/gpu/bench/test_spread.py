"""Medians, quartiles, ratios in alternation, orders of rounds."""
import collections
import math
import pathlib
import random
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "gpu/bench"))
import spread


class Quantiles(unittest.TestCase):
    def test_by_hand(self):
        self.assertEqual(spread.spread([4.0, 1.0, 3.0, 2.0]), spread.Spread(2.5, 1.75, 3.25, 4))
        self.assertEqual(spread.spread([7.0]), spread.Spread(7.0, 7.0, 7.0, 1))
        self.assertEqual(spread.spread([5.0, 1.0, 9.0]), spread.Spread(5.0, 3.0, 7.0, 3))

    def test_against_numpy(self):
        seed = random.randrange(10 ** 6)
        rng = random.Random(seed)
        for count in range(1, 40):
            values = [rng.uniform(0.1, 9) for _ in range(count)]
            share = rng.random()
            self.assertAlmostEqual(spread.quantile(values, share), float(np.quantile(values, share)), 12, f"seed {seed}")

    def test_what_is_no_time(self):
        for values in ([], [1.0, 0.0], [1.0, -1.0], [math.nan, 1.0], [math.inf]):
            with self.assertRaises(ValueError):
                spread.spread(values)


class Ratios(unittest.TestCase):
    def test_drift_cancels(self):
        """The clock slows down by a factor of three during the rounds; one contestant always takes 1.25 times the other."""
        drift = [1 + 2 * i / 20 for i in range(21)]
        base, other = [2.0 * f for f in drift], [2.5 * f for f in drift]
        found = spread.ratio(other, base)
        for value in (found.median, found.low, found.high):
            self.assertAlmostEqual(value, 1.25, 14)

    def test_is_of_rounds_not_of_medians(self):
        self.assertEqual(spread.ratio([1.0, 8.0, 3.0], [2.0, 4.0, 1.0]).median, 2.0)  # 0.5, 2, 3; medians give 1.5

    def test_unequal_rounds(self):
        with self.assertRaises(ValueError):
            spread.ratio([1.0], [1.0, 2.0])


class Orders(unittest.TestCase):
    def test_everyone_runs_once_a_round_and_first_equally_often(self):
        names, first, follows = "abcde", collections.Counter(), collections.Counter()
        for number in range(2 * len(names)):
            order = spread.order_of_round(names, number)
            self.assertEqual(sorted(order), list(names))
            first[order[0]] += 1
            follows.update(zip(order, order[1:]))
        self.assertEqual(set(first.values()), {2})
        self.assertTrue(all((b, a) in follows for a, b in follows), "each follows its neighbour as often as it precedes it")

    def test_two_alternate(self):
        self.assertEqual([spread.order_of_round("ab", i)[0] for i in range(4)], ["a", "b", "b", "a"])
        self.assertEqual(spread.order_of_round([], 3), [])

    def test_rounds_within_a_budget(self):
        self.assertEqual(spread.rounds_within(0.5, 6, 7, 50), 12)
        self.assertEqual(spread.rounds_within(60, 6, 7, 50), 7)
        self.assertEqual(spread.rounds_within(1e-4, 6, 7, 50), 50)
        for bad in (0, -1, math.nan, math.inf):
            with self.assertRaises(ValueError):
                spread.rounds_within(bad, 6, 7, 50)


if __name__ == "__main__":
    unittest.main()
