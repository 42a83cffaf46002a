"""The timing of peers.py from end to end on a CPU: PyTorch's tensors, a clock and kernels that only pretend. What it prints is
not looked at; that it measures what it says is. Exits 77 where there is no PyTorch.

    test_with_torch.py
"""
import collections
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import time
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "gpu/bench"))
try:
    import torch
except ImportError:
    print("skipped: PyTorch (python3-torch) is not installed")
    sys.exit(77)

import contestants
import dca_gpu
import peers
import recipe
import sdpa
import tables


class Event:
    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        self.at = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return 1e3 * (other.at - self.at)


class Plan:
    """The forward kernel as the recipe in double, and its workspace."""

    def __init__(self, fields):
        self.fields = fields

    def workspace_bytes(self):
        return 4096

    def forward(self, q, k, v, out, lse, workspace, *, stream):
        assert workspace.numel() == 4096 and stream == 7
        f = self.fields
        problem = contestants.Problem(f["batch"], f["seq_q"], f["heads_q"], f["heads_kv"], f["head_dim"], None,
                                      recipe.Settings(f["chunk_size"], f["local_size"]), "neox", f["inv_freq"], None)
        exact = [x.double() for x in (q, k, v)]
        made, made_lse = contestants.Recipe(torch, sdpa.Matmul(torch), problem, exact, contestants.eager_merge).run()
        out.copy_(made)
        lse.copy_(made_lse)


class Library:
    def unavailable(self):
        return ""

    def plan(self, **fields):
        return Plan(fields)

    def merge(self, outs, lses, out, lse, *, batch, seq_q, heads_q, head_dim_v, dtype, stream):
        assert out.shape == (batch, seq_q, heads_q, head_dim_v) and out.is_contiguous() and dtype == dca_gpu.BF16
        assert all(x.is_contiguous() and x.shape == out.shape for x in outs)
        contestants.eager_merge(torch, outs, lses, out, lse)


class Timing(unittest.TestCase):
    def setUp(self):
        pretended = types.SimpleNamespace(
            Event=Event, synchronize=lambda: None, reset_peak_memory_stats=lambda: None, memory_allocated=lambda: 100,
            max_memory_allocated=lambda: 300, mem_get_info=lambda: (1 << 30, 1 << 31), empty_cache=lambda: None,
            _sleep=lambda cycles: None, get_device_properties=lambda index: types.SimpleNamespace(L2_cache_size=1 << 10),
            current_stream=lambda: types.SimpleNamespace(cuda_stream=7))
        self.kept, torch.cuda = torch.cuda, pretended
        self.addCleanup(setattr, torch, "cuda", self.kept)
        self.bench = peers.Bench(torch, Library(), "cpu")

    def measure(self, *words):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed, torch.no_grad():
            path = folder + "/r.json"
            options = peers.parser().parse_args(["--json", path, "--markdown", folder + "/r.md", "--heads", "4/2", "--head-dim",
                                                 "64", "--seconds", "0.1", "--least", "3", "--chunk", "48/16", *words])
            status = peers.run_timing(self.bench, options)
            return status, json.loads(pathlib.Path(path).read_text()), printed.getvalue()

    def test_all_that_can_run(self):
        self.bench.with_lse = {"flash": sdpa.Matmul(torch)}
        status, document, printed = self.measure("--n", "100", "150")
        self.assertEqual([row["n"] for row in document["rows"]], [100, 150])
        self.assertEqual(status, peers.UNVERIFIED)  # this PyTorch has no SDPA backend on a CPU
        for row in document["rows"]:
            self.assertEqual(set(row["contestants"]), set(tables.CONTESTANTS))
            self.assertEqual(row["recipe_backend"], "flash")
            for name in (tables.BASE, tables.PLAIN, tables.EAGER, tables.MERGED, tables.CALLS):
                result = row["contestants"][name]
                self.assertGreaterEqual(len(result["ms"]), 3, name)
                self.assertEqual(result["peak_bytes"], 200)
            for name in (tables.CUDNN, tables.FLASH):
                self.assertIn("not_run", row["contestants"][name])
            # Both round q, k and out to bf16 once or twice, 2^-9 each; another computation would differ by about 1.
            self.assertLess(row["difference"], 2 ** -5)
            self.assertGreater(row["difference"], 0)
        self.assertIn("not run: ", printed)
        self.assertIn("ours fused / ours plain", printed)

    def test_nothing_can_run(self):
        self.bench.with_lse, self.bench.library = {}, None
        status, document, printed = self.measure("--n", "64")
        self.assertEqual(status, peers.UNVERIFIED)
        self.assertTrue(all("not_run" in result for result in document["rows"][0]["contestants"].values()))
        self.assertIn("no --library", printed)

    def test_a_contestant_that_breaks_stops_no_other(self):
        self.bench.with_lse = {"flash": sdpa.Matmul(torch)}

        def broken(**fields):
            raise dca_gpu.Error(dca_gpu.UNSUPPORTED, "no kernel for this")
        self.bench.library.plan = broken
        _, document, _ = self.measure("--n", "64")
        (row,) = document["rows"]
        self.assertEqual(row["contestants"][tables.BASE], {"not_run": "no kernel for this"})
        self.assertIn("ms", row["contestants"][tables.EAGER])

    def test_the_faster_backend_serves_the_recipe(self):
        class Slow(sdpa.Matmul):
            def call(self, *words):
                time.sleep(0.02)
                return super().call(*words)
        self.bench.with_lse = collections.OrderedDict([("cudnn", Slow(torch)), ("flash", sdpa.Matmul(torch))])
        _, document, _ = self.measure("--n", "64", "--contestants", tables.EAGER)
        self.assertEqual(document["rows"][0]["recipe_backend"], "flash")


if __name__ == "__main__":
    unittest.main()
