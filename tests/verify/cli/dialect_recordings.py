#!/usr/bin/env python3
"""Checks the numpy dialects of dialects.py, which random_dialects.py trusts, against the recordings of public code.

    dialect_recordings.py FOLDER [--all]

FOLDER holds the recordings (tests/recordings). Each case must agree within the tolerance it states, with float32 emulated
and without; recordings in bfloat16 must agree bit for bit, except megatron_pr4048, whose recording multiplied P and V on a
CPU that sums in bfloat16. Then single rules are broken, and a recording must notice. --all prints every case.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from dialect_laws import DCA, DIALECTS, EVERYWHERE, to_bf16
from dialects import expected

# (case, broken rule, its wrong value)
BROKEN = [
    ("cl_mha", "weights", "single"), ("cl_f64", "weights", "single"), ("cq_mha", "weights", "bf16"),
    ("fd_decode", "decode_weights", "single"), ("vllm_scaled", "weights", "bf16"),
    ("cq_linear", "succ_divide", "clamp first"), ("cl_linear", "succ_divide", "divide first"),
    ("cl_mscale", "coefficient", 0.1), ("fd_mscale", "coefficient", 0.05),
    ("cl_decode_drift", "factor", "one"), ("vllm_scaled_a_decode", "generated_keys", False),
    ("sgl_scaled_a_decode", "generated_keys", True), ("meg_mha", "detached", False), ("bridge_mha", "detached", True),
    ("bridge_mha", "angles", "f32"), ("meg_w_ge_L", "position", "zerollama"), ("meg_mha", "position", "paper"),
    ("cl_bf16", "activation", False), ("cl_bf16", "products", False), ("bridge_bf16", "products", True),
]
EXACT_IN_BF16 = ("chunkllama", "megatron_bridge_pr4185")


def read(folder):
    for path in sorted(Path(folder).glob("*.h5")):
        with h5py.File(path) as file:
            for name, case in file.items():
                attributes = {k: v.item() if np.ndim(v) == 0 and hasattr(v, "item") else v for k, v in case.attrs.items()}
                yield name, attributes, *({k: v[...] for k, v in case[group].items()} for group in ("inputs", "outputs"))


def misses(attributes, inputs, outputs, rules=None, **options):
    """What disagrees, in words, and the largest differences of out and of the gradients."""
    want = expected(attributes, inputs, rules, **options)
    differences = {t: float(np.abs(want[t] - outputs[t]).max()) for t in outputs}
    gradient = max((e for t, e in differences.items() if t != "out"), default=0.0)
    problems = []
    if not differences["out"] <= attributes["expected_max_abs"]:
        problems.append(f"out differs by {differences['out']:.1e}")
    if not gradient <= attributes.get("expected_max_abs_grad", 0.0):
        problems.append(f"gradients differ by {gradient:.1e}")
    bits = to_bf16(want["out"]) if attributes["dtype"] == "bf16" else None
    if attributes["dialect"] in EXACT_IN_BF16 and bits is not None and not np.array_equal(bits, outputs["out"]):
        problems.append(f"out differs by {differences['out']:.1e}, not bit for bit the recording")
    return problems, differences["out"], gradient


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    cases = {name: rest for name, *rest in read(options.folder)}
    failures = 0
    for name, case in cases.items():
        for places in (EVERYWHERE, DCA):
            problems, out, gradient = misses(*case, places=places)
            failures += bool(problems)
            if problems or options.all:
                precision = "float32" if places == EVERYWHERE else "float64"
                print(f"{name:28} {case[0]['dtype']:4} {precision}{out:9.1e}{gradient:9.1e}", "; ".join(problems))
    for name, rule, value in BROKEN:
        attributes, inputs, outputs = cases[name]
        if not misses(attributes, inputs, outputs, replace(DIALECTS[attributes["dialect"]], **{rule: value}))[0]:
            print(f"{name} does not notice {rule} = {value}")
            failures += 1
    print(f"{len(cases)} recordings, {len(BROKEN)} broken rules, {failures} failures")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
