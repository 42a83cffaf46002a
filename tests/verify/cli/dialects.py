"""The published dialects of Dual Chunk Attention in numpy: the second opinion against which `dca run` is checked."""

import numpy as np

from dialect_attention import attend
from dialect_laws import DIALECTS


def sequences(attributes, inputs):
    """(selection, query_offset, prompt length) of each sequence of a case, and how to join results."""
    prompt = np.atleast_1d(attributes.get("dialect_prompt_length", 0))
    if "cu_seqlens" in inputs:
        cu = np.asarray(inputs["cu_seqlens"])
        prompt = np.broadcast_to(prompt, len(cu) - 1)
        parts = [(slice(b, e), 0, int(p)) for b, e, p in zip(cu[:-1], cu[1:], prompt) if e > b]
        return parts, lambda name, xs: np.concatenate(xs, axis=1 if name == "lse" else 0)
    offset = int(attributes.get("query_offset", inputs["k"].shape[1] - inputs["q"].shape[1]))
    return [(b, offset, int(prompt[0])) for b in range(inputs["q"].shape[0])], lambda name, xs: np.stack(xs)


def results(attributes, inputs, rules=None, **options):
    """Results of the case in the shapes of the tensor file and the sizes of the terms that cancel in dq and dk; `rules`
    replaces the rules of the dialect."""
    rules = rules or DIALECTS[attributes.get("dialect", "exact")]
    parts, join = sequences(attributes, inputs)
    get = lambda name, part: np.asarray(inputs[name][part], np.float64) if name in inputs else None
    runs = [attend(rules, attributes, get("q", p), get("k", p), get("v", p), get("dout", p), offset,
                   inputs.get("inv_freq"), prompt, **options) for p, offset, prompt in parts]
    return tuple({name: join(name, [run[n][name] for run in runs]) for name in runs[0][n]} for n in range(2))


def expected(attributes, inputs, rules=None, **options):
    return results(attributes, inputs, rules, **options)[0]
