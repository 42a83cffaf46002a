#!/usr/bin/env python3
"""Feeds check_includes.py small fake trees: a clean one passes, and each kind of violation is reported where it is."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import check_includes  # noqa: E402

HEADER = '// What it is for.\n#pragma once\n'
CLEAN = {
    'reference/spec/problem.hpp': HEADER,
    'reference/oracle/attention.hpp': HEADER + '#include "reference/spec/problem.hpp"\n#include <quadmath.h>\n',
    'reference/math/rope.hpp': HEADER + '#include <vector>\n#include "reference/spec/problem.hpp"\n',
    'reference/math/parallel.cpp': '#include <omp.h>\n#pragma omp parallel for\n',
    'reference/tiles/tiles.hpp': HEADER,
    'reference/forward.cpp': '#include <Eigen/Core>\n#include "reference/math/rope.hpp"\n',
    'gpu/cuda/kernel.cu': '#include <cuda_runtime.h>\n#ifdef __CUDA_ARCH__\n#endif\n',
    'golden/store.hpp': HEADER + '#include "reference/spec/problem.hpp"\n',
    'golden/store.cpp': '#include <hdf5.h>\n#include "golden/store.hpp"\n',
    'verify/run/result.hpp': HEADER + '#include "verify/compare/verdict.hpp"\n',
    'verify/compare/verdict.hpp': HEADER,
    'verify/compare/compare.cpp': '#include "golden/store.hpp"\n#include "verify/run/result.hpp"\n',
    'verify/report/text.cpp': '#include "verify/run/result.hpp"\n#include "verify/compare/verdict.hpp"\n',
    'verify/run/bench.hpp': HEADER,
    'verify/cli/main.cpp': '#include <CLI/CLI.hpp>\n#include "verify/run/bench.hpp"\n',
    'tests/test_store.cpp': '#include <omp.h>\n#include <hdf5.h>\n#include "golden/store.hpp"\n',
    'tests/support/catch.hpp': HEADER,
}

# One more or one different file each: path, text, and the violation it must give.
VIOLATIONS = [
    ('reference/oracle/a.cpp', '\n#include "reference/math/rope.hpp"\n', '2: oracle may not include math'),
    ('reference/oracle/a.cpp', '#include <Eigen/Dense>\n', '1: oracle may not use <Eigen/Dense>'),
    ('reference/math/a.cpp', '#include "reference/oracle/attention.hpp"\n', '1: math may not include oracle'),
    ('reference/tiles/a.cpp', '#include "reference/spec/problem.hpp"\n', '1: tiles may not include spec'),
    ('reference/a.cpp', '# include "golden/store.hpp"\n', '1: reference may not include golden'),
    ('reference/a.cpp', '#include "reference/oracle/attention.hpp"\n', '1: reference may not include oracle'),
    ('gpu/a.cpp', '#include "reference/math/rope.hpp"\n', '1: gpu may not include math'),
    ('golden/a.cpp', '#include "verify/run/result.hpp"\n', '1: golden may not include run'),
    ('verify/compare/a.cpp', '#include "verify/run/bench.hpp"\n', '1: compare may not include run'),
    ('verify/compare/a.cpp', '#include "reference/math/rope.hpp"\n', '1: compare may not include math'),
    ('verify/candidate/a.cpp', '#include <hdf5.h>\n', '1: candidate may not use <hdf5.h>'),
    ('verify/report/a.cpp', '#include "golden/store.hpp"\n', '1: report may not include golden'),
    ('verify/cli/a.cpp', '#include "tests/support/catch.hpp"\n', '1: cli may not include tests'),
    ('verify/run/a.cpp', '#include <omp.h>\n', '1: OpenMP belongs to'),
    ('reference/a.cpp', '  #pragma omp simd\n', '1: OpenMP belongs to'),
    ('reference/a.cpp', '#if defined(_OPENMP)\n#endif\n', '1: OpenMP belongs to'),
    ('reference/a.cpp', '#if defined(__CUDACC__)\n#endif\n', '1: code outside gpu/'),
    ('reference/a.cpp', '#include "forward.hpp"\n', '1: "forward.hpp" is not a file'),
    ('reference/a.cpp', '#include "spec/problem.hpp"\n', '1: "spec/problem.hpp" is not a file'),
    ('verify/new_box/a.cpp', '\n', '1: belongs to no box'),
    ('golden/a.hpp', '#pragma once\n', '1: a header opens with a comment'),
    ('golden/a.hpp', '// Forgotten.\n', '1: a header needs #pragma once'),
    ('golden/a.cpp', '\n' * 401, '401: 401 lines, at most 400'),
    ('tests/a.cpp', 'TEST_CASE("one; two") {}\n', '1: ctest splits the name'),
    ('tests/a.py', '\n' * 401, '401: 401 lines, at most 400'),
]


def report(files):
    """The violations of a tree of the given files."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding='utf-8')
        return check_includes.check_tree(root)[1]


class CheckIncludes(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        self.assertEqual(report(CLEAN), [])

    def test_exactly_the_violation_is_reported(self):
        for path, text, expected in VIOLATIONS:
            with self.subTest(path=path, text=text[:60]):
                violations = report(CLEAN | {path: text})
                self.assertEqual(len(violations), 1, violations)
                self.assertTrue(violations[0].startswith(f'{path}:{expected}'), violations[0])

    def test_four_hundred_lines_pass(self):
        self.assertEqual(report(CLEAN | {'golden/a.cpp': '\n' * 400}), [])

    def test_every_box_has_arrows_and_they_form_no_cycle(self):
        boxes = set(check_includes.BOXES.values())
        self.assertEqual(boxes, set(check_includes.ARROWS))
        order = []
        while len(order) < len(boxes):
            ready = [b for b in boxes - set(order) if check_includes.ARROWS[b] & boxes - {b} <= set(order)]
            self.assertTrue(ready, f'cycle among {boxes - set(order)}')
            order += ready

    def test_a_wrong_root_is_not_a_pass(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(check_includes.main(['check_includes.py', folder]), 2)


if __name__ == '__main__':
    unittest.main()
