"""Tables, targets and the header of a result document."""
import copy
import json
import os
import pathlib
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "gpu/bench"))
import environment
import tables

MIB = 1 << 20


def row(n=32768, fused=(10.0, 11.0, 12.0), plain=(10.0, 11.0, 12.0), cudnn=(5.0, 5.5, 6.0), peak=None):
    q, lse = n * 32 * 128 * 2, n * 32 * 4
    result = lambda ms: {"ms": list(ms), "peak_bytes": q + lse if peak is None else peak, "plan_bytes": 0, "note": ""}
    return {"batch": 1, "n": n, "heads_q": 32, "heads_kv": 8, "head_dim": 128, "dtype": "bf16", "chunk_size": 8192,
            "local_size": 1024, "recipe_backend": "flash",
            "contestants": {tables.BASE: result(fused), tables.PLAIN: result(plain), tables.CUDNN: result(cudnn),
                            tables.FLASH: {"not_run": "no | kernel"}}}


def document(*rows):
    return {"header": {"date": "2026-01-01 00:00 UTC", "card": "Test Card"}, "rows": list(rows)}


def mark(*rows):
    return {what: word for what, _, word in tables.targets(document(*rows))}


FAR, NEAR, CUDNN, RATE, MEMORY = list(mark(row()))


class Tables(unittest.TestCase):
    def test_cells(self):
        fused, plain, cudnn, flash = tables.lines(document(row(fused=(10, 12, 20), cudnn=(5, 4, 8))))
        self.assertEqual(fused[:7], ("32768", "128", "32/8", "8192/1024", "bf16", "ours fused", "12.000 (11.000 .. 16.000)"))
        # 4 * 32768^2 * 128 * 32 / 2 operations in 12 ms
        self.assertEqual(fused[7], f"{2 * 32768 ** 2 * 128 * 32 / 0.012 / 1e12:.1f}")
        self.assertEqual(fused[8], "1.000 (1.000 .. 1.000)")
        self.assertEqual(cudnn[8], "0.400 (0.367 .. 0.450)")  # of 0.5, 0.333, 0.4: within rounds, not 5 / 12
        self.assertEqual(cudnn[9:], ("260.0", "3"))
        self.assertEqual(flash[6], "not run: no | kernel")

    def test_all_contestants_are_lines_of_both_tables(self):
        for make in (tables.text, tables.markdown):
            made = make(document(row(), row(n=8192)))
            for name in (tables.BASE, tables.PLAIN, tables.CUDNN, tables.FLASH):
                self.assertEqual(sum(f" {name} " in line and "32/8" in line for line in made.splitlines()), 2, made)
            self.assertIn("not run: no", made)
            self.assertIn("Test Card", made)

    def test_markdown_has_as_many_cells_in_every_line(self):
        made = tables.markdown(document(row()))
        counts = {line.replace("\\|", "").count("|") for line in made.splitlines() if line.startswith("|") and "32/8" in line}
        self.assertEqual(counts, {len(tables.COLUMNS) + 1})

    def test_memory_of_a_plan_is_shown(self):
        planned = row()
        planned["contestants"][tables.BASE]["plan_bytes"] = 4 * MIB
        self.assertEqual(tables.lines(document(planned))[0][9], "260.0 + 4.0")

    def test_no_base(self):
        lone = row()
        lone["contestants"][tables.BASE] = {"not_run": "no GPU"}
        self.assertEqual(tables.lines(document(lone))[1][8], "no base")

    def test_survives_json(self):
        made = document(row())
        self.assertEqual(tables.markdown(json.loads(json.dumps(made))), tables.markdown(made))


class Targets(unittest.TestCase):
    def test_met(self):
        marks = mark(row(n=32768), row(n=8192))
        self.assertEqual((marks[FAR], marks[NEAR], marks[CUDNN], marks[MEMORY]), ("met",) * 4)
        self.assertEqual(marks[RATE], "NOT MEASURED")

    def test_ratio_lines(self):
        self.assertEqual(mark(row(fused=(1.03,), plain=(1.0,), cudnn=(1,)))[FAR], "met")
        self.assertEqual(mark(row(fused=(1.031,), plain=(1.0,), cudnn=(1,)))[FAR], "NOT MET")
        at_8k = row(n=8192, fused=(1.04,), plain=(1.0,), cudnn=(1,))
        self.assertEqual((mark(at_8k)[NEAR], mark(at_8k)[FAR]), ("met", "NOT MEASURED"))
        self.assertEqual(mark(row(), row(n=65536, fused=(1.2,), plain=(1.0,), cudnn=(1,)))[FAR], "NOT MET")

    def test_cudnn_is_judged_as_speed(self):
        self.assertEqual(mark(row(fused=(10.0,), plain=(10,), cudnn=(4.5,)))[CUDNN], "met")
        self.assertEqual(mark(row(fused=(10.0,), plain=(10,), cudnn=(4.4,)))[CUDNN], "NOT MET")

    def test_rate(self):
        fast = 2 * 16384 ** 2 * 128 * 32 / 300e12 * 1e3
        self.assertEqual(mark(row(n=16384, fused=(fast * 0.99,), plain=(1,), cudnn=(1,)))[RATE], "met")
        self.assertEqual(mark(row(n=16384, fused=(fast * 1.01,), plain=(1,), cudnn=(1,)))[RATE], "NOT MET")

    def test_memory(self):
        n = 32768
        q, lse = n * 32 * 128 * 2, n * 32 * 4
        self.assertEqual(mark(row(peak=2 * q + lse))[MEMORY], "met")
        self.assertEqual(mark(row(peak=2 * q + lse + 4096))[MEMORY], "NOT MET")
        planned = row(peak=2 * q + lse - MIB)
        planned["contestants"][tables.BASE]["plan_bytes"] = 2 * MIB
        self.assertEqual(mark(planned)[MEMORY], "NOT MET")

    def test_missing_contestants_are_not_met(self):
        lone = copy.deepcopy(row())
        lone["contestants"][tables.CUDNN] = {"not_run": "old PyTorch"}
        self.assertEqual(mark(lone)[CUDNN], "NOT MEASURED")
        self.assertEqual(set(mark().values()), {"NOT MEASURED"})


class Header(unittest.TestCase):
    def with_smi(self, script):
        with tempfile.TemporaryDirectory() as folder:
            fake = pathlib.Path(folder, "nvidia-smi")
            fake.write_text("#!/bin/sh\n" + script)
            fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
            path, os.environ["PATH"] = os.environ["PATH"], folder + os.pathsep + os.environ["PATH"]
            try:
                return environment.header(folder)
            finally:
                os.environ["PATH"] = path

    def test_card(self):
        found = self.with_smi('case $2 in --query-gpu=name,driver_version,*) ;; *) exit 1 ;; esac\n'
                              'echo "NVIDIA H200, 580.1, 700.00 W, 1980 MHz, 143771 MiB"\n')
        self.assertEqual((found["card"], found["driver"], found["power limit"]), ("NVIDIA H200", "580.1", "700.00 W"))

    def test_what_is_unknown_is_said(self):
        for script in ("exit 9\n", "echo surprise\n"):
            found = self.with_smi(script)
            self.assertIn("unknown", found["card"])
            self.assertIn("unknown", found["driver"])
            self.assertIn("unknown", found["commit"])  # a folder without a repository
            self.assertIn("not here", found["PyTorch"])

    def test_commit_of_a_bundle(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "COMMIT").write_text("0123abcd+changes\n")
            self.assertEqual(environment.commit(folder), "0123abcd+changes")


if __name__ == "__main__":
    unittest.main()
