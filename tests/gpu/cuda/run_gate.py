#!/usr/bin/env python3
"""The gate on the CUDA kernels; exits 77, which ctest calls skipped, where no device answers.

    run_gate.py PROGRAM SUITE
"""
import re
import subprocess
import sys

program, suite = sys.argv[1:]
listed = subprocess.run([program, 'list', 'candidates'], capture_output=True, text=True, check=True).stdout
absent = re.search(r'^cuda: .*\(not here: (.*)\)$', listed, re.MULTILINE)
command = [program, 'gate', '--candidate', 'cuda', '--suite', suite, '--supported-only', '--tensor', 'out', '--tensor', 'lse']
done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
print(done.stdout, end='')
if absent:
    # Nothing was judged: the gate must say so in one line, and must not pass.
    if done.returncode != 2 or done.stdout != f'dca: candidate cuda: {absent.group(1)}\n':
        sys.exit(f'without a device the gate ended with status {done.returncode}')
    sys.exit(77)
sys.exit(done.returncode)
