#!/usr/bin/env python3
"""gpu/bench/build.sh builds the library from a tree that has nothing but gpu/ and reference/spec.

    test_build_script.py ROOT NVCC OBJECTS

OBJECTS: where the build put its compiled kernels; compiling them again would take minutes, so the nvcc of this test hands
out those, and calls the real one for all else.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, NVCC, OBJECTS = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
LENDING_NVCC = '''#!/bin/sh
# nvcc -c FILE.cu -o OBJECT ...
case $2 in
*.cu) cp "{objects}/${{2##*/}}.o" "$4" && cat "{objects}/${{2##*/}}.o.ptxas" >&2 ;;
*) exec {nvcc} "$@" ;;
esac
'''


class BuildScript(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def build(self, tree, **environment):
        return subprocess.run(['sh', tree / 'gpu/bench/build.sh', self.folder / 'built here'],
                              env={**os.environ, 'JOBS': '2', **environment}, capture_output=True, text=True, check=False)

    def test_builds_from_gpu_and_spec_alone(self):
        tree = self.folder / 'a tree'
        shutil.copytree(ROOT / 'gpu', tree / 'gpu')
        shutil.copytree(ROOT / 'reference/spec', tree / 'reference/spec')
        nvcc = self.folder / 'nvcc'
        nvcc.write_text(LENDING_NVCC.format(objects=OBJECTS, nvcc=NVCC), encoding='utf-8')
        nvcc.chmod(0o755)
        done = self.build(tree, NVCC=str(nvcc))
        self.assertEqual(done.returncode, 0, done.stderr)
        library = done.stdout.strip()
        self.assertEqual(library, str(self.folder / 'built here/libdca_gpu.so'))
        self.assertIn('dca_forward_bf16_d128_wide', done.stderr)
        test = subprocess.run([sys.executable, '-B', ROOT / 'tests/gpu/cuda/test_library.py', ROOT, library],
                              capture_output=True, text=True, check=False)
        self.assertEqual(test.returncode, 0, test.stderr)

    def test_says_which_compiler_is_missing(self):
        done = self.build(ROOT, NVCC='/nowhere/nvcc')
        self.assertEqual((done.returncode, done.stderr.strip()), (2, 'there is no compiler /nowhere/nvcc; set NVCC'))
        done = self.build(ROOT, NVCC=NVCC, CXX='no-such-compiler')
        self.assertEqual((done.returncode, done.stderr.strip()), (2, 'there is no compiler no-such-compiler; set CXX'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
