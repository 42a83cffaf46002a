"""Random tensor-file cases of every feature of the schema."""

import numpy as np



def scaled(scheme):
    def apply(s, rng):
        s["rope_scaling"] = scheme
        s["rope_factor"] = float(rng.choice([0.5, 1.0, 2.0, 4.0, 8.5])) if scheme != "dynamic" else 2.0 ** rng.integers(4)
        s["rope_base"] = float(rng.choice([10000.0, 500000.0, 1e6]))
        if scheme == "dynamic":
            s["original_max_position"] = float(rng.integers(4, 60))
        elif scheme in ("yarn", "llama3") and rng.random() < 0.7:
            s["original_max_position"] = float(rng.choice([16, 64, 512, 8192]))
        if scheme == "yarn" and rng.random() < 0.5:
            s["beta_fast"], s["beta_slow"] = 16.0, 2.0
        if scheme == "llama3" and rng.random() < 0.5:
            s["low_freq_factor"], s["high_freq_factor"] = 2.0, 6.0
    return apply


def put(**settings):
    return lambda s, rng: s.update(settings)


def grouped(s, rng):
    s["heads_kv"] = int(rng.integers(2, 4))
    s["heads_q"] = s["heads_kv"] * int(rng.integers(2, 5))


def wide_local(s, rng):
    stride = int(rng.integers(1, 6))
    s["local_size"] = stride + int(rng.integers(0, 6))
    s["chunk_size"] = s["local_size"] + stride


def partial(s, rng):
    s["rotary_dim"] = 2 * int(rng.integers(2, s["head_dim"] // 2))


def packed(s, rng):
    s["lengths"] = [int(x) for x in rng.choice([0, 0, 1, 2, 5, 13, 22, 29], size=rng.integers(2, 6))] + [0, 7, 0]


def decode(s, rng):
    s["seq_q"], s["seq_k"] = 1, int(rng.integers(2, 60))


def prefill(s, rng):
    s["seq_k"] = int(rng.integers(20, 50))
    s["seq_q"] = int(rng.integers(2, 18))
    s["query_offset"] = int(rng.integers(0, s["seq_k"] - s["seq_q"] + 1))


def no_keys(s, rng):
    s["query_offset"] = -int(rng.integers(1, s["seq_q"] + 3))


def far(s, rng):
    """Positions near 2^31, where a rounded angle would be wrong by radians."""
    s["chunk_size"] = int(rng.integers(2**30, 2**31))
    s["local_size"] = int(rng.integers(0, 2**20))
    s["query_offset"] = int(rng.integers(2**30, 2**31 - 100))


FEATURES = {
    "plain": put(),
    "batch": put(batch=3),
    "gqa": grouped,
    "mqa": put(heads_q=5, heads_kv=1),
    "head_dim_v": lambda s, rng: s.update(head_dim_v=int(rng.integers(1, 30))),
    "rope none": put(rope="none"),
    "interleaved": put(rope="interleaved"),
    "partial rotary": partial,
    "partial interleaved": lambda s, rng: (partial(s, rng), s.update(rope="interleaved")),
    "linear": scaled("linear"),
    "ntk": scaled("ntk"),
    "dynamic": scaled("dynamic"),
    "yarn": scaled("yarn"),
    "llama3": scaled("llama3"),
    "mscale": lambda s, rng: (s.update(mscale=float(rng.uniform(0.5, 1.5))), partial(s, rng)),
    "inv_freq": put(own_frequencies=True),
    "inv_freq and yarn": lambda s, rng: (scaled("yarn")(s, rng), s.update(own_frequencies=True)),
    "softmax_scale": lambda s, rng: s.update(softmax_scale=float(rng.uniform(0.05, 0.8))),
    "peaked": put(spread=3.0),
    "packed": packed,
    "packed dynamic": lambda s, rng: (packed(s, rng), scaled("dynamic")(s, rng)),
    "decode row": decode,
    "chunked prefill": prefill,
    "rows without keys": no_keys,
    "all rows without keys": lambda s, rng: s.update(query_offset=-s["seq_q"]),
    "stride 1": lambda s, rng: s.update(local_size=s["chunk_size"] - 1),
    "local_size 0": put(local_size=0),
    "local_size >= stride": wide_local,
    "one key": put(seq_q=1, seq_k=1),
    "one chunk": put(chunk_size=200, local_size=20),
    "far positions": far,
    "no dout": put(gradient=False),
    "float32 inputs": put(dtype="f32"),
}
ATTRIBUTES = ("chunk_size", "local_size", "softmax_scale", "rope", "rotary_dim", "rope_base", "rope_scaling", "rope_factor",
              "original_max_position", "beta_fast", "beta_slow", "low_freq_factor", "high_freq_factor", "mscale",
              "query_offset", "dtype")


def random_case(feature, rng):
    stride, local = int(rng.integers(2, 14)), int(rng.integers(0, 10))
    n = int(rng.integers(1, 56))
    heads_kv = int(rng.integers(1, 3))
    s = {"batch": 1, "seq_q": n, "seq_k": n, "heads_kv": heads_kv, "heads_q": heads_kv * int(rng.integers(1, 3)),
         "head_dim": 2 * int(rng.integers(4, 17)), "chunk_size": stride + local, "local_size": local, "spread": 1.0,
         "gradient": True, "own_frequencies": False, "lengths": None}
    # Something from elsewhere, so that features also meet one another; the feature itself has the last word.
    if rng.random() < 0.5:
        FEATURES[str(rng.choice(["gqa", "interleaved", "partial rotary", "yarn", "head_dim_v", "mscale"]))](s, rng)
    FEATURES[feature](s, rng)
    s.setdefault("head_dim_v", s["head_dim"])

    storage = np.float32 if s.get("dtype") == "f32" else np.float64
    tokens = sum(s["lengths"]) if s["lengths"] else None
    lead_q, lead_k = ((tokens,), (tokens,)) if tokens else ((s["batch"], s["seq_q"]), (s["batch"], s["seq_k"]))
    normal = lambda shape, spread=1.0: (spread * rng.standard_normal(shape)).astype(storage)
    inputs = {"q": normal((*lead_q, s["heads_q"], s["head_dim"]), s["spread"]),
              "k": normal((*lead_k, s["heads_kv"], s["head_dim"]), s["spread"]),
              "v": normal((*lead_k, s["heads_kv"], s["head_dim_v"]))}
    if s["gradient"]:
        inputs["dout"] = normal((*lead_q, s["heads_q"], s["head_dim_v"]))
    if tokens:
        inputs["cu_seqlens"] = np.cumsum([0, *s["lengths"]]).astype(np.int32)
    if s["own_frequencies"]:
        inputs["inv_freq"] = 10.0 ** rng.uniform(-4, 0, s.get("rotary_dim", s["head_dim"]) // 2)
    return {"attributes": {name: s[name] for name in ATTRIBUTES if name in s}, "inputs": inputs}
