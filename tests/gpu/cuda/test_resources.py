#!/usr/bin/env python3
"""gpu/cuda/resources.py on texts as ptxas writes them, clean and not; no CUDA toolkit needed.

    test_resources.py ROOT [NVCC]     with NVCC: a kernel that must spill is compiled, too, and must be seen to
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1])
NVCC = sys.argv[2] if len(sys.argv) > 2 else None
sys.path.insert(0, str(ROOT / 'gpu/cuda'))
import resources  # noqa: E402

CLEAN = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'one' for 'sm_80'
ptxas info    : Function properties for one
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 96 registers, used 1 barriers, 1024 bytes smem, 368 bytes cmem[0]
ptxas info    : Compile time = 25.100 ms
ptxas info    : Compiling entry function 'one' for 'sm_90a'
ptxas info    : Function properties for one
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 108 registers, used 0 barriers
"""
# A kernel that calls a function: its stack and spills are the kernel's, too.
CALLS = """ptxas info    : Compiling entry function 'one' for 'sm_80'
ptxas info    : Function properties for helper
    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Function properties for one
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 32 registers
"""
WANTED = {'one': ('sm_80', 'sm_90a')}

# 1024 threads leave 64 registers each; 96 values are alive at once.
SPILLING = """extern "C" __global__ void __launch_bounds__(1024) spilling(double* data, int stride) {
    double a[96];
    for (int i = 0; i < 96; ++i) a[i] = data[i * stride + threadIdx.x];
    __syncthreads();
    for (int i = 0; i < 96; ++i) data[i * stride + threadIdx.x] = a[i] * a[95 - i];
}
"""


def faults(text, wanted=None):
    return list(resources.faults(resources.parse(text), wanted or WANTED))


class Resources(unittest.TestCase):
    def test_clean(self):
        first, second = resources.parse(CLEAN)
        self.assertEqual(first, resources.Kernel('one', 'sm_80', 96, 0, 0, 1024, 0))
        self.assertEqual(second, resources.Kernel('one', 'sm_90a', 108, 0, 0, 0, 0))
        self.assertEqual(faults(CLEAN), [])

    def test_table_has_a_row_per_kernel_and_architecture(self):
        rows = resources.table(resources.parse(CLEAN)).splitlines()
        self.assertEqual(len(rows), 3)
        self.assertEqual(rows[1].split(), ['one', 'sm_80', '96', '0', '0', '1024', '0'])

    def test_spill(self):
        for clean, spilt in (('0 bytes spill stores', '4 bytes spill stores'),
                             ('0 bytes spill loads', '12 bytes spill loads')):
            self.assertRegex('\n'.join(faults(CLEAN.replace(clean, spilt, 1))), '^one for sm_80 spills: ')

    def test_spill_of_a_called_function(self):
        self.assertRegex('\n'.join(faults(CALLS)), 'one for sm_80 spills: 8 bytes of stores, 4 of loads')

    def test_local_memory(self):
        self.assertEqual(faults(CLEAN.replace('0 bytes stack', '8 bytes stack', 1)),
                         ['one for sm_80 keeps 8 bytes of local memory'])

    def test_missing_kernel(self):
        self.assertEqual(faults(CLEAN.split('ptxas info    : Compiling entry function \'one\' for \'sm_90a\'')[0]),
                         ['one was not compiled for sm_90a'])
        self.assertEqual(len(faults('')), 2)

    def test_kernel_in_no_list(self):
        self.assertEqual(faults(CLEAN, {'one': ('sm_80',)}),
                         ['one for sm_90a is in no list: name it in EXPECTED'])

    def test_text_of_another_ptxas(self):
        self.assertIn('one for sm_80: ptxas did not say what it uses',
                      faults(CLEAN.replace('bytes spill stores', 'bytes stored')))

    def test_every_kernel_of_the_sources_is_expected(self):
        written = set()
        for source in (ROOT / 'gpu/cuda').glob('*.cu'):
            words = source.read_text(encoding='utf-8').replace('(', ' ').split()
            written |= {word for word in words if word.startswith('dca_') and not word.startswith('dca_gpu')}
        self.assertTrue(written)
        self.assertEqual(written, set(resources.EXPECTED))

    @unittest.skipUnless(NVCC, 'no nvcc')
    def test_planted_spill(self):
        with tempfile.TemporaryDirectory() as folder:
            source, made = pathlib.Path(folder) / 'spilling.cu', pathlib.Path(folder) / 'spilling.o'
            source.write_text(SPILLING, encoding='utf-8')
            subprocess.run(['sh', str(ROOT / 'gpu/cuda/compile.sh'), NVCC, str(source), str(made)], check=True)
            log = str(made) + '.ptxas'
            with open(log, encoding='utf-8') as file:
                found = resources.parse(file.read())
            self.assertEqual({kernel.arch for kernel in found}, {'sm_80', 'sm_90a'})
            for kernel in found:
                self.assertGreater(kernel.spill_stores, 0)
                self.assertGreater(kernel.spill_loads, 0)
            program = [sys.executable, '-B', str(ROOT / 'gpu/cuda/resources.py'), '--check', log]
            judged = subprocess.run(program, capture_output=True, text=True, check=False)
            self.assertEqual(judged.returncode, 1)
            self.assertIn('spilling for sm_90a spills', judged.stdout)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
