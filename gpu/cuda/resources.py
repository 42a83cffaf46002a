#!/usr/bin/env python3
"""Registers, spills and shared memory of the compiled kernels, from what ptxas said (compile.sh keeps it).

    resources.py [--table FILE] LOG...      prints a table, and writes it to FILE; judges nothing
    resources.py --check LOG...             prints it and exits 1 where a kernel spills, uses local memory or is missing

Exits 2 where a log cannot be read. Shared memory is what the kernel declares itself; forward kernels get theirs at launch
(gpu/api/tile_config.hpp).
"""
import dataclasses
import re
import sys

ALL = ('sm_80', 'sm_90a')
# Every kernel that must be in the library -> the architectures with machine code of their own. PTX for later GPUs is
# compiled by their driver, which says nothing here.
EXPECTED = {
    **{f'dca_forward_{dtype}_d{dim}_{tile}': ALL
       for dtype in ('bf16', 'f16') for dim in (64, 128) for tile in ('wide', 'narrow')},
    **{f'dca_forward_f64_d{dim}': ('sm_90a',) for dim in (64, 128)},
    **{f'dca_rotate_{dtype}': ALL for dtype in ('bf16', 'f16', 'f64')},
    **{f'dca_merge_{dtype}': ALL for dtype in ('bf16', 'f16', 'f32', 'f64')},
}

ENTRY = re.compile(r"ptxas info\s*: Compiling entry function '([^']+)' for '([^']+)'")
FRAME = re.compile(r'(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads')
USED = re.compile(r'ptxas info\s*: Used (\d+) registers')
SHARED = re.compile(r'(\d+) bytes smem')


@dataclasses.dataclass
class Kernel:
    """What ptxas said of one kernel for one architecture; None where it said nothing."""
    name: str
    arch: str
    registers: int = None
    spill_stores: int = None
    spill_loads: int = None
    shared: int = 0
    stack: int = None


def parse(text):
    """The kernels of a log, in its order."""
    kernels = []
    for line in text.splitlines():
        entry, frame, used = ENTRY.search(line), FRAME.search(line), USED.search(line)
        if entry:
            kernels.append(Kernel(*entry.groups()))
        elif frame and kernels:  # of the kernel, or of a function it calls: all of them count
            stack, stores, loads = map(int, frame.groups())
            kernels[-1].stack = (kernels[-1].stack or 0) + stack
            kernels[-1].spill_stores = (kernels[-1].spill_stores or 0) + stores
            kernels[-1].spill_loads = (kernels[-1].spill_loads or 0) + loads
        elif used and kernels and kernels[-1].registers is None:
            kernels[-1].registers = int(used.group(1))
            shared = SHARED.search(line)
            kernels[-1].shared = int(shared.group(1)) if shared else 0
    return kernels


def faults(kernels, expected):
    """One line for each thing that is wrong."""
    found = {(kernel.name, kernel.arch) for kernel in kernels}
    wanted = {(name, arch) for name, archs in expected.items() for arch in archs}
    for name, arch in sorted(wanted - found):
        yield f'{name} was not compiled for {arch}'
    for name, arch in sorted(found - wanted):
        yield f'{name} for {arch} is in no list: name it in EXPECTED'
    for kernel in kernels:
        what = f'{kernel.name} for {kernel.arch}'
        if None in (kernel.registers, kernel.spill_stores, kernel.spill_loads, kernel.stack):
            yield f'{what}: ptxas did not say what it uses'
        elif kernel.spill_stores or kernel.spill_loads:
            yield f'{what} spills: {kernel.spill_stores} bytes of stores, {kernel.spill_loads} of loads'
        elif kernel.stack:
            yield f'{what} keeps {kernel.stack} bytes of local memory'


def table(kernels):
    columns = ('kernel', 'arch', 'registers', 'spill stores', 'spill loads', 'shared', 'stack')
    rows = [columns] + [tuple(str('?' if value is None else value) for value in dataclasses.astuple(kernel))
                        for kernel in sorted(kernels, key=lambda kernel: (kernel.name, kernel.arch))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    return '\n'.join('  '.join(cell.ljust(width) if i < 2 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def main(arguments):
    check = arguments[:1] == ['--check']
    output = arguments[1] if arguments[:1] == ['--table'] and len(arguments) > 1 else None
    logs = arguments[1 if check else 2 if output else 0:]
    if not logs or logs[0].startswith('-'):
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        return 2
    kernels = []
    for log in logs:
        try:
            with open(log, encoding='utf-8') as file:
                kernels += parse(file.read())
        except OSError as error:
            print(f'{log}: {error.strerror}', file=sys.stderr)
            return 2
    text = table(kernels)
    print(text)
    if output:
        with open(output, 'w', encoding='utf-8') as file:
            file.write(text + '\n')
    if not check:
        return 0
    wrong = list(faults(kernels, EXPECTED))
    print('\n'.join(wrong) if wrong else f'{len(kernels)} kernels, none spills')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
