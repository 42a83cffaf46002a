#!/usr/bin/env python3
"""libdca_gpu.so as its users meet it, with or without a GPU.

    test_library.py ROOT LIBRARY
"""
import pathlib
import re
import subprocess
import sys
import threading
import unittest

ROOT, LIBRARY = pathlib.Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(ROOT / 'gpu/bench'))
import dca_gpu  # noqa: E402

GOOD = {'batch': 1, 'seq_q': 8, 'seq_k': 8, 'heads_q': 2, 'heads_kv': 1, 'head_dim': 64, 'head_dim_v': 64,
        'chunk_size': 4, 'local_size': 1, 'dtype': dca_gpu.BF16, 'rope_layout': dca_gpu.NEOX}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.library = dca_gpu.Library(LIBRARY)

    def refusal(self, call):
        with self.assertRaises(dca_gpu.Error) as caught:
            call()
        text = str(caught.exception)
        self.assertTrue(text)
        self.assertNotIn('\n', text)
        return caught.exception.status, text

    def test_exports_the_interface_and_nothing_else(self):
        symbols = {line.split()[-1] for line in output_of('nm', '-D', '--defined-only', LIBRARY).splitlines()}
        header = (ROOT / 'gpu/api/dca_gpu.h').read_text(encoding='utf-8')
        header = re.sub(r'/\*.*?\*/', '', header, flags=re.DOTALL)
        self.assertEqual(symbols, set(re.findall(r'\b(dca_gpu_\w+)\(', header)))

    def test_needs_no_cuda_library_to_load(self):
        needed = re.findall(r'NEEDED.*\[(.*)\]', output_of('readelf', '-d', LIBRARY))
        self.assertTrue(needed)
        self.assertFalse([name for name in needed if 'cuda' in name])

    def test_version(self):
        self.assertEqual(self.library.c.dca_gpu_version(), dca_gpu.VERSION)

    def test_says_in_one_clause_why_there_is_no_device(self):
        reason = self.library.unavailable()
        if not reason:
            self.library.plan(**GOOD)
            return
        self.assertNotIn('\n', reason)
        self.assertEqual(self.refusal(lambda: self.library.plan(**GOOD)), (dca_gpu.UNSUPPORTED, reason))

    def test_problems_are_judged_before_a_device_is_asked_for(self):
        def refusal_of(**change):
            return self.refusal(lambda: self.library.plan(**{**GOOD, **change}))
        self.assertEqual(refusal_of(seq_q=0), (dca_gpu.INVALID, 'seq_q is 0, must be at least 1'))
        self.assertEqual(refusal_of(dtype=7)[0], dca_gpu.INVALID)
        self.assertEqual(refusal_of(cu_seqlens=[0, 9])[0], dca_gpu.INVALID)
        self.assertEqual(refusal_of(rope_scaling=dca_gpu.YARN)[1], 'rope_scaling yarn needs rope_factor')
        self.assertEqual(refusal_of(head_dim=192, rope_layout=dca_gpu.ROPE_NONE)[0], dca_gpu.UNSUPPORTED)

    def test_null_pointers(self):
        c = self.library.c
        self.assertEqual(c.dca_gpu_plan_create(None, None), dca_gpu.INVALID)
        self.assertEqual(c.dca_gpu_forward(None, None), dca_gpu.INVALID)
        self.assertEqual(c.dca_gpu_rotate(None, None), dca_gpu.INVALID)
        self.assertEqual(c.dca_gpu_merge(None), dca_gpu.INVALID)
        self.assertEqual(c.dca_gpu_workspace_bytes(None, None), dca_gpu.INVALID)
        self.assertEqual(c.dca_gpu_plan_destroy(None), dca_gpu.OK)

    def test_merge_names_what_is_wrong(self):
        status, text = self.refusal(lambda: self.library.merge([16], [16], None, 16, batch=1, seq_q=1, heads_q=1,
                                                               head_dim_v=8, dtype=dca_gpu.BF16))
        self.assertEqual((status, text), (dca_gpu.INVALID, 'out is null'))

    def test_errors_belong_to_a_thread(self):
        self.assertEqual(self.library.c.dca_gpu_forward(None, None), dca_gpu.INVALID)
        seen = []
        thread = threading.Thread(target=lambda: seen.append(self.library.c.dca_gpu_error()))
        thread.start()
        thread.join()
        self.assertEqual(seen, [b''])
        self.assertEqual(self.library.c.dca_gpu_error(), b'plan is null')
        self.library.c.dca_gpu_plan_destroy(None)
        self.assertEqual(self.library.c.dca_gpu_error(), b'')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
