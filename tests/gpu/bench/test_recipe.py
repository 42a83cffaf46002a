"""The three-call recipe's slices, masks and positions against the definition (docs/definition.md, Def.1-3, 6-8), pair by pair."""
import math
import pathlib
import random
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "gpu/bench"))
import recipe


def defined(i, j, C, w):
    """Mode and relative position of a visible pair, from Def.2 and Def.3."""
    L = C - w
    apart = i // L - j // L
    mode = {0: "intra", 1: "succ"}.get(apart, "inter")
    position = {"intra": i % L, "succ": min(i % L + L, C), "inter": min(2 * L - 1, C)}[mode]
    return mode, position - j % L


def pairs_of(n, settings):
    """(i, j) -> (mode, relative position) as the recipe's calls compute them; each pair once."""
    keys = recipe.key_positions(n, settings)
    queries = {mode: recipe.query_positions(mode, n, settings) for mode in recipe.MODES}
    seen = {}
    for chunk in recipe.chunks(n, settings):
        for call in chunk.calls:
            rows, columns = range(chunk.begin, chunk.end), range(call.key_begin, call.key_end)
            assert not call.causal or len(rows) == len(columns), "a causal call must be square"
            for a, i in enumerate(rows):
                for b, j in enumerate(columns):
                    if call.causal and b > a:
                        continue
                    assert (i, j) not in seen, f"pair {i}, {j} twice"
                    seen[i, j] = call.mode, queries[call.mode][i] - keys[j]
    return seen


def random_settings(rng):
    C = rng.randint(1, 14)
    return recipe.Settings(C, rng.randint(0, C - 1))


class Pairs(unittest.TestCase):
    def expect_defined(self, n, settings):
        wanted = {(i, j): defined(i, j, *settings) for i in range(n) for j in range(i + 1)}
        self.assertEqual(pairs_of(n, settings), wanted, f"n={n} {settings}")

    def test_every_setting_up_to_9_and_length_24(self):
        for C in range(1, 10):
            for w in range(C):
                self.expect_defined(24, recipe.Settings(C, w))

    def test_every_length_up_to_twice_the_stride(self):
        for n in range(0, 18):
            self.expect_defined(n, recipe.Settings(8, 3))

    def test_random(self):
        seed = random.randrange(10 ** 6)
        rng = random.Random(seed)
        for _ in range(30):
            n, settings = rng.randint(1, 60), random_settings(rng)
            with self.subTest(seed=seed, n=n, settings=settings):
                self.expect_defined(n, settings)

    def test_plain_is_one_causal_call(self):
        for n in (1, 2, 17):
            (chunk,) = recipe.chunks(n, recipe.plain_settings(n))
            self.assertEqual(chunk, recipe.Chunk(0, n, (recipe.Call("intra", True, 0, n),)))
            self.expect_defined(n, recipe.plain_settings(n))

    def test_counts(self):
        settings = recipe.Settings(8192, 1024)
        self.assertEqual(recipe.call_count(32768, settings), 12)  # 5 chunks: 1 + 2 + 3 * 3
        self.assertEqual(recipe.call_count(131072, settings), 54)  # 19 chunks
        self.assertEqual(recipe.causal_flop(1, 32768, 32, 128), 4 * 32768 ** 2 * 128 * 32 // 2)
        self.assertEqual(recipe.causal_flop(2, 10, 3, 4, 6), 2 * 3 * 100 * 10)

    def test_refusals(self):
        for C, w in ((4, 4), (4, 5), (4, -1), (0, 0)):
            with self.assertRaises(ValueError):
                recipe.chunk_len(recipe.Settings(C, w))
        with self.assertRaises(ValueError):
            recipe.query_positions("cross", 4, recipe.Settings(4, 0))


def turned(x, positions, frequencies):
    angle = np.asarray(positions, dtype=float)[:, None] * frequencies
    a, b = np.split(x, 2, axis=1)
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=1)


def attention(q, k, v, causal):
    s = q @ k.T / math.sqrt(q.shape[1])
    if causal:
        s = np.where(np.tril(np.ones(s.shape, dtype=bool)), s, -np.inf)
    top = s.max(axis=1, keepdims=True)
    p = np.exp(s - top)
    total = p.sum(axis=1, keepdims=True)
    return p / total @ v, (np.log(total) + top)[:, 0]


class Attention(unittest.TestCase):
    """The recipe as peers.py strings it together, on numbers, against one softmax over all pairs (Def.6)."""

    def test_random(self):
        seed = random.randrange(10 ** 6)
        rng, numbers = random.Random(seed), np.random.default_rng(seed)
        for _ in range(12):
            n, settings, d = rng.randint(2, 50), random_settings(rng), 6
            q, k, v = (numbers.standard_normal((n, d)) for _ in range(3))
            frequencies = 100.0 ** (-np.arange(d // 2) / (d // 2))
            out, lse = self.by_recipe(q, k, v, settings, frequencies)
            want, want_lse = self.by_definition(q, k, v, settings, frequencies)
            with self.subTest(seed=seed, n=n, settings=settings):
                # Sums of at most 50 terms of size 1 in double: 50 roundoffs of 1e-16, and as many again in the logits.
                np.testing.assert_allclose(out, want, rtol=0, atol=1e-13)
                np.testing.assert_allclose(lse, want_lse, rtol=0, atol=1e-13)

    def by_recipe(self, q, k, v, settings, frequencies):
        n = len(q)
        keys = turned(k, recipe.key_positions(n, settings), frequencies)
        queries = {mode: turned(q, recipe.query_positions(mode, n, settings), frequencies) for mode in recipe.MODES}
        out, lse = np.empty_like(q), np.empty(n)
        for chunk in recipe.chunks(n, settings):
            parts = [attention(queries[call.mode][chunk.begin:chunk.end], keys[call.key_begin:call.key_end],
                               v[call.key_begin:call.key_end], call.causal) for call in chunk.calls]
            lses = np.stack([part[1] for part in parts])
            joined = np.log(np.exp(lses).sum(axis=0))
            lse[chunk.begin:chunk.end] = joined
            out[chunk.begin:chunk.end] = sum(np.exp(l - joined)[:, None] * o for (o, _), l in zip(parts, lses))
        return out, lse

    def by_definition(self, q, k, v, settings, frequencies):
        n = len(q)
        s = np.full((n, n), -np.inf)
        for i in range(n):
            for j in range(i + 1):
                _, apart = defined(i, j, *settings)
                s[i, j] = (turned(q[i:i + 1], [apart], frequencies) @ k[j])[0] / math.sqrt(q.shape[1])
        p = np.exp(s)
        return p / p.sum(axis=1, keepdims=True) @ v, np.log(p.sum(axis=1))


if __name__ == "__main__":
    unittest.main()
