"""What the published dialects of Dual Chunk Attention say about positions, length factors, rotary tables and number types,
in numpy: one row of DIALECTS per dialect. Written from the published code and docs, sharing nothing with the C++ code."""

from dataclasses import dataclass, replace

import numpy as np

from definition import frequencies, magnitude_scale

MODES = ("intra", "succ", "inter")


# --- number types ----------------------------------------------------------------------------------------------------


# The smallest distance of a rounded number from a tie, in units in the last place, since forget_ties(): two programs whose
# numbers differ by less than that before the rounding agree after it.
nearest_tie = [np.inf]


def forget_ties():
    nearest_tie[0] = np.inf


def to_f32(x):
    return np.asarray(x, np.float64).astype(np.float32).astype(np.float64)


def rounded(x, bits, smallest):
    """x to `bits` significant bits, nearest even, exponents from `smallest` on; straight from float64."""
    x = np.asarray(x, np.float64)
    safe = np.where(np.isfinite(x), x, 0.0)
    unit = np.ldexp(1.0, np.maximum(np.frexp(safe)[1], smallest) - bits)
    fraction = safe / unit
    fraction = fraction - np.floor(fraction)
    if x.size:
        nearest_tie[0] = min(nearest_tie[0], np.abs(fraction[safe != 0] - 0.5).min(initial=np.inf))
    return np.where(np.isfinite(x), np.rint(safe / unit) * unit, x)


def to_bf16(x):
    return rounded(x, 8, -125)


def to_f16(x):
    return rounded(x, 11, -13)


def exactly(x):
    return np.asarray(x, np.float64)


ROUND = {"f64": exactly, "f32": to_f32, "bf16": to_bf16, "f16": to_f16}


# The roundings of the published code, by place:
#   activations  of float32 activations to float32 (those of shorter ones are always made)
#   tables       of cos, sin and their product with a factor to float32
#   lse          of the LSE of the parts, to what the rules say
#   weights      of the merge weights to float32 (to bfloat16, where the rules say so, always)
#   factor       of the length factor to float32 at every step
#   softmax      softmax in float32 whatever the activations are
#   sums         accumulators over short activations, float32
#   scores       scores and probabilities kept in the activation type, where there is no kernel
#   steps        the LSE in the activation type at every step, not once at the end
#   result       of the result to the activation type
#   delta        (not a rounding) the true gradient as automatic differentiation forms it: the softmax of a part subtracts
#                the mean of its own dP, only the weights see its rounded output; otherwise dS = P (dP - dO . o)
EVERYWHERE = frozenset({"activations", "tables", "lse", "weights", "factor", "softmax", "sums", "scores", "steps",
                        "result", "delta"})
# Those that `dca run` makes: float32 only in the rotation and where a published number is kept in it, and never the last
# rounding of a result.
DCA = frozenset({"activations", "tables", "lse", "factor"})


class Numbers:
    """The number types of one run: `act` of the activations (`act_exact` where float64 holds the number to round, so that
    its ties are the same everywhere), `angle` of rotary frequencies, positions and angles, the others as EVERYWHERE says,
    as far as `places` names them."""

    def __init__(self, rules, dtype, places):
        own = dtype if rules.activation else "f64"
        at = lambda place, rnd: rnd if place in places and rules.activation else exactly
        self.act = ROUND[own] if own != "f32" else at("activations", to_f32)
        own_sums = to_f32 if own != "f64" else exactly
        self.sums = at("sums", own_sums)
        self.softmax, self.weights, self.factor = (at(place, to_f32) for place in ("softmax", "weights", "factor"))
        self.lse = self.sums if rules.weights == "sums" else at("lse", self.act if rules.weights == "act" else to_f32)
        self.scores = at("scores", self.act_exact)
        self.rounds_scores = "scores" in places and rules.activation
        self.chain = rules.angles == "chain"
        self.steps, self.steps_exact = at("steps", self.act), at("steps", self.act_exact)
        self.result, self.result_exact = at("result", self.act), at("result", self.act_exact)
        self.own_delta = "delta" in places
        self.float32_angles = rules.angles in ("f32", "chain") or (rules.angles == "own" and dtype != "f64")
        self.angle = to_f32 if self.float32_angles else exactly
        self.table = to_f32 if self.float32_angles and "tables" in places else exactly

    def act_exact(self, x):
        tie = nearest_tie[0]
        result = self.act(x)
        nearest_tie[0] = tie
        return result


# --- the rules -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    position: str = "code"             # code | paper | zerollama
    succ_divide: str = "clamp first"   # or "divide first": position interpolation divides r, then clamps, then divides
    angles: str = "f32"                # inv_freq, position, product; f64 is exact; own: float64 for float64
                                       # activations; chain: theta_k = theta_(k-1) * base ** (-2 / rd) in float32
    factor: str = "one"                # one | tables (ChunkLlama) | keys (vLLM) | query (llama.cpp)
    coefficient: float = 0.0
    generated_keys: bool = True        # keys: does a generated key carry f(j + 1)?
    engine: str = "kernel"             # kernel: exact attention per part | unfused: Megatron | whole: one softmax per row
    decode_engine: str = "kernel"
    weights: str = "single"            # type of the merge weights: single | bf16 | act | sums
    decode_weights: str = "single"
    products: bool = True              # weight times part output is rounded to the activation type
    activation: bool = True            # rotations, part outputs and results are rounded to the activation type
    detached: bool = True
    backward: bool = True              # is there a published gradient?


CHUNKLLAMA = Rules(factor="tables", coefficient=0.05, weights="bf16", decode_engine="whole")
VLLM = Rules(factor="keys", coefficient=0.1, backward=False)
EXACT = Rules(angles="f64", engine="whole", decode_engine="whole", activation=False, detached=False)
DIALECTS = {
    "exact": EXACT,
    "paper": replace(EXACT, position="paper"),
    "chunkllama": CHUNKLLAMA,
    "chunkqwen": replace(CHUNKLLAMA, factor="one", weights="single", succ_divide="divide first"),
    "chunkllama_flash_decoding": replace(CHUNKLLAMA, coefficient=0.1, decode_engine="kernel", decode_weights="bf16",
                                         backward=False),
    "vllm_fork": VLLM,
    "vllm": VLLM,
    "sglang": replace(VLLM, generated_keys=False),
    "megatron_pr4048": Rules(engine="unfused", weights="act"),
    "megatron_bridge_pr4185": Rules(angles="own", engine="unfused exact", weights="sums", products=False, detached=False),
    "llama_cpp_dca": replace(EXACT, angles="chain", factor="query", coefficient=0.1),
    "zerollama": replace(EXACT, angles="chain", position="zerollama"),
}


# --- positions -------------------------------------------------------------------------------------------------------


def position_maps(rules, a):
    """Integer positions of a query or key per mode, before position interpolation."""
    size, local = a["chunk_size"], a["local_size"]
    stride = size - local
    if rules.position == "paper":
        window = a.get("dialect_paper_window", local)
        succ = lambda r: stride + r if r < window else size - 1
        inter = size - 1
    else:
        succ = lambda r: min(r + stride, size)
        inter = size if rules.position == "zerollama" else min(2 * stride - 1, size)
    return stride, {"key": lambda j: j % stride, "intra": lambda i: i % stride, "succ": lambda i: succ(i % stride),
                    "inter": lambda i: inter}


def interpolated(rules, numbers, a, mode, index, position, divisor):
    """Positions divided by a linear rope factor, in the type in which the dialect forms angles."""
    rnd = numbers.angle
    if divisor == 1:
        return rnd(position)
    if rules.succ_divide == "divide first" and mode in ("succ", "inter"):
        stride, size = a["chunk_size"] - a["local_size"], a["chunk_size"]
        r = np.asarray(index) % stride if mode == "succ" else np.full(len(index), stride - 1)
        return rnd(np.minimum(rnd(rnd(r / divisor) + stride), size) / divisor)
    return rnd(np.asarray(position, float) / divisor)


# --- rotary tables ---------------------------------------------------------------------------------------------------


def f32_frequencies(base, rotary_dim):
    """1 / base ** (2k / rd), with exponent, power and quotient rounded to float32 (numpy's own float32 power is not)."""
    exponent = to_f32(np.arange(0, rotary_dim, 2) / rotary_dim)
    return to_f32(1.0 / to_f32(to_f32(base) ** exponent))


def inverse_frequencies(numbers, a, rotary_dim, keys, given):
    """(inv_freq, divisor of the positions): linear scaling divides positions where the dialect does."""
    scaling, divisor = a.get("rope_scaling", "none"), 1.0
    if given is not None:
        return numbers.angle(given), divisor
    if scaling == "linear" and numbers.float32_angles:
        scaling, divisor = "none", float(a.get("rope_factor", 1.0))
    if numbers.chain:
        return to_f32(np.array([1.0, to_f32(to_f32(float(a.get("rope_base", 10000.0))) ** to_f32(-2.0 / rotary_dim))]
                               + [0.0] * (rotary_dim // 2 - 2)))[:rotary_dim // 2], divisor
    if scaling == "none" and numbers.float32_angles:
        return f32_frequencies(float(a.get("rope_base", 10000.0)), rotary_dim), divisor
    return numbers.angle(frequencies({**a, "rope_scaling": scaling}, rotary_dim, keys)), divisor


def static_scale(a):
    return magnitude_scale(a)


# --- length factors --------------------------------------------------------------------------------------------------


def length_factor(rules, numbers, length, reference):
    """max(1, c ln(length / reference) + 1); reference 0 is off. float32 where the published code uses tensors."""
    if reference <= 0:
        return 1.0
    if rules.factor == "keys":  # tensors all the way; ChunkLlama computes a double and rounds it into the table
        single = numbers.factor
        return max(1.0, float(single(single(single(rules.coefficient) * single(np.log(single(length / reference)))) + 1.0)))
    return max(1.0, rules.coefficient * np.log(length / reference) + 1.0)


def is_decode(a, rows, keys):
    return a.get("dialect_phase", "decode" if rows == 1 and keys > 1 else "prefill") == "decode"


def factors(rules, numbers, a, rows, keys, offset, prompt):
    """(factor of each query row, factor of each key) of one sequence."""
    one = np.ones(rows), np.ones(keys)
    if rules.factor == "one":
        return one
    decode = is_decode(a, rows, keys)
    if rules.factor == "tables":
        reference = a.get("dialect_max_position_embeddings", 0)
        seen = a.get("dialect_max_seen_length", 0)
        value = lambda length: length_factor(rules, numbers, length, reference)
        if not decode:
            return np.full(rows, value(max(keys, seen))), np.full(keys, value(max(keys, seen)))
        start = max(prompt, seen)
        q = np.array([value(max(offset + r + 1, start)) for r in range(rows)])
        k = np.array([value(start if j < prompt else max(j + 1, start)) for j in range(keys)])
        return q, k
    reference = a.get("dialect_original_max_position_embeddings", 0)
    value = lambda length: length_factor(rules, numbers, length, reference)
    if rules.factor == "query":
        return np.array([value(max(offset + r + 1, 1)) for r in range(rows)]), one[1]
    length = max(prompt, keys)
    if not decode:
        return np.full(rows, value(length)), np.full(keys, value(length))
    q = np.array([value(offset + r + 1) for r in range(rows)])
    later = (lambda j: value(j + 1)) if rules.generated_keys else (lambda j: 1.0)
    return q, np.array([value(prompt) if j < prompt else later(j) for j in range(keys)])
