#!/usr/bin/env python3
"""Our kernels beside PyTorch's on a GPU: one process, random inputs, CUDA events, in alternation (docs/performance.md).

    python3 gpu/bench/peers.py --library libdca_gpu.so [--json F] [--markdown F]    # times
    python3 gpu/bench/peers.py --library libdca_gpu.so --check INPUTS --golden GOLDEN.h5 --dca PROGRAM

INPUTS: an .npz of gpu/bench/prepare.sh, or a tensor file (.h5, needs h5py). With --check nothing is timed: every contestant's
outputs for those cases are written to --folder and judged by `dca compare`.

Exit status: 0 everything asked for ran (and was verified); 1 dca compare found a failure; 2 something that this program
needs is missing; 3 something asked for did not run or was not judged, said in a line each.
"""
import argparse
import json
import os
import sys

import check
import contestants
import dca_gpu
import environment
import recipe
import sdpa
import spread
import tables
from timing import Clock

NOTHING, FAILED, BROKEN, UNVERIFIED = 0, 1, 2, 3
HERE = os.path.dirname(os.path.abspath(__file__))


class Bench:
    """Makes contestants by name, and remembers why those that cannot be made cannot."""

    def __init__(self, torch, library, device, only_backend=None):
        self.torch, self.library, self.device = torch, library, device
        self.plain, self.with_lse, self.reasons = {}, {}, {}
        if only_backend == "matmul":
            self.with_lse["matmul"] = sdpa.Matmul(torch)
            self.reasons.update({"cudnn": "asked for matmul", "flash": "asked for matmul"})
            return
        for name in [only_backend] if only_backend else sdpa.BACKENDS:
            for kind, found in ((sdpa.Plain, self.plain), (sdpa.WithLse, self.with_lse)):
                try:
                    found[name] = kind(torch, name)
                except sdpa.NotHere as error:
                    self.reasons.setdefault(name, str(error))

    def backend(self, found, name):
        if name not in found:
            raise sdpa.NotHere(self.reasons.get(name, f"backend {name} was not asked for"))
        return found[name]

    def our_library(self):
        if self.library is None:
            raise sdpa.NotHere("no --library")
        reason = self.library.unavailable()
        if reason:
            raise sdpa.NotHere(reason)
        return self.library

    def make(self, name, problem, inputs, backend=None):
        """backend: of the recipe; None takes the first there is."""
        if name in (tables.BASE, tables.PLAIN):
            return contestants.Ours(self.torch, dca_gpu, self.our_library(), problem, inputs, name == tables.PLAIN)
        if name in (tables.CUDNN, tables.FLASH):
            return contestants.PlainSdpa(self.backend(self.plain, name.split()[1]), problem, inputs)
        chosen = backend or next(iter(self.with_lse), None)
        if chosen is None:
            raise sdpa.NotHere("; ".join(self.reasons.values()) or "no SDPA backend")
        merge = None
        if name == tables.EAGER:
            merge = contestants.eager_merge
        elif name == tables.MERGED:
            merge = contestants.FusedMerge(dca_gpu, self.our_library())
        return contestants.Recipe(self.torch, self.with_lse[chosen], problem, inputs, merge)

    def attempt(self, name, problem, inputs, clock, backend=None):
        """A contestant that has run once, or the reason why there is none."""
        try:
            made = self.make(name, problem, inputs, backend)
            clock.run(made)
            return made, None
        except sdpa.NotHere as error:
            return None, str(error)
        except (RuntimeError, TypeError, ValueError, OSError) as error:  # out of memory among them
            self.torch.cuda.empty_cache()
            return None, sdpa.first_line(error)


def recipe_backend(bench, problem, inputs, clock, rounds=3):
    """The backend whose causal call with lse is faster for this problem: a recipe of one chunk on prepared tensors."""
    one = problem._replace(settings=recipe.plain_settings(problem.n), rope="none", inv_freq=None)
    measured, reasons = {}, []
    for name in bench.with_lse:
        made, reason = bench.attempt(tables.CALLS, one, inputs, clock, name)
        if made is None:
            reasons.append(f"{name}: {reason}")
        else:
            measured[name] = spread.quantile([clock.run(made) for _ in range(rounds)], 0.5)
    if not measured:
        raise sdpa.NotHere("; ".join(reasons) or "; ".join(bench.reasons.values()) or "no SDPA backend")
    return contestants.faster(measured), reasons


def time_problem(bench, problem, options, clock):
    """A row of the result document."""
    torch = bench.torch
    generator = torch.Generator(device=bench.device).manual_seed(options.seed)
    dtype = {"bf16": torch.bfloat16, "f16": torch.float16}[problem.dtype]
    shape = lambda heads: (problem.batch, problem.n, heads, problem.head_dim)
    inputs = [torch.randn(shape(heads), generator=generator, device=bench.device, dtype=torch.float32).to(dtype)
              for heads in (problem.heads_q, problem.heads_kv, problem.heads_kv)]
    row = {"batch": problem.batch, "n": problem.n, "heads_q": problem.heads_q, "heads_kv": problem.heads_kv,
           "head_dim": problem.head_dim, "dtype": problem.dtype, "chunk_size": problem.settings.chunk_size,
           "local_size": problem.settings.local_size, "contestants": {}}
    try:
        backend, _ = recipe_backend(bench, problem, inputs, clock)
        row["recipe_backend"] = backend
    except sdpa.NotHere as error:
        backend = None
        row["recipe_backend"] = f"none ({error})"
    running = {}
    for name in options.contestants:
        made, reason = bench.attempt(name, problem, inputs, clock, backend)
        if made is None:
            row["contestants"][name] = {"not_run": reason}
            continue
        running[name] = made
        row["contestants"][name] = {"peak_bytes": clock.peak(made), "plan_bytes": made.plan_bytes, "note": made.note}
    if running:
        for _ in range(options.warm_up):
            first = {name: clock.run(made) for name, made in running.items()}
        rounds = spread.rounds_within(sum(first.values()) / 1e3, options.seconds, options.least, options.most)
        for name, times in clock.alternate(running, rounds).items():
            row["contestants"][name]["ms"] = times
        if tables.BASE in running and tables.EAGER in running:
            row["difference"] = difference(torch, running[tables.BASE], running[tables.EAGER])
    return row


def difference(torch, one, other):
    """Relative L2 difference of two contestants' outs, a head at a time: is what was timed the same computation?"""
    a, b = one.run()[0], other.run()[0]
    apart = size = 0.0
    for head in range(a.shape[2]):
        x, y = a[:, :, head].double(), b[:, :, head].double()
        apart, size = apart + float(((x - y) ** 2).sum()), size + float((y ** 2).sum())
    return (apart / size) ** 0.5


def problems(options):
    for dtype in options.dtype:
        for head_dim in options.head_dim:
            for settings in options.chunk:
                for n in options.n:
                    yield contestants.Problem(1, n, options.heads[0], options.heads[1], head_dim, dtype, settings, "neox",
                                              contestants.default_frequencies(head_dim), None)


def pair(text):
    first, _, second = text.partition("/")
    return int(first), int(second)


def settings(text):
    result = recipe.Settings(*pair(text))
    recipe.chunk_len(result)
    return result


def parser():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", default=os.environ.get("DCA_GPU_LIBRARY"), help="libdca_gpu.so (or DCA_GPU_LIBRARY)")
    p.add_argument("--n", type=int, nargs="+", default=[2048 << i for i in range(7)], help="lengths, 2k .. 128k")
    p.add_argument("--head-dim", type=int, nargs="+", default=[64, 128])
    p.add_argument("--heads", type=pair, default=(32, 8), metavar="Q/KV")
    p.add_argument("--chunk", type=settings, nargs="+", default=[recipe.Settings(8192, 1024)], metavar="C/w")
    p.add_argument("--dtype", nargs="+", choices=["bf16", "f16"], default=["bf16"])
    p.add_argument("--contestants", nargs="+", choices=tables.CONTESTANTS, default=list(tables.CONTESTANTS), metavar="NAME",
                   help="by default all: " + ", ".join(tables.CONTESTANTS))
    p.add_argument("--backend", choices=["cudnn", "flash", "matmul"], help="only this one; matmul: with --check alone")
    p.add_argument("--seconds", type=float, default=6, help="time for the rounds of one row")
    p.add_argument("--least", type=int, default=7, help="rounds at least")
    p.add_argument("--most", type=int, default=50, help="rounds at most")
    p.add_argument("--warm-up", type=int, default=2, help="rounds before the clock")
    p.add_argument("--keep-l2", action="store_true", help="do not flush the L2 cache before each run")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--json", metavar="F")
    p.add_argument("--markdown", metavar="F")
    p.add_argument("--check", metavar="INPUTS")
    p.add_argument("--golden", metavar="GOLDEN.h5", help="what dca compare judges by")
    p.add_argument("--dca", metavar="PROGRAM")
    p.add_argument("--folder", default=".", help="for the outputs of --check")
    p.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: with --check and matmul alone")
    return p


def run_check(bench, options):
    names = [name for name in options.contestants if name != tables.CALLS]
    os.makedirs(options.folder, exist_ok=True)
    written, missing = check.run(bench.torch, options.check, options.folder, options.device, names, bench.make)
    status = UNVERIFIED if missing or not written else NOTHING
    for text in missing:
        print(f"NOT RUN  {text}")
    if not (options.dca and options.golden):
        for name, (file, ids, tensors) in written.items():
            print(f"NOT JUDGED  {name}: " + " ".join(check.command("dca", options.golden or "GOLDEN.h5", file, ids, tensors)))
        return UNVERIFIED
    verdicts = check.judge(options.dca, options.golden, written)
    for name, code, words in verdicts:
        print(f"{'verified' if code == 0 else f'status {code}'}  {name}: {', '.join(written[name][1])}")
        if code != 0:
            print(words)
    worst = [code for _, code, _ in verdicts]
    return next((code for code in (BROKEN, FAILED) if code in worst), UNVERIFIED if any(worst) else status)


def run_timing(bench, options):
    torch = bench.torch
    clock = Clock(torch, not options.keep_l2, bench.device)
    head = environment.header(HERE, torch)
    head.update({"inputs": f"standard normal, seed {options.seed}", "L2 cache": clock.described,
                 "times": "CUDA events, one run each, contestants in alternation; ratios within a round",
                 "FLOP": "4 n^2 d h / 2 for all, dual chunk or plain"})
    for name in sdpa.BACKENDS:
        head[f"backend {name}"] = bench.with_lse[name].schema if name in bench.with_lse else (
            "not here: " + bench.reasons.get(name, "not asked for"))
    document = {"schema": "dca-gpu-peers", "version": 1, "header": head, "targets": [], "rows": []}
    for problem in problems(options):
        document["rows"].append(time_problem(bench, problem, options, clock))
        torch.cuda.empty_cache()
        document["targets"] = tables.targets(document)
        save(options, document)  # after every row: what was measured outlives a time limit
        print("\n".join("  ".join(cells).rstrip() for cells in tables.lines(document)[-len(options.contestants):]), flush=True)
    print("\n" + tables.text(document))
    missing = [1 for row in document["rows"] for result in row["contestants"].values() if "not_run" in result]
    return UNVERIFIED if missing or not document["rows"] else NOTHING


def save(options, document):
    for path, text in ((options.json, json.dumps(document, indent=1) + "\n"), (options.markdown, tables.markdown(document))):
        if path:
            with open(path + ".part", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(path + ".part", path)


def main():
    options = parser().parse_args()
    if (options.device == "cpu" or options.backend == "matmul") and not options.check:
        print("peers.py: timing is for a GPU and its backends; cpu and matmul are for --check", file=sys.stderr)
        return BROKEN
    try:
        import torch
    except ImportError as error:
        print(f"peers.py: {error}: PyTorch is needed, with CUDA", file=sys.stderr)
        return BROKEN
    if options.device == "cuda" and not torch.cuda.is_available():
        print("peers.py: PyTorch finds no GPU here; nothing was measured", file=sys.stderr)
        return BROKEN
    library = dca_gpu.Library(options.library) if options.library else None
    bench = Bench(torch, library, options.device, options.backend)
    with torch.no_grad():
        return run_check(bench, options) if options.check else run_timing(bench, options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:
        print(f"peers.py: {error}", file=sys.stderr)
        sys.exit(BROKEN)
