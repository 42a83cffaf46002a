"""One sequence of any dialect, forward and backward, in numpy: dense n x n scores, one matrix per mode, and every rounding
of the published code where that code does it. Roundings count as the identity in the backward pass."""

import numpy as np

from dialect_laws import (EVERYWHERE, MODES, Numbers, exactly, factors, interpolated, inverse_frequencies,
                          is_decode, position_maps, static_scale, to_bf16)


# --- rotation --------------------------------------------------------------------------------------------------------


def angles(numbers, positions, inv_freq):
    if not numbers.chain:
        return numbers.angle(positions[:, None] * inv_freq[None, :])
    steps = [positions]  # inv_freq is (1, ratio, ...): every angle is the one before it times the ratio
    for _ in inv_freq[1:]:
        steps.append(numbers.angle(steps[-1] * inv_freq[1]))
    return np.stack(steps, axis=1)


class Tables:
    """cos and sin of one list of positions, times the factor of each row, and the rotation they define."""

    def __init__(self, numbers, positions, inv_freq, scale, layout):
        self.numbers, act, table = numbers, numbers.act, numbers.table
        angle = angles(numbers, np.asarray(positions, float), inv_freq)
        scale = table(np.broadcast_to(np.asarray(scale, float), len(positions)))[:, None]
        self.cos = act(table(table(np.cos(angle)) * scale))[:, None, :]
        self.sin = act(table(table(np.sin(angle)) * scale))[:, None, :]
        pairs = len(inv_freq)
        half = np.arange(pairs)
        self.first, self.second = (half, half + pairs) if layout == "neox" else (2 * half, 2 * half + 1)

    def apply(self, x):
        out = x.copy()
        a, b, act = x[..., self.first], x[..., self.second], self.numbers.act_exact
        out[..., self.first] = act(act(a * self.cos) + act(-b * self.sin))
        out[..., self.second] = act(act(b * self.cos) + act(a * self.sin))
        return out

    def transposed(self, g):
        out = g.copy()
        a, b = g[..., self.first], g[..., self.second]
        out[..., self.first] = a * self.cos + b * self.sin
        out[..., self.second] = b * self.cos - a * self.sin
        return out


class NoTables:
    def apply(self, x):
        return x.copy()

    transposed = apply


# --- the engines: attention inside one part, and the merge of the parts ------------------------------------------------


def masked_softmax(scores, seen):
    """(probabilities, LSE) of each row over the keys it sees; rows that see none have 0 and -inf."""
    scores = np.where(seen, scores, -np.inf)
    top = np.where(seen.any(axis=-1), scores.max(axis=-1, initial=-np.inf), 0.0)
    weights = np.exp(scores - top[..., None])
    total = weights.sum(axis=-1)
    with np.errstate(divide="ignore"):
        lse = top + np.log(total)
    return weights / np.where(total > 0, total, 1.0)[..., None], lse


def kernel_part(numbers, raw, scale, value, seen):
    """Exact attention; the output in the activation type, the LSE in float32."""
    p, lse = masked_softmax(raw * scale, seen)
    return p, numbers.lse(lse), np.einsum("hrk,khd->hrd", p, value), numbers.act


def unfused_part(numbers, raw, scale, value, seen):
    """Megatron #4048: scores, LSE and probabilities in the activation type, softmax in float32 whatever the type.
    Sums of products of two short numbers are (nearly always) exact in float64."""
    scores = np.where(seen, numbers.scores(numbers.scores(raw) * scale), -np.inf)
    p, _ = masked_softmax(numbers.softmax(scores), seen)
    top = np.where(seen.any(axis=-1), scores.max(axis=-1, initial=-np.inf), 0.0)
    steps, exact = numbers.steps, numbers.steps_exact
    with np.errstate(divide="ignore"):
        total = exact(numbers.sums(steps(np.exp(exact(scores - top[..., None]))).sum(axis=-1)))
        lse = numbers.lse(steps(np.log(total)) + top)
    p = probabilities(numbers, p)
    return p, lse, np.einsum("hrk,khd->hrd", p, value), numbers.act_exact if numbers.rounds_scores else numbers.act


def probabilities(numbers, p):
    p = numbers.softmax(p)
    return numbers.act(p) if numbers.rounds_scores else p


def exact_unfused_part(numbers, raw, scale, value, seen):
    """Megatron-Bridge: everything in float32 for half types, in the own type otherwise."""
    sums = numbers.sums
    p, lse = masked_softmax(sums(sums(raw) * scale), seen)
    p = sums(p)
    return p, numbers.lse(lse), sums(np.einsum("hrk,khd->hrd", p, value)), numbers.act


def whole_row(numbers, raw, scale, value, seen):
    """ChunkLlama's decode: one softmax over the concatenated scores, in float32 whatever the type."""
    p, _ = masked_softmax(numbers.softmax(numbers.scores(numbers.scores(raw) * scale)), seen)
    p = probabilities(numbers, p)
    rnd = numbers.result_exact if numbers.rounds_scores else numbers.result
    return p, rnd(np.einsum("hrk,khd->hrd", p, value))


PARTS = {"kernel": kernel_part, "unfused": unfused_part, "unfused exact": exact_unfused_part}


def merge_weights(numbers, lses, kind):
    """Weights of the parts from their LSE. act: in the activation type at every step; sums: in its accumulator type;
    single: in float32; bf16: in float32, then rounded to bfloat16 whatever the activations are."""
    rnd = {"act": numbers.act, "sums": numbers.sums}.get(kind, numbers.weights)
    exact = numbers.act_exact if kind == "act" else rnd
    top = lses.max(axis=0)
    e = rnd(np.exp(exact(lses - np.where(np.isfinite(top), top, 0.0))))
    total = exact(e.sum(axis=0))
    weights = e / np.where(total > 0, total, 1.0)
    return to_bf16(rnd(weights)) if kind == "bf16" else rnd(weights)


def rounded_parts(numbers, weights, outs):
    """The part outputs that enter the merge. A row with one part takes it as it is: its only rounding is the result's."""
    alone = ((weights != 0).sum(axis=0) <= 1)[..., None]
    exempt = alone & (numbers.result is exactly)
    return np.stack([np.where(exempt, out, rnd(out)) for out, rnd in outs]), alone


def merge(numbers, weights, outs, products, exact_products):
    """The weighted sum of the parts."""
    parts, alone = rounded_parts(numbers, weights, outs)
    terms = weights[..., None] * parts
    plain = terms.sum(axis=0)
    if products:
        terms = (numbers.act_exact if exact_products else numbers.act)(terms)
        merged = numbers.result_exact(numbers.sums(terms.sum(axis=0)))
    else:
        merged = numbers.result(numbers.sums(numbers.sums(terms).sum(axis=0)))
    return np.where(alone, plain, merged)


# --- one sequence ------------------------------------------------------------------------------------------------------


def attend(rules, a, q, k, v, dout, offset, given_inv_freq, prompt, places=EVERYWHERE):
    """q (rows, heads, d), k and v (keys, kv heads, d). Returns out, lse and, with dout, dq, dk, dv, and
    the size of the terms that cancel in dq and dk."""
    rows, heads, head_dim = q.shape
    keys, kv_heads = k.shape[:2]
    numbers = Numbers(rules, a.get("dtype", "f64"), places)
    act = numbers.act
    decode = is_decode(a, rows, keys)
    engine = rules.decode_engine if decode else rules.engine
    tau = a.get("softmax_scale", head_dim ** -0.5)
    rotary_dim = a.get("rotary_dim", head_dim)
    layout = a.get("rope", "neox")

    stride, maps = position_maps(rules, a)
    index = np.maximum(np.arange(rows) + offset, 0)
    q_factor, k_factor = factors(rules, numbers, a, rows, keys, offset, prompt)
    in_tables = rules.factor == "tables"
    if layout == "none":
        rotate_q, rotate_k = dict.fromkeys(MODES, NoTables()), NoTables()
    else:
        inv_freq, divisor = inverse_frequencies(numbers, a, rotary_dim, keys, given_inv_freq)
        static = static_scale(a)

        def tables(mode, at, factor):
            position = interpolated(rules, numbers, a, mode, at, [maps[mode](i) for i in at], divisor)
            return Tables(numbers, position, inv_freq, static * (factor if in_tables else 1.0), layout)

        rotate_q = {m: tables(m, index, q_factor) for m in MODES}
        rotate_k = tables("key", np.arange(keys), k_factor)

    key, query = rotate_k.apply(k), {m: rotate_q[m].apply(q) for m in MODES}
    row_scale, key_scale, q_scale = np.ones(rows), np.ones(keys), np.ones(rows)
    if rules.factor == "keys":
        key_scale = k_factor
        key = act(key * k_factor[:, None, None])
        if decode:
            q_scale = q_factor
            query = {m: act(x * q_factor[:, None, None]) for m, x in query.items()}
        else:
            row_scale = q_factor
    elif rules.factor == "query" or (in_tables and layout == "none"):
        row_scale = q_factor
    group = heads // kv_heads
    key, value = np.repeat(key, group, axis=1), np.repeat(v, group, axis=1)

    i, j = np.arange(rows)[:, None] + offset, np.arange(keys)[None, :]
    distance = i // stride - j // stride
    seen = {"intra": (j <= i) & (distance == 0), "succ": (j <= i) & (distance == 1), "inter": (j <= i) & (distance >= 2)}
    raw = {m: np.einsum("rhd,khd->hrk", query[m], key) for m in MODES}
    scale = tau * row_scale[None, :, None]
    visible = j <= i
    every = np.select([seen[m] for m in MODES], [raw[m] for m in MODES], 0.0)
    result = {"lse": masked_softmax(every * scale, visible)[1]}
    if engine == "whole":
        p, out = whole_row(numbers, every, scale, value, visible)
        parts = {m: (np.where(seen[m], p, 0.0),) for m in MODES}
        weights = np.ones((len(MODES), heads, rows))
    else:
        parts = {m: PARTS[engine](numbers, raw[m], scale, value, seen[m]) for m in MODES}
        kind = rules.decode_weights if decode else rules.weights
        weights = merge_weights(numbers, np.stack([parts[m][1] for m in MODES]), kind)
        out = merge(numbers, weights, [parts[m][2:] for m in MODES], rules.products, kind in ("bf16", "act"))
    result["out"] = out.transpose(1, 0, 2)
    if dout is None:
        return result, {}

    d_out = dout.transpose(1, 0, 2)
    d_p = np.einsum("hrd,khd->hrk", d_out, value)
    detached = rules.detached and engine != "whole"
    own_delta = {m: (parts[m][0] * d_p).sum(axis=2) for m in MODES}
    if engine == "whole":
        own_delta = dict.fromkeys(MODES, sum(own_delta.values()))
    size_of = {m: (parts[m][0] * np.abs(d_p)).sum(axis=2) for m in MODES}
    delta = own_delta
    if not detached and engine != "whole":
        rounded, _ = rounded_parts(numbers, weights, [parts[m][2:] for m in MODES])
        gain = np.einsum("hrd,mhrd->mhr", d_out, rounded)
        mean = (weights * gain).sum(axis=0)
        delta = {m: own_delta[m] - gain[n] + mean if numbers.own_delta else mean for n, m in enumerate(MODES)}
    total_size = sum(weights[n] * size_of[m] for n, m in enumerate(MODES))
    dq, d_key, dv, dq_terms, dk_terms = 0.0, 0.0, 0.0, 0.0, 0.0
    for n, m in enumerate(MODES):
        p = weights[n][..., None] * parts[m][0]
        d_scores = p * (d_p - delta[m][..., None]) * scale
        size = p * (np.abs(d_p) + (size_of[m] if detached else total_size)[..., None]) * np.abs(scale)
        dq = dq + rotate_q[m].transposed(q_scale[:, None, None] * np.einsum("hrk,khd->rhd", d_scores, key))
        d_key = d_key + np.einsum("hrk,rhd->khd", d_scores, query[m])
        dv = dv + np.einsum("hrk,hrd->khd", p, d_out)
        dq_terms = dq_terms + np.einsum("hrk,khd->rhd", size, np.abs(key))
        dk_terms = dk_terms + np.einsum("hrk,rhd->khd", size, np.abs(query[m]))
    grouped = lambda x: x.reshape(keys, kv_heads, group, -1).sum(axis=2)
    dk = rotate_k.transposed(key_scale[:, None, None] * grouped(d_key))
    return {**result, "dq": dq, "dk": dk, "dv": grouped(dv)}, {"dq": dq_terms, "dk": grouped(dk_terms)}
