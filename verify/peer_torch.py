#!/usr/bin/python3
"""Our double-precision reference beside PyTorch's, on this machine, in one run and in alternation.

    /usr/bin/python3 verify/peer_torch.py build/dca [--seq-len 8192] [--head-dim 128] [--repeats 5]

Two peers, both in float64 and with the gradients of automatic differentiation: plain causal attention (matmul, mask,
softmax, matmul), and Dual Chunk Attention by the public recipe of three attention calls for each chunk, merged by their
LSE. Both get the inputs of a golden file that dca writes, and must agree with its expected values to 1e-12 (relative L2
norm of each tensor) before anything is timed. Exit status: 0 agreed, 1 did not, 2 something is missing.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import torch
except ImportError as error:
    print(f"{error}: apt-get install -y --no-install-recommends python3-torch python3-h5py libopenblas0-pthread, then run this with "
          "/usr/bin/python3", file=sys.stderr)
    sys.exit(2)

AGREEMENT = 1e-12  # the reference owes 1e-13 to the definition; torch sums in blocks without compensation and has angles
                   # rounded as position times frequency, 2^-53 of at most a chunk's length in radians


def blas_library():
    """File name of the BLAS that torch calls. Debian's torch runs on the reference BLAS, ten times slower, unless a fast
    one is installed: a comparison with that would say nothing."""
    torch.ones(64, 64, dtype=torch.float64) @ torch.ones(64, 64, dtype=torch.float64)
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if ".so" in line}
    fast = sorted(os.path.basename(f) for f in files if any(word in f for word in ("openblas", "mkl", "blis")))
    if not fast:
        print("torch runs on the slow reference BLAS here: apt-get install -y --no-install-recommends "
              "libopenblas0-pthread", file=sys.stderr)
        sys.exit(2)
    return max(fast, key=lambda name: any(word in name for word in ("openblas", "mkl", "blis")))


def turn(x, positions, base=10000.0):
    """Neox rotation of rows at these positions."""
    half = x.shape[-1] // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = positions[:, None].to(torch.float64) * frequency
    cos, sin = angle.cos(), angle.sin()
    a, b = x[:, :half], x[:, half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=1)


def attention(q, k, v, causal):
    """out and lse of one call."""
    scores = q @ k.T / math.sqrt(q.shape[1])
    if causal:
        rows, keys = scores.shape
        scores = scores.masked_fill(torch.ones(rows, keys, dtype=torch.bool).triu(keys - rows + 1), -math.inf)
    return torch.softmax(scores, dim=1) @ v, torch.logsumexp(scores, dim=1)


def plain(q, k, v, **_):
    positions = torch.arange(q.shape[0])
    scores = turn(q, positions) @ turn(k, positions).T / math.sqrt(q.shape[1])
    mask = torch.ones(scores.shape, dtype=torch.bool).triu(1)
    return torch.softmax(scores.masked_fill(mask, -math.inf), dim=1) @ v


def dual_chunk(q, k, v, chunk_size, local_size):
    """Three calls for each chunk: its own keys, the chunk before, all earlier ones (positions: docs/definition.md)."""
    n, stride = q.shape[0], chunk_size - local_size
    turned_k = turn(k, torch.arange(n) % stride)
    rows = []
    for begin in range(0, n, stride):
        end = min(begin + stride, n)
        r = torch.arange(begin, end) - begin
        own, before = q[begin:end], max(begin - stride, 0)
        parts = [attention(turn(own, r), turned_k[begin:end], v[begin:end], True)]
        if begin > 0:
            succ = turn(own, torch.clamp(r + stride, max=chunk_size))
            parts.append(attention(succ, turned_k[before:begin], v[before:begin], False))
        if before > 0:
            inter = turn(own, torch.full_like(r, min(2 * stride - 1, chunk_size)))
            parts.append(attention(inter, turned_k[:before], v[:before], False))
        weights = torch.softmax(torch.stack([lse for _, lse in parts]), dim=0)
        rows.append(sum(w[:, None] * out for w, (out, _) in zip(weights, parts)))
    return torch.cat(rows)


def timed(attend, case, settings):
    """Seconds of forward and backward, and the results."""
    q, k, v = (case[name].clone().requires_grad_() for name in "qkv")
    begin = time.perf_counter()
    out = attend(q, k, v, **settings)
    forward = time.perf_counter() - begin
    begin = time.perf_counter()
    out.backward(case["dout"])
    backward = time.perf_counter() - begin
    return (forward, backward), {"out": out.detach(), "dq": q.grad, "dk": k.grad, "dv": v.grad}


def read_case(file, name):
    case = file[name]
    tensor = lambda path: torch.from_numpy(case[path][0, :, 0, :].astype("float64"))
    inputs = {key: tensor("inputs/" + key) for key in ("q", "k", "v", "dout")}
    return inputs, {key: tensor("outputs/" + key) for key in ("out", "dq", "dk", "dv")}


def make_cases(program, n, d, settings):
    """Inputs and expected values from our program, one case for each kind of attention."""
    sizes = f"seq_q={n} seq_k={n} head_dim={d} seed=1"
    chunks = {"plain": f"chunk_size={n} local_size=0",
              "dual_chunk": " ".join(f"{key}={value}" for key, value in settings.items())}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "peer.h5")
        cases = [word for name, chunk in chunks.items() for word in ("--case", f"id={name} {sizes} {chunk}")]
        subprocess.run([program, "generate", *cases, "-o", path], check=True, stdout=subprocess.DEVNULL)
        with h5py.File(path) as file:
            return {name: read_case(file, name) for name in chunks}


def agree(name, got, expected):
    good = True
    for tensor, values in expected.items():
        error = float((got[tensor] - values).norm() / values.norm())
        print(f"agreement {name:10} {tensor:4} {error:.1e}  (relative L2; at most {AGREEMENT})")
        good = good and error <= AGREEMENT
    return good


def spread(values):
    return f"{statistics.median(values):8.4f} ({min(values):.4f} .. {max(values):.4f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seq-len", type=int, default=8192)
    parser.add_argument("--head-dim", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    n, d = options.seq_len, options.head_dim
    bench = [options.program, "bench", "--seq-len", str(n), "--head-dim", str(d), "--repeats", "1", "--json"]
    ours = json.loads(subprocess.run(bench, check=True, capture_output=True, text=True).stdout)
    settings = {key: ours[key] for key in ("chunk_size", "local_size")}
    torch.set_num_threads(ours["threads"])
    print(f"machine   {ours['machine']}, {ours['threads']} threads; PyTorch {torch.__version__} in float64 on "
          f"{blas_library()}")
    print(f"problem   1 head, n = {n}, d = {d}, {settings}")

    cases = make_cases(options.program, n, d, settings)
    peers = {"plain": plain, "dual_chunk": dual_chunk}
    for name, attend in peers.items():  # also the warm-up
        _, got = timed(attend, cases[name][0], settings)
        if not agree(name, got, cases[name][1]):
            print(f"PyTorch and dca disagree: an element of {name} is off by more than {AGREEMENT}", file=sys.stderr)
            return 1

    theirs = {name: ([], []) for name in peers}
    mine = {name: ([], []) for name in peers}
    for _ in range(options.repeats):
        for name, attend in peers.items():
            seconds, _ = timed(attend, cases[name][0], settings)
            for of_pass, value in zip(theirs[name], seconds):
                of_pass.append(value)
        ours = json.loads(subprocess.run(bench, check=True, capture_output=True, text=True).stdout)
        for name, key in (("plain", "plain_causal_seconds"), ("dual_chunk", "dual_chunk_seconds")):
            for of_pass, direction in zip(mine[name], ("forward", "backward")):
                of_pass.append(ours[direction][key]["median"])
    print(f"\n{'pass':9} {'attention':11} {'dca s, median (min .. max)':31} {'PyTorch s':31} PyTorch / dca of each repeat")
    for index, direction in enumerate(("forward", "backward")):
        for name in peers:
            own, other = mine[name][index], theirs[name][index]
            ratio = [b / a for a, b in zip(own, other)]
            print(f"{direction:9} {name:11} {spread(own):31} {spread(other):31} {statistics.median(ratio):.2f} "
                  f"({min(ratio):.2f} .. {max(ratio):.2f})")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"peer_torch.py: {error}", file=sys.stderr)
        sys.exit(2)
