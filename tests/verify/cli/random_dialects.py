#!/usr/bin/env python3
"""Checks `dca run` on random cases of every dialect against the independent numpy program in dialects.py.

    random_dialects.py PROGRAM [--cases N] [--seed 1] [--keep FOLDER]

Every tensor must agree to 1e-11 in relative L2 norm: both programs compute in float64, about 1e-15 apart. Where a dialect
rounds to a short type, a number that close to a tie may round the other way in one of them. A case that differs is forgiven
only if one of its numbers lies within 1e-9 units in the last place of a tie (1e-15 relative is 3e-13 such units in
bfloat16, before cancellation), and only by what a bfloat16 rounding can change, 2^-6. The numpy program can also make every
rounding of the published code (dialect_recordings.py); here it makes those of `dca run`, which docs/dialects.md lists.
Exit status 0 if all agree, 1 if one does not. Needs numpy and h5py.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from brute_force import TOLERANCE, deviation, write
from dialect_cases import FEATURES, random_cases
from dialect_laws import DCA, forget_ties, nearest_tie
from dialects import results

TIE = 1e-9
FLIP = 2.0**-6


def check_case(outputs, case):
    """(deviation by tensor, complaints, was a tie near)."""
    forget_ties()
    want, terms = results(case["attributes"], case["inputs"], places=DCA)
    near = nearest_tie[0] <= TIE
    if set(outputs) != set(want):
        return {}, [f"has {sorted(outputs)}, expected {sorted(want)}"], False
    errors = {t: deviation(outputs[t][...], value, terms.get(t)) for t, value in want.items()}
    limit = FLIP if near else TOLERANCE  # an infinite or NaN deviation exceeds both
    complaints = [f"{t} differs by {e:.2e}, nearest tie {nearest_tie[0]:.1e}" for t, e in errors.items() if not e <= limit]
    return errors, complaints, near and not max(errors.values()) <= TOLERANCE


def check(path, cases):
    worst, failures, flips = {}, 0, 0
    with h5py.File(path) as file:
        for name, case in cases.items():
            a = case["attributes"]
            errors, complaints, flipped = check_case(file[name]["outputs"], case)
            flips += flipped
            failures += bool(complaints)
            for complaint in complaints:
                shown = {k: v for k, v in a.items() if k not in ("dialect", "dtype")}
                print(f"{name} {a['dialect']} {a['dtype']} ({case['feature']}): {complaint}: {shown}")
            row = worst.setdefault((a["dialect"], a["dtype"]), {})
            for tensor, error in errors.items():
                row[tensor] = max(row.get(tensor, 0.0), error)
    return worst, failures, flips


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the dca program")
    parser.add_argument("--cases", type=int, default=max(len(f) for f in FEATURES.values()) * len(FEATURES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave inputs.h5 and golden.h5 in this folder")
    options = parser.parse_args()

    print(f"seed {options.seed}, {options.cases} cases")
    cases = random_cases(options.cases, options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "inputs.h5", cases)
        subprocess.run([options.program, "run", folder / "inputs.h5", "-o", folder / "golden.h5"], check=True)
        worst, failures, flips = check(folder / "golden.h5", cases)

    tensors = ("out", "lse", "dq", "dk", "dv")
    print(f"{'worst relative L2':32}" + "".join(f"{t:>10}" for t in tensors))
    for (dialect, dtype), row in sorted(worst.items()):
        print(f"{dialect + ' ' + dtype:32}" + "".join(f"{row[t]:10.1e}" if t in row else f"{'-':>10}" for t in tensors))
    print(f"{failures} of {len(cases)} cases fail" if failures else f"all {len(cases)} cases within {TOLERANCE:g}",
          f"({flips} near a tie)" if flips else "")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
