"""Dual Chunk Attention in numpy, straight from its definition (docs/definition.md), sharing nothing with the C++ code: full
n x n score matrices, frequencies in 50-digit decimals, exact angles in rational numbers, the derivative of a softmax
written out. Slow, float64, for tests only."""

from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np

getcontext().prec = 50
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
MODES = ("intra", "succ", "inter")


# --- rotary frequencies --------------------------------------------------------------------------------------------


def power(base, exponent):
    return (base.ln() * exponent).exp()


def frequencies(a, rotary_dim, keys):
    """inv_freq of the attributes `a` for a sequence of `keys` keys, each rounded to double once."""
    scaling = a.get("rope_scaling", "none")
    base = Decimal(float(a.get("rope_base", 10000.0)))
    factor = Decimal(float(a.get("rope_factor", 1.0)))
    default_length = {"yarn": 4096, "llama3": 8192}.get(scaling, 0)
    length = Decimal(float(a.get("original_max_position", default_length)))
    if scaling in ("ntk", "dynamic"):
        growth = factor
        if scaling == "dynamic":
            growth = factor * max(length, Decimal(keys)) / length - (factor - 1)
        base = base * power(growth, Decimal(rotary_dim) / (rotary_dim - 2))
    theta = [power(base, Decimal(-2 * k) / rotary_dim) for k in range(rotary_dim // 2)]
    if scaling == "linear":
        theta = [t / factor for t in theta]
    elif scaling == "yarn":
        theta = yarn(a, theta, base, factor, length, rotary_dim)
    elif scaling == "llama3":
        theta = [llama3(a, t, factor, length) for t in theta]
    return np.array([float(t) for t in theta])


def yarn(a, theta, base, factor, length, rotary_dim):
    def dimension(rotations):
        return rotary_dim * (length / (2 * PI * Decimal(float(rotations)))).ln() / (2 * base.ln())

    def clamp(x, low, high):
        return min(max(x, low), high)

    low = dimension(a.get("beta_fast", 32.0)).to_integral_value(rounding="ROUND_FLOOR")
    high = dimension(a.get("beta_slow", 1.0)).to_integral_value(rounding="ROUND_CEILING")
    low, high = (clamp(x, Decimal(0), Decimal(rotary_dim - 1)) for x in (low, high))
    if low == high:
        high += Decimal("0.001")
    blended = []
    for k, t in enumerate(theta):
        ramp = clamp((k - low) / (high - low), Decimal(0), Decimal(1))
        blended.append(t / factor * ramp + t * (1 - ramp))
    return blended


def llama3(a, theta, factor, length):
    low, high = Decimal(float(a.get("low_freq_factor", 1.0))), Decimal(float(a.get("high_freq_factor", 4.0)))
    wave = 2 * PI / theta
    if wave < length / high:
        return theta
    if wave > length / low:
        return theta / factor
    g = (length / wave - low) / (high - low)
    return theta * ((1 - g) / factor + g)


def magnitude_scale(a):
    """The factor on cos and sin."""
    if "mscale" in a:
        return a["mscale"]
    factor = a.get("rope_factor", 1.0)
    if a.get("rope_scaling", "none") == "yarn" and factor > 1:
        return float(Decimal("0.1") * Decimal(float(factor)).ln() + 1)
    return 1.0


# --- rotation ------------------------------------------------------------------------------------------------------


def cos_sin(position, inv_freq):
    """cos and sin of the exact product: the rounded product p, and what rounding lost, to first order."""
    p = np.array([float(position) * f for f in inv_freq])
    lost = np.array([float(Fraction(int(position)) * Fraction(float(f)) - Fraction(float(x)))
                     for f, x in zip(inv_freq, p)])
    return np.cos(p) - lost * np.sin(p), np.sin(p) + lost * np.cos(p)


class Rotation:
    """The linear map of one row per position, and its transpose; rows are (rows, heads, head_dim)."""

    def __init__(self, positions, inv_freq, scale, layout, head_dim):
        self.pairs = len(inv_freq)
        tables = {}
        for p in set(positions):
            tables[p] = cos_sin(p, inv_freq)
        self.cos = np.array([tables[p][0] for p in positions]).reshape(-1, 1, self.pairs) * scale
        self.sin = np.array([tables[p][1] for p in positions]).reshape(-1, 1, self.pairs) * scale
        half = np.arange(self.pairs)
        self.first, self.second = (half, half + self.pairs) if layout == "neox" else (2 * half, 2 * half + 1)

    def apply(self, rows, transpose=False):
        sin = -self.sin if transpose else self.sin
        out = rows.copy()
        a, b = rows[..., self.first], rows[..., self.second]
        out[..., self.first] = a * self.cos - b * sin
        out[..., self.second] = b * self.cos + a * sin
        return out


class Identity:
    def apply(self, rows, transpose=False):
        return rows.copy()


# --- attention -----------------------------------------------------------------------------------------------------


def position_maps(a):
    size, stride = a["chunk_size"], a["chunk_size"] - a["local_size"]
    return stride, {
        "key": lambda j: j % stride,
        "intra": lambda i: i % stride,
        "succ": lambda i: min(i % stride + stride, size),
        "inter": lambda i: min(2 * stride - 1, size),
    }


def attend(a, q, k, v, dout, offset, given_inv_freq):
    """One sequence: q (rows, heads, d), k and v (keys, kv heads, d). Returns out, lse and the gradients or None."""
    rows, heads, head_dim = q.shape
    keys, kv_heads = k.shape[:2]
    stride, maps = position_maps(a)
    layout = a.get("rope", "neox")
    rotary_dim = a.get("rotary_dim", head_dim)
    tau = a.get("softmax_scale", head_dim ** -0.5)

    # A row before every key has no position; 0 stands in, no score of it is used.
    index = [max(offset + r, 0) for r in range(rows)]
    if layout == "none":
        rotate_k = Identity()
        rotate_q = {m: Identity() for m in MODES}
    else:
        inv_freq = frequencies(a, rotary_dim, keys) if given_inv_freq is None else given_inv_freq
        scale = magnitude_scale(a)
        rotate_k = Rotation([maps["key"](j) for j in range(keys)], inv_freq, scale, layout, head_dim)
        rotate_q = {m: Rotation([maps[m](i) for i in index], inv_freq, scale, layout, head_dim) for m in MODES}

    i, j = np.arange(rows)[:, None] + offset, np.arange(keys)[None, :]
    distance = i // stride - j // stride
    visible = j <= i
    select = {"intra": visible & (distance == 0), "succ": visible & (distance == 1), "inter": visible & (distance >= 2)}

    group = heads // kv_heads
    key = np.repeat(rotate_k.apply(k), group, axis=1)
    value = np.repeat(v, group, axis=1)
    query = {m: rotate_q[m].apply(q) for m in MODES}

    scores = np.full((heads, rows, keys), -np.inf)
    for m in MODES:
        scores = np.where(select[m], tau * np.einsum("rhd,khd->hrk", query[m], key), scores)
    top = np.where(visible.any(axis=1), scores.max(axis=2, initial=-np.inf), 0.0)
    weights = np.exp(scores - top[..., None])
    total = weights.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        lse = top + np.log(total)
        weights = np.where(total[..., None] > 0, weights / total[..., None], 0.0)
    result = {"out": np.einsum("hrk,khd->rhd", weights, value), "lse": lse}
    if dout is None:
        return result, {}

    d_weights = np.einsum("rhd,khd->hrk", dout, value)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=2, keepdims=True))
    terms = weights * (np.abs(d_weights) + (weights * np.abs(d_weights)).sum(axis=2, keepdims=True))

    def over_group(x):
        return x.reshape(keys, kv_heads, group, -1).sum(axis=2)

    dq, dq_terms, d_key, d_key_terms = 0.0, 0.0, 0.0, 0.0
    for m in MODES:
        part = np.where(select[m], d_scores, 0.0)
        size = np.where(select[m], terms, 0.0)
        dq = dq + rotate_q[m].apply(tau * np.einsum("hrk,khd->rhd", part, key), transpose=True)
        dq_terms = dq_terms + abs(tau) * np.einsum("hrk,khd->rhd", size, np.abs(key))
        d_key = d_key + tau * np.einsum("hrk,rhd->khd", part, query[m])
        d_key_terms = d_key_terms + abs(tau) * np.einsum("hrk,rhd->khd", size, np.abs(query[m]))
    result["dq"] = dq
    result["dk"] = rotate_k.apply(over_group(d_key), transpose=True)
    result["dv"] = over_group(np.einsum("hrk,rhd->khd", weights, dout))
    return result, {"dq": dq_terms, "dk": over_group(d_key_terms)}


def expected(case):
    """Results in the shapes of the file, and the sizes of the terms that cancel in dq and dk."""
    a, t = case["attributes"], case["inputs"]
    get = lambda name, part: None if name not in t else t[name][part].astype(float)
    inv_freq = t.get("inv_freq")
    if "cu_seqlens" in t:
        cu = t["cu_seqlens"]
        parts = [(slice(b, e), 0) for b, e in zip(cu[:-1], cu[1:]) if e > b]
        join = lambda name, xs: np.concatenate(xs, axis=1 if name == "lse" else 0)
    else:
        offset = a.get("query_offset", t["k"].shape[1] - t["q"].shape[1])
        parts = [(b, offset) for b in range(t["q"].shape[0])]
        join = lambda name, xs: np.stack(xs)
    runs = [attend(a, get("q", p), get("k", p), get("v", p), get("dout", p), offset, inv_freq) for p, offset in parts]
    return tuple({name: join(name, [run[n][name] for run in runs]) for name in runs[0][n]} for n in range(2))
