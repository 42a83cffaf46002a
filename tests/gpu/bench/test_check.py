"""Inputs and outputs of peers.py --check, up to the verdicts of `dca compare`.

    test_check.py DCA        # runs prepare.sh; needs h5py and numpy, no PyTorch
"""
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "gpu/bench"))
import cases
import check
import npz
import sdpa
import tables

DCA = sys.argv[1]


class Archives(unittest.TestCase):
    def test_numpy_reads_what_we_write_and_the_other_way_round(self):
        rng = np.random.default_rng(1)
        arrays = {"a/x": rng.standard_normal((2, 3, 5)).astype("<f4"), "a/y": np.arange(7, dtype="|u1"),
                  "b": np.array(3.5), "c": np.zeros((0, 4), dtype="<f2")}
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/ours.npz"
            npz.write(path, {name: npz.Array(a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()})
            with np.load(path) as theirs:
                self.assertEqual(set(theirs.files), set(arrays))
                for name, a in arrays.items():
                    np.testing.assert_array_equal(theirs[name], a)
            np.savez(folder + "/theirs.npz", **arrays)
            for name, a in npz.read(folder + "/theirs.npz").items():
                self.assertEqual((a.dtype, a.shape, a.data), (arrays[name].dtype.str, arrays[name].shape, arrays[name].tobytes()))

    def test_data_begin_at_a_multiple_of_64_bytes_as_numpy_wants(self):
        for count in range(0, 200000, 7919):
            self.assertEqual((len(npz.pack(npz.Array("|u1", (count,), bytes(count)))) - count) % 64, 0)

    def test_damage_is_refused(self):
        good = npz.pack(npz.Array("<f4", (2,), b"12345678"))
        for bad in (good[:-1], good + b"x", b"NUMPY" + good, good.replace(b"<f4", b"<c8")):
            with self.assertRaises(ValueError):
                npz.unpack(bad)
        with self.assertRaises(ValueError):
            npz.pack(npz.Array("<f4", (3,), b"12345678"))
        fortran = io.BytesIO()
        np.save(fortran, np.asfortranarray(np.ones((2, 3))))
        with self.assertRaises(ValueError):
            npz.unpack(fortran.getvalue())


class Prepared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run(["sh", str(ROOT / "gpu/bench/prepare.sh"), DCA, cls.folder.name], check=True, stdout=subprocess.DEVNULL,
                       env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"})
        cls.golden, cls.inputs = cls.folder.name + "/peers.h5", cls.folder.name + "/peers.npz"

    def test_both_files_say_the_same(self):
        for one, other in zip(cases.read(self.golden), cases.read(self.inputs)):
            self.assertEqual((one.id, one.attributes, one.tensors), (other.id, other.attributes, other.tensors))

    def test_every_contestant_has_a_case(self):
        found = cases.read(self.inputs)
        self.assertEqual([case.unsupported() for case in found], [""] * len(found))
        problems = [check.problem_of(case) for case in found]
        self.assertEqual({p.dtype for p in problems}, {"bf16", "f16"})
        self.assertEqual({p.head_dim for p in problems}, {64, 128})
        for name in set(tables.CONTESTANTS) - {tables.CALLS}:
            self.assertGreaterEqual(sum(check.speaks_of(name, p) for p in problems), 2, name)
        for p in problems:
            self.assertTrue(check.speaks_of(tables.BASE, p) and check.speaks_of(tables.EAGER, p))
            self.assertFalse(check.speaks_of(tables.CALLS, p))
            if p.rope != "none":
                self.assertFalse(check.speaks_of(tables.CUDNN, p), "SDPA does not rotate")
                self.assertEqual(p.inv_freq, [10000.0 ** (-2.0 * i / p.head_dim) for i in range(p.head_dim // 2)])

    def test_what_is_not_for_us(self):
        case = cases.read(self.inputs)[0]
        for attribute, value in (("dialect", "paper"), ("dtype", "f64"), ("rope", "interleaved"), ("query_offset", 3),
                                 ("rope_scaling", "yarn"), ("rotary_dim", 32), ("mscale", 1.1)):
            other = cases.Case(case.id, dict(case.attributes, **{attribute: value}), case.tensors)
            self.assertIn(attribute, other.unsupported())
        with self.assertRaises(ValueError):
            cases.Case("x", {key: value for key, value in case.attributes.items() if key != "rope"}, case.tensors)

    def verdict(self, change):
        """dca compare on an .npz of the expected values, one tensor changed."""
        import h5py
        case = "dual_bf16_d64"
        with h5py.File(self.golden) as file:
            arrays = {f"{case}/{t}": file[f"{case}/outputs/{t}"][()].astype("<f4") for t in ("out", "lse")}
        change(arrays[f"{case}/out"])
        path = self.folder.name + "/candidate.npz"
        npz.write(path, {name: npz.Array("<f4", a.shape, a.tobytes()) for name, a in arrays.items()})
        ((_, status, words),) = check.judge(DCA, self.golden, {"x": (path, [case], ["out", "lse"])})
        return status, words

    def test_verdicts_come_from_dca_compare(self):
        self.assertEqual(self.verdict(lambda out: None)[0], 0)
        status, words = self.verdict(lambda out: out[0, 130:140].fill(0))
        self.assertEqual(status, 1, words)
        self.assertIn("dual_bf16_d64", words)


class Schemas(unittest.TestCase):
    """Arguments of PyTorch's internal functions as its versions have had them."""
    COMMON = [("query", False), ("key", False), ("value", False)]

    def test_known_versions(self):
        flash = self.COMMON + [("dropout_p", True), ("is_causal", True), ("return_debug_mask", True), ("scale", True)]
        self.assertEqual(sdpa.arguments("f", flash), {"dropout_p": 0.0, "return_debug_mask": False})
        cudnn = self.COMMON + [("attn_bias", False), ("compute_log_sumexp", False), ("dropout_p", True), ("is_causal", True),
                               ("return_debug_mask", True), ("scale", True)]
        self.assertEqual(sdpa.arguments("c", cudnn), {"attn_bias": None, "compute_log_sumexp": True, "dropout_p": 0.0,
                                                      "return_debug_mask": False})

    def test_unknown_versions_are_refused(self):
        for extra in ([("is_causal", True)], [("is_causal", True), ("scale", True), ("page_table", False)]):
            with self.assertRaises(sdpa.NotHere):
                sdpa.arguments("f", self.COMMON + extra)
        self.assertEqual(sdpa.arguments("f", self.COMMON + [("is_causal", True), ("scale", True), ("novelty", True)]), {})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
