#!/usr/bin/env python3
"""Gives `dca run` and `dca lint` one broken input file after another, written by h5py.

    bad_inputs.py PROGRAM [--unlimited]

Each must be refused with exit status 2; `run` with one line on stderr that names the file and what is wrong with it, and
without leaving a file behind. The program gets 2 GiB of address space, plenty for these sizes, so that a broken file cannot
make it ask for more; --unlimited is for sanitizers, which need all there is. Needs numpy and h5py.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np


def put(name, value):
    """Replaces a dataset of the case."""
    def change(file, case):
        del case["inputs/" + name]
        case["inputs/" + name] = value
    return change


def add(name, value):
    return lambda file, case: case.create_dataset("inputs/" + name, data=value)


def attribute(name, value):
    return lambda file, case: case.attrs.__setitem__(name, value)


def spoil(name, value):
    """Replaces one element of an input."""
    def change(file, case):
        case["inputs/" + name][0, 3, 0, 1] = value
    return change


def absurd(file, case):
    """A dataset of 2^43 elements that takes no room in the file."""
    del case["inputs/q"]
    case.create_dataset("inputs/q", shape=(1, 2**38, 4, 8), dtype="f8", chunks=(1, 1024, 4, 8))


def outside(file, case):
    del case["inputs/q"]
    case["inputs/q"] = h5py.ExternalLink("/etc/passwd", "/q")


def ones(*shape, dtype=float):
    return np.ones(shape, dtype)


# What is done to a good file (q (1, 9, 4, 8), k and v (1, 9, 2, 8), chunk_size 5, local_size 2), and a word of the message.
BROKEN = {
    "schema missing": (lambda file, case: file.attrs.pop("schema"), "schema"),
    "schema of others": (lambda file, case: file.attrs.__setitem__("schema", "other"), "schema"),
    "schema of the future": (lambda file, case: file.attrs.__setitem__("schema_version", 2), "schema_version"),
    "no case": (lambda file, case: file.pop("sample"), "case"),
    "case name": (lambda file, case: file.move("sample", "a b"), "a b"),
    "no q": (lambda file, case: case.pop("inputs/q"), "inputs/q"),
    "no inputs": (lambda file, case: case.pop("inputs"), "inputs"),
    "q of integers": (put("q", ones(1, 9, 4, 8, dtype=int)), "inputs/q"),
    "q of text": (put("q", "words"), "inputs/q"),
    "rank of q": (put("q", ones(9, 4, 8)), "inputs/q"),
    "empty q": (put("q", ones(1, 0, 4, 8)), "inputs/q"),
    "absurd q": (absurd, "inputs/q"),
    "q elsewhere": (outside, "inputs/q"),
    "q dangling": (lambda file, case: put("q", h5py.SoftLink("/nowhere"))(file, case), "inputs/q"),
    "head_dim of k": (put("k", ones(1, 9, 2, 7)), "inputs/k"),
    "length of v": (put("v", ones(1, 8, 2, 8)), "inputs/v"),
    "shape of dout": (add("dout", ones(1, 9, 4, 7)), "inputs/dout"),
    "heads": (lambda file, case: [put(name, ones(1, 9, 3, 8))(file, case) for name in "kv"], "heads_kv"),
    "NaN in q": (spoil("q", np.nan), "inputs/q"),
    "infinity in v": (spoil("v", np.inf), "inputs/v"),
    "not of the dtype": (lambda file, case: (spoil("k", 1 + 1e-12)(file, case), attribute("dtype", "f32")(file, case)),
                         "inputs/k"),
    "unknown dtype": (attribute("dtype", "f31"), "f31"),
    "chunk_size missing": (lambda file, case: case.attrs.pop("chunk_size"), "chunk_size"),
    "chunk_size as text": (attribute("chunk_size", "five"), "chunk_size"),
    "chunk_size as list": (attribute("chunk_size", [5, 6]), "chunk_size"),
    "chunk_size absurd": (attribute("chunk_size", 2**40), "chunk_size"),
    "chunk_size too small": (attribute("chunk_size", 2), "chunk_size"),
    "local_size negative": (attribute("local_size", -1), "local_size"),
    "misspelt attribute": (attribute("rope_bas", 10000.0), "rope_bas"),
    "rope_base": (attribute("rope_base", -1.0), "rope_base"),
    "rope_scaling without factor": (attribute("rope_scaling", "yarn"), "rope_factor"),
    "unknown rope_scaling": (attribute("rope_scaling", "longrope"), "longrope"),
    "rotary_dim odd": (attribute("rotary_dim", 3), "rotary_dim"),
    "softmax_scale": (attribute("softmax_scale", np.nan), "softmax_scale"),
    "query_offset absurd": (attribute("query_offset", 2**40), "query_offset"),
    "inv_freq too short": (add("inv_freq", ones(3)), "inv_freq"),
    "inv_freq of NaN": (add("inv_freq", np.nan * ones(4)), "inv_freq"),
    "cu_seqlens in a batch": (add("cu_seqlens", np.array([0, 4, 9], np.int32)), "inputs/q"),
    "unknown dialect": (attribute("dialect", "nosuch"), "nosuch"),
}


def write(path, change):
    with h5py.File(path, "w") as file:
        file.attrs.update({"schema": "dca", "schema_version": 1, "producer": "bad_inputs.py"})
        case = file.create_group("sample")
        case.attrs.update({"chunk_size": 5, "local_size": 2})
        case["inputs/q"] = ones(1, 9, 4, 8)
        case["inputs/k"] = ones(1, 9, 2, 8)
        case["inputs/v"] = ones(1, 9, 2, 8)
        change(file, case)


def problems_of(program, folder, name, change, word):
    source, target = folder / "input.h5", folder / "golden.h5"
    write(source, change)
    limit = "" if "--unlimited" in sys.argv else "ulimit -v 2000000; "
    run = subprocess.run(["sh", "-c", f"{limit}exec '{program}' run '{source}' -o '{target}'"], capture_output=True,
                         text=True)
    lint = subprocess.run([program, "lint", source], capture_output=True, text=True)
    found = []
    if run.returncode != 2 or run.stdout or run.stderr.count("\n") != 1 or not run.stderr.startswith("dca: "):
        found.append(f"run ended with status {run.returncode}, stdout {run.stdout!r}")
    if word not in run.stderr or (source.name not in run.stderr):
        found.append(f"run should name {source.name} and {word}")
    # What a file may say but this version cannot compute is no error of the file.
    if lint.returncode != 2 and name != "unknown dialect":
        found.append(f"lint ended with status {lint.returncode}: {lint.stdout!r}")
    if sorted(path.name for path in folder.iterdir()) != [source.name]:
        found.append(f"files are left behind: {sorted(folder.iterdir())}")
    return [f"{name}: {problem}; stderr {run.stderr!r}" for problem in found]


def main():
    program = Path(sys.argv[1]).resolve()
    problems = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, (change, word) in BROKEN.items():
            problems += problems_of(program, folder, name, change, word)
        write(folder / "input.h5", lambda file, case: None)
        subprocess.run([program, "run", folder / "input.h5", "-o", folder / "golden.h5"], check=True)
    print("\n".join(problems))
    print(f"{len(BROKEN)} broken files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
