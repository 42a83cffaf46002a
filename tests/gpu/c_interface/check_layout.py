#!/usr/bin/env python3
"""Holds gpu/bench/dca_gpu.py against gpu/api/dca_gpu.h: sizes, offsets, constants.

    check_layout.py ROOT C_COMPILER CXX_COMPILER

The header is compiled alone as C11 and as C++ with every warning an error; the C program prints what the header says, which
must be what the loader's ctypes structs say. Exits 1 where they differ.
"""
import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror']
STRUCTS = {'dca_gpu_problem': 'Problem', 'dca_gpu_strides': 'Strides', 'dca_gpu_forward_args': 'ForwardArgs',
           'dca_gpu_merge_args': 'MergeArgs'}


def loader_constant(name):
    """The loader's name of a constant of the header."""
    short = name.removeprefix('DCA_GPU_')
    for prefix in ('ROPE_', 'SCALING_'):
        if short.startswith(prefix) and not short.endswith('_NONE'):
            short = short.removeprefix(prefix)
    return short


def header_fields(header, struct):
    """Names of the fields of a struct, in order, as the text of the header has them."""
    body = re.search(r'typedef struct ' + struct + r' \{(.*?)\}', header, re.DOTALL).group(1)
    body = re.sub(r'/\*.*?\*/', '', body, flags=re.DOTALL)
    names = []
    for declaration in body.split(';'):
        for part in declaration.split(','):
            match = re.search(r'(\w+)\s*(\[\d+\])?\s*$', part)
            if match:
                names.append(match.group(1))
    return names


def expected_lines(header, loader):
    """What the loader believes, as the lines that the C program prints."""
    for name in re.findall(r'\b(DCA_GPU_\w+)(?: =| \d)', header):
        yield f'{name} {getattr(loader, loader_constant(name), "is not in the loader")}'
    for struct, python_name in STRUCTS.items():
        mirror = getattr(loader, python_name)
        yield f'{struct} {ctypes.sizeof(mirror)}'
        for field in header_fields(header, struct):
            descriptor = getattr(mirror, field, None)
            place = f'{descriptor.offset} {descriptor.size}' if descriptor else 'is not in the loader'
            yield f'{struct}.{field} {place}'


def c_program(header):
    lines = ['#include "gpu/api/dca_gpu.h"', '#include <stddef.h>', '#include <stdio.h>', 'int main(void) {']
    for name in re.findall(r'\b(DCA_GPU_\w+)(?: =| \d)', header):
        lines.append(f'    printf("{name} %d\\n", (int){name});')
    for struct in STRUCTS:
        lines.append(f'    printf("{struct} %zu\\n", sizeof({struct}));')
        for field in header_fields(header, struct):
            lines.append(f'    printf("{struct}.{field} %zu %zu\\n", offsetof({struct}, {field}), '
                         f'sizeof((({struct}*)0)->{field}));')
    return '\n'.join(lines + ['    return 0;', '}', ''])


def compile_and_run(root, compiler, standard, text, folder):
    source = pathlib.Path(folder) / ('check.c' if standard.startswith('c1') else 'check.cpp')
    source.write_text(text, encoding='utf-8')
    program = source.with_suffix('.' + standard.replace('+', 'p'))
    subprocess.run([compiler, f'-std={standard}', *WARNINGS, f'-I{root}', str(source), '-o', str(program)], check=True)
    return subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.splitlines()


def main(arguments):
    root, c_compiler, cxx_compiler = pathlib.Path(arguments[1]), arguments[2], arguments[3]
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / 'gpu' / 'bench'))
    import dca_gpu as loader
    header = (root / 'gpu/api/dca_gpu.h').read_text(encoding='utf-8')
    expected = list(expected_lines(header, loader))
    fields = sum(line.split(' ')[0].count('.') for line in expected)
    declared = sum(len(getattr(loader, name)._fields_) for name in STRUCTS.values())
    differences = [] if fields == declared else [f'the header has {fields} fields, the loader {declared}']
    with tempfile.TemporaryDirectory() as folder:
        for compiler, standard in ((c_compiler, 'c11'), (cxx_compiler, 'c++17'), (cxx_compiler, 'c++20')):
            said = compile_and_run(root, compiler, standard, c_program(header), folder)
            differences += [f'{standard}: header "{ours}", loader "{theirs}"'
                            for ours, theirs in zip(said, expected) if ours != theirs]
            if len(said) != len(expected):
                differences.append(f'{standard}: {len(said)} facts, {len(expected)} expected')
    print('\n'.join(differences) if differences else f'{len(expected)} facts agree')
    return 1 if differences or not fields else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
