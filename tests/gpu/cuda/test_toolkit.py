#!/usr/bin/env python3
"""DCA_CUDA = AUTO, ON and OFF with no toolkit, with one that is too old and with one that does not work.

    test_toolkit.py ROOT

The toolkits are folders made here, with an nvcc that is a shell script. Needs no CUDA toolkit.
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv[1]).resolve()
PROJECT = '''cmake_minimum_required(VERSION 3.25)
project(probe LANGUAGES C)
include("{root}/gpu/cuda/toolkit.cmake")
message(STATUS "found: ${{DCA_CUDA_TOOLKIT}}")
'''
NVCC = '''#!/bin/sh
case $1 in
--version) echo "Cuda compilation tools, release {version}, V{version}.1" ;;
*) echo "error: this nvcc hates this host compiler" >&2; exit 1 ;;
esac
'''


class Toolkit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / 'CMakeLists.txt').write_text(PROJECT.format(root=ROOT), encoding='utf-8')

    def configure(self, *options):
        """(exit status, stdout and stderr with line breaks as blanks)"""
        done = subprocess.run(['cmake', '-S', self.folder, '-B', self.folder / 'build', *options],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, ' '.join(done.stdout.split())

    def fake(self, version):
        top = self.folder / 'toolkit'
        for name in ('include/cuda_runtime.h', 'lib64/libcudart.so', 'lib64/libcudart_static.a', 'bin/nvcc'):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).touch()
        (top / 'bin/nvcc').write_text(NVCC.format(version=version), encoding='utf-8')
        (top / 'bin/nvcc').chmod(0o755)
        return [f'-DCUDAToolkit_ROOT={top}', '-DDCA_CUDA=AUTO']

    NONE = '-DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=TRUE'

    def test_auto_without_a_toolkit(self):
        status, said = self.configure('-DDCA_CUDA=AUTO', self.NONE)
        self.assertEqual(status, 0)
        self.assertIn('GPU kernels: emulated only; no CUDA toolkit was found', said)
        self.assertIn('found: FALSE', said)

    def test_on_without_a_toolkit(self):
        status, said = self.configure('-DDCA_CUDA=ON', self.NONE)
        self.assertNotEqual(status, 0)
        self.assertIn('DCA_CUDA=ON: no CUDA toolkit was found', said)
        self.assertIn('install CUDA 12.4 or later, or use AUTO or OFF', said)

    def test_off(self):
        status, said = self.configure('-DDCA_CUDA=OFF')
        self.assertEqual(status, 0)
        self.assertIn('GPU kernels: emulated only, as DCA_CUDA=OFF asks', said)
        self.assertIn('found: FALSE', said)

    def test_too_old(self):
        status, said = self.configure(*self.fake('12.3'))
        self.assertEqual(status, 0)
        self.assertRegex(said, 'emulated only; the CUDA toolkit 12.3.1 in .* is older than 12.4')
        self.assertIn('found: FALSE', said)

    def test_does_not_compile(self):
        status, said = self.configure(*self.fake('12.4'))
        self.assertEqual(status, 0)
        self.assertIn('emulated only; nvcc 12.4.1 compiles nothing here: error: this nvcc hates', said)
        self.assertIn('found: FALSE', said)

    def test_a_word_that_means_nothing(self):
        status, said = self.configure('-DDCA_CUDA=MAYBE')
        self.assertNotEqual(status, 0)
        self.assertIn('DCA_CUDA is MAYBE, must be AUTO, ON or OFF', said)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
