#!/usr/bin/env python3
"""Checks the layering of the source tree: which box may include which, and a few rules a compiler does not know.

    check_includes.py ROOT

Prints one line per violation, `file:line: what`, and exits 1; prints a count and exits 0 where there is none; exits 2 where
ROOT is not this source tree. The allowed arrows are those of docs/architecture.md.
"""
import pathlib
import re
import sys

# Folder -> box, the longest prefix wins.
BOXES = {
    'reference/spec/': 'spec',
    'reference/numbers/': 'numbers',
    'reference/oracle/': 'oracle',
    'reference/math/': 'math',
    'reference/tiles/': 'tiles',
    'reference/sparse/': 'sparse',
    'reference/certified/': 'certified',
    'reference/probe/': 'probe',
    'reference/sampled/': 'sampled',
    'reference/chunk_summary/spec/': 'chunk_summary_spec',
    'reference/chunk_summary/oracle/': 'chunk_summary_oracle',
    'reference/chunk_summary/': 'chunk_summary',
    'reference/': 'reference',
    'gpu/machine/': 'gpu_machine',
    'gpu/tile/': 'gpu_tile',
    'gpu/kernels/': 'gpu_kernels',
    'gpu/host/': 'gpu_host',
    'gpu/emulation/': 'gpu_emulation',
    'gpu/api/': 'gpu_api',
    'gpu/cuda/': 'gpu_cuda',
    'gpu/bench/': 'gpu_bench',
    'gpu/': 'gpu',
    'golden/': 'golden',
    'verify/compare/': 'compare',
    'verify/candidate/': 'candidate',
    'verify/peer/': 'peer',
    'verify/mutants/': 'mutants',
    'verify/matrix/': 'matrix',
    'verify/calibration/': 'calibration',
    'verify/diagnose/': 'diagnose',
    'verify/picture/': 'picture',
    'verify/report/': 'report',
    'verify/hazards/': 'hazards',
    'verify/laws/': 'laws',
    'verify/run/': 'run',
    'verify/gate/': 'gate',
    'verify/measure/': 'measure',
    'verify/measure_report/': 'measure_report',
    'verify/judge/': 'judge',
    'verify/cli/': 'cli',
    'tests/': 'tests',
}

# Box -> what it may include besides itself: boxes, or single headers.
RESULT = 'verify/run/result.hpp'
DIFFERENCE = 'verify/run/diff_dialects_result.hpp'
VERDICT = 'verify/compare/verdict.hpp'
LAWS = 'verify/laws/result.hpp'
ARROWS = {
    'spec': set(),
    'numbers': {'spec'},
    'oracle': {'numbers', 'spec'},
    'math': {'spec'},
    'tiles': set(),
    'sparse': {'reference', 'math', 'spec'},
    'certified': {'numbers', 'math', 'spec', 'reference/tiles/exp_table.hpp'},
    'probe': {'reference', 'math', 'tiles', 'spec'},
    'sampled': {'reference', 'math', 'tiles', 'spec'},
    'reference': {'math', 'tiles', 'spec'},
    'chunk_summary_spec': {'spec'},
    'chunk_summary_oracle': {'chunk_summary_spec', 'spec', 'reference/oracle/dual.hpp', 'reference/oracle/scalar.hpp'},
    'chunk_summary': {'chunk_summary_spec', 'math', 'spec'},
    'gpu_machine': set(),
    'gpu_tile': {'gpu_machine'},
    'gpu_api': {'spec', 'gpu/machine/types.hpp'},
    'gpu_kernels': {'gpu_tile', 'gpu_machine', 'gpu_api', 'spec'},
    'gpu_host': {'gpu_api', 'spec'},
    'gpu_emulation': {'gpu_kernels', 'gpu_tile', 'gpu_machine', 'gpu_host', 'gpu_api', 'spec'},
    'gpu_cuda': {'gpu_kernels', 'gpu_tile', 'gpu_machine', 'gpu_host', 'gpu_api', 'spec'},
    'gpu_bench': {'gpu_api', 'spec'},
    'gpu': {'gpu_api', 'spec'},
    'golden': {'chunk_summary_spec', 'spec'},
    'compare': {'golden', 'chunk_summary_spec', 'spec', RESULT},
    'candidate': {'golden', 'chunk_summary_spec', 'spec'},
    'peer': {'spec'},
    'mutants': {'peer', 'spec'},
    'matrix': {'mutants', 'peer', 'run', 'compare', 'diagnose', 'golden', 'math', 'spec'},
    # The oracle is its truth where double is too coarse.
    'calibration': {'peer', 'golden', 'reference', 'math', 'oracle', 'spec'},
    'diagnose': {'compare', 'mutants', 'peer', 'reference', 'math', 'golden', 'spec', RESULT},
    'picture': set(),
    'report': {'picture', 'math', 'spec', RESULT, DIFFERENCE, VERDICT, LAWS},
    'laws': {'candidate', 'golden', 'reference', 'math', 'spec', VERDICT},
    'hazards': {'golden', 'reference', 'math', 'spec'},
    'run': {'compare', 'candidate', 'diagnose', 'report', 'golden', 'reference', 'math', 'tiles', 'spec',
            'sparse', 'certified', 'probe', 'sampled', 'chunk_summary', 'chunk_summary_spec', 'peer'},
    'gate': {'run', 'diagnose', 'compare', 'candidate', 'peer', 'mutants', 'hazards', 'golden', 'reference', 'math',
             'gpu_api', 'chunk_summary_spec', 'spec'},
    'measure': {'gate', 'candidate', 'peer', 'golden', 'reference', 'oracle', 'chunk_summary', 'chunk_summary_spec', 'math',
                'gpu_api', 'spec'},
    'measure_report': {'measure', 'report', 'picture', 'spec'},
    'judge': {'gate', 'report', 'run', 'diagnose', 'compare', 'candidate', 'golden', 'reference', 'math', 'spec'},
    'cli': set(BOXES.values()) - {'oracle', 'chunk_summary_oracle', 'tests'},
    'tests': set(BOXES.values()),
}

# Libraries from outside: header -> boxes that may use it, besides tests.
EXTERNAL = {
    r'Eigen/': {'reference', 'chunk_summary', 'diagnose'},
    r'quadmath\.h': {'gpu_host', 'numbers', 'oracle', 'math', 'reference', 'sparse', 'sampled',
                       'chunk_summary_oracle', 'run'},
    r'boost/context/': {'gpu_machine'},
    r'(mpfr\.h|qd/|boost/(?!context/))': {'numbers'},
    r'hdf5|H5': {'golden'},
    r'zlib\.h': {'golden'},
    r'archive(_entry)?\.h': {'candidate'},
    r'nlohmann/': {'candidate', 'gate', 'report', 'measure_report', 'matrix'},
    r'toml\+\+/': {'measure'},
    r'CLI/': {'cli'},
    r'catch2/': set(),
    r'(cuda|cooperative_groups|cublas|cutlass|cute/)': {'gpu_machine', 'gpu_cuda'},
}

OPENMP_HOME = 'reference/math/parallel.cpp'
MAX_LINES = 400
HEADERS = {'.hpp', '.h', '.cuh'}   # self-sufficient; text to be pasted by #include is named .inc
SOURCES = HEADERS | {'.cpp', '.cu', '.inc'}
COUNTED = SOURCES | {'.py', '.sh', '.cmake'}
TOP_FOLDERS = ['reference', 'gpu', 'golden', 'verify', 'tests']

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
DIRECTIVE = re.compile(r'\s*#')
CUDA_MACRO = re.compile(r'\b__CUDA(CC|_ARCH)__\b')
SPLIT_NAME = re.compile(r'\s*TEST_CASE\("[^"]*;')
OPENMP = re.compile(r'\s*#\s*pragma\s+omp\b|.*\b_OPENMP\b')


def box_of(path):
    """The box of a path relative to the root, None if it has none."""
    prefixes = [prefix for prefix in BOXES if path.startswith(prefix)]
    return BOXES[max(prefixes, key=len)] if prefixes else None


def check_quoted_include(root, box, target):
    if not (root / target).is_file():
        return f'"{target}" is not a file of the source tree; includes are rooted at its top'
    target_box = box_of(target)
    if target_box == box or target_box in ARROWS[box] or target in ARROWS[box]:
        return None
    return f'{box} may not include {target_box} ("{target}")'


def check_system_include(path, box, target):
    if target == 'omp.h' and path != OPENMP_HOME and box != 'tests':
        return f'OpenMP belongs to {OPENMP_HOME} alone (<omp.h>)'
    for pattern, allowed in EXTERNAL.items():
        if re.match(pattern, target) and box not in allowed | {'tests'}:
            return f'{box} may not use <{target}>'
    return None


def check_line(root, path, box, line):
    """What is wrong with one line of C++, None if nothing is."""
    include = INCLUDE.match(line)
    if include:
        quote, target = include.groups()
        return check_quoted_include(root, box, target) if quote == '"' else check_system_include(path, box, target)
    if not path.startswith('gpu/') and DIRECTIVE.match(line) and CUDA_MACRO.search(line):
        return 'code outside gpu/ may not depend on the CUDA compiler'
    if path != OPENMP_HOME and OPENMP.match(line):
        return f'OpenMP belongs to {OPENMP_HOME} alone'
    if SPLIT_NAME.match(line):
        return 'ctest splits the name of a test at a semicolon, and then runs neither half'
    return None


def check_header(text):
    if not text.lstrip().startswith(('//', '/*')):
        yield 1, 'a header opens with a comment that says what it is for'
    if not re.search(r'^#pragma once$', text, re.MULTILINE):
        yield 1, 'a header needs #pragma once'


def check_file(root, path):
    """Yields (line, message) for one file, given relative to the root."""
    text = (root / path).read_text(encoding='utf-8')
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield len(lines), f'{len(lines)} lines, at most {MAX_LINES} are allowed'
    suffix = pathlib.PurePath(path).suffix
    if suffix not in SOURCES:
        return
    box = box_of(path)
    if box is None:
        yield 1, 'belongs to no box'
        return
    if suffix in HEADERS:
        yield from check_header(text)
    for number, line in enumerate(lines, 1):
        message = check_line(root, path, box, line)
        if message:
            yield number, message


def files_to_check(root):
    for folder in TOP_FOLDERS:
        for file in sorted((root / folder).rglob('*')):
            if file.is_file() and (file.suffix in COUNTED or file.name == 'CMakeLists.txt'):
                yield file.relative_to(root).as_posix()


def check_tree(root):
    """(number of files, list of 'file:line: message')."""
    paths = list(files_to_check(root))
    return len(paths), [f'{path}:{line}: {message}' for path in paths for line, message in check_file(root, path)]


def main(arguments):
    if len(arguments) != 2:
        print('usage: check_includes.py ROOT', file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[1])
    missing = [folder for folder in TOP_FOLDERS if not (root / folder).is_dir()]
    if missing:
        print(f'{root} is not the source tree: it has no folder {missing[0]}', file=sys.stderr)
        return 2
    count, violations = check_tree(root)
    for violation in violations:
        print(violation)
    print(f'{count} files, {len(violations)} violations')
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
