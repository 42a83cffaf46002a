"""Random tensor-file cases of every dialect inside the range that its published code can run."""

import numpy as np

from dialect_laws import DIALECTS, ROUND

CHUNKLLAMA = ("chunkllama", "chunkllama_flash_decoding", "chunkqwen")
ENGINES = ("vllm_fork", "vllm", "sglang")
MEGATRON = ("megatron_pr4048", "megatron_bridge_pr4185")
EXACT = ("paper", "llama_cpp_dca", "zerollama")


def put(**settings):
    return lambda s, rng: s.update(settings)


def prefill(s, rng):
    """One call on the whole sequence."""


def decode(s, rng):
    s["seq_k"] = int(rng.integers(4, 50))
    prompt = int(rng.integers(1, s["seq_k"]))
    s["query_offset"] = int(rng.integers(prompt, s["seq_k"])) if s["dialect"] in ENGINES else prompt
    s["seq_q"] = s["seq_k"] - s["query_offset"]
    s.update(dialect_phase="decode", dialect_prompt_length=prompt, gradient=False)


def chunked(s, rng):
    s["seq_k"] = int(rng.integers(4, 50))
    s["seq_q"] = int(rng.integers(1, s["seq_k"]))
    s.update(query_offset=s["seq_k"] - s["seq_q"], gradient=False, dialect_phase="prefill",
             dialect_prompt_length=s["seq_k"] + int(rng.choice([0, 5, 17])))


def packed(s, rng):
    s["lengths"] = [int(x) for x in rng.choice([1, 2, 5, 13, 22, 29], size=rng.integers(1, 5))] + [7]
    s["dialect_prompt_length"] = np.array([n + int(rng.choice([0, 6])) for n in s["lengths"]], np.int64)
    s["gradient"] = False


def partial(s, rng):
    s["rotary_dim"] = 2 * int(rng.integers(1, s["head_dim"] // 2))


def wide_local(s, rng):
    stride = s["chunk_size"] - s["local_size"]
    s["local_size"] = stride + int(rng.integers(0, 5))
    s["chunk_size"] = stride + s["local_size"]


def stride_one(s, rng):
    s["local_size"] = s["chunk_size"] - 1


def trained(s, rng):
    s["dialect_max_position_embeddings"] = int(rng.integers(3, 30))


def seen(s, rng):
    trained(s, rng)
    s["dialect_max_seen_length"] = int(rng.integers(10, 80))


def linear(s, rng):
    s["rope_scaling"], s["rope_factor"] = "linear", float(rng.choice([1.5, 2.0, 3.0, 4.0]))


def yarn(s, rng):
    s["rope_scaling"], s["rope_factor"], s["original_max_position"] = "yarn", 4.0, float(rng.choice([32, 64, 512]))


def stretched(s, rng):
    s["dialect_original_max_position_embeddings"] = int(rng.integers(3, 20))


def window(s, rng):
    """A window of the paper that no code dialect can express."""
    s["dialect_paper_window"] = int(rng.integers(0, s["local_size"] + 1))


def all_of(*features):
    def apply(s, rng):
        for feature in features:
            feature(s, rng)
    return apply


COMMON = {
    "prefill": prefill, "batch": put(batch=2), "local_size 0": put(local_size=0), "local_size >= stride": wide_local,
    "softmax_scale": lambda s, rng: s.update(softmax_scale=float(rng.uniform(0.1, 0.6))),
    "rope_base": lambda s, rng: s.update(rope_base=float(rng.choice([500000.0, 1e6, 1e7]))),
    "one chunk": put(chunk_size=80, local_size=3),
}
ROTARY = {"partial": partial, "interleaved": put(rope="interleaved"),
          "partial interleaved": all_of(partial, put(rope="interleaved"))}
OF_CHUNKLLAMA = {
    "longer than trained": trained, "seen longer": seen, "linear": linear, "linear, wide": all_of(wide_local, linear),
    "decode": decode, "decode, longer than trained": all_of(trained, decode), "decode, seen longer": all_of(seen, decode),
    "decode, linear": all_of(linear, decode),
}
OF_ENGINES = {
    **ROTARY, "stretched": stretched, "chunked": chunked, "chunked, stretched": all_of(stretched, chunked),
    "packed": packed, "packed, stretched": all_of(stretched, packed), "decode": decode,
    "decode, stretched": all_of(stretched, decode),
    "decode, stretched, partial": all_of(stretched, decode, partial, put(rope="interleaved")),
    "stride 1": stride_one,
}
OF_MEGATRON = {
    **ROTARY, "yarn": yarn, "yarn, partial": all_of(yarn, partial), "stride 1": stride_one,
    "mscale": lambda s, rng: s.update(mscale=float(rng.uniform(0.8, 1.3))), "inv_freq": put(own_frequencies=True),
}
OF_EXACT = {**ROTARY, "stride 1": stride_one, "chunked": chunked}
FEATURES = {
    **{d: {**COMMON, **OF_CHUNKLLAMA} for d in CHUNKLLAMA},
    **{d: {**COMMON, **OF_ENGINES} for d in ENGINES},
    **{d: {**COMMON, **OF_MEGATRON} for d in MEGATRON},
    "paper": {**COMMON, **OF_EXACT, "window": window, "yarn": yarn},
    "llama_cpp_dca": {**COMMON, **OF_EXACT, "stretched": stretched},
    "zerollama": {**COMMON, **OF_EXACT},
}
# softmax_scale: fixed in ChunkLlama's code.
for name in CHUNKLLAMA:
    del FEATURES[name]["softmax_scale"]
TYPES = ("f64", "bf16", "f32", "bf16", "f64", "f16")
ATTRIBUTES = ("chunk_size", "local_size", "dialect", "softmax_scale", "rope", "rotary_dim", "rope_base", "rope_scaling",
              "rope_factor", "original_max_position", "mscale", "query_offset", "dtype", "dialect_phase",
              "dialect_prompt_length", "dialect_max_position_embeddings", "dialect_max_seen_length", "dialect_paper_window",
              "dialect_original_max_position_embeddings", "dialect_table_rows")


def random_case(dialect, feature, dtype, rng):
    stride, local = int(rng.integers(2, 12)), int(rng.integers(0, 10))
    n = int(rng.integers(1, 50))
    heads_kv = int(rng.integers(1, 3))
    s = {"dialect": dialect, "dtype": dtype, "batch": 1, "seq_q": n, "seq_k": n, "heads_kv": heads_kv,
         "heads_q": heads_kv * int(rng.integers(1, 3)), "head_dim": 2 * int(rng.integers(4, 17)),
         "chunk_size": stride + local, "local_size": local, "gradient": DIALECTS[dialect].backward,
         "own_frequencies": False, "lengths": None}
    if dialect in CHUNKLLAMA:
        s["dialect_max_position_embeddings"] = 4096
    if dialect == "chunkqwen":
        s["heads_q"] = s["heads_kv"]
    if dialect in ENGINES:
        s["dialect_original_max_position_embeddings"] = 1048576
        s["dialect_prompt_length"] = n
    FEATURES[dialect][feature](s, rng)
    if dialect == "megatron_pr4048":  # its table has as many rows as the sequence, unless it is given a longer one
        s["dialect_table_rows"] = max(s["seq_k"], s["chunk_size"] + 1)

    tokens = sum(s["lengths"]) if s["lengths"] else None
    lead_q, lead_k = ((tokens,), (tokens,)) if tokens else ((s["batch"], s["seq_q"]), (s["batch"], s["seq_k"]))
    normal = lambda *shape: ROUND[dtype](rng.standard_normal(shape))
    inputs = {"q": normal(*lead_q, s["heads_q"], s["head_dim"]), "k": normal(*lead_k, s["heads_kv"], s["head_dim"]),
              "v": normal(*lead_k, s["heads_kv"], s["head_dim"])}
    if s["gradient"]:
        inputs["dout"] = normal(*lead_q, s["heads_q"], s["head_dim"])
    if tokens:
        inputs["cu_seqlens"] = np.cumsum([0, *s["lengths"]]).astype(np.int32)
    if s["own_frequencies"]:
        inputs["inv_freq"] = ROUND["f32"](10.0 ** rng.uniform(-4, 0, s.get("rotary_dim", s["head_dim"]) // 2))
    return {"attributes": {name: s[name] for name in ATTRIBUTES if name in s}, "inputs": inputs}


def random_cases(count, seed):
    """Cases by name, each with its feature; dialects, features and types take turns."""
    cases = {}
    names = list(FEATURES)
    for number in range(count):
        dialect, turn = names[number % len(names)], number // len(names)
        features = list(FEATURES[dialect])
        rng = np.random.default_rng([seed, number])
        feature = features[turn % len(features)]
        case = random_case(dialect, feature, TYPES[(turn + number % len(names)) % len(TYPES)], rng)
        cases[f"case_{number:04d}"] = {**case, "feature": feature}
    return cases
