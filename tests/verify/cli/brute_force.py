#!/usr/bin/env python3
"""Checks `dca run` against the independent float64 program in definition.py on random cases of every feature.

    brute_force.py PROGRAM [--cases N] [--seed 1] [--keep FOLDER]

Every tensor must agree to 1e-11 in relative L2 norm. Exit status 0 if all do, 1 if one does not. Needs numpy and h5py.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from definition import expected
from random_cases import FEATURES, random_case

TOLERANCE = 1e-11
# A gradient that cancels to this fraction of its terms is zero as far as double precision can tell (for example one key
# per row); then both programs must find it zero to this fraction.
ZERO = 1e-12


def write(path, cases):
    with h5py.File(path, "w") as file:
        file.attrs.update({"schema": "dca", "schema_version": 1, "producer": "brute_force.py"})
        for name, case in cases.items():
            group = file.create_group(name)
            group.attrs.update(case["attributes"])
            for key, value in case["inputs"].items():
                group.create_dataset("inputs/" + key, data=value)


def deviation(got, want, terms):
    """Relative L2 distance; 0 where both are zero to rounding, infinite where the non-finite patterns differ."""
    finite = np.isfinite(want)
    if got.shape != want.shape or not np.array_equal(got[~finite], want[~finite]) or not np.isfinite(got[finite]).all():
        return np.inf
    got, want = got[finite], want[finite]
    floor = ZERO * np.linalg.norm(terms) if terms is not None else 0.0
    if np.linalg.norm(want) <= floor:
        return 0.0 if np.linalg.norm(got) <= floor else np.inf
    return float(np.linalg.norm(got - want) / np.linalg.norm(want)) if want.size and want.any() else float(np.any(got))


def check(path, cases):
    """Worst deviation per feature and tensor; prints every case that fails."""
    worst, failures = {}, 0
    with h5py.File(path) as file:
        for name, case in cases.items():
            want, terms = expected(case)
            outputs = file[name]["outputs"]
            if set(outputs) != set(want):
                print(f"{name} ({case['feature']}): has {sorted(outputs)}, expected {sorted(want)}")
                failures += 1
                continue
            for tensor, value in want.items():
                error = deviation(outputs[tensor][...], value, terms.get(tensor))
                row = worst.setdefault(case["feature"], {})
                row[tensor] = max(row.get(tensor, 0.0), error)
                if not error <= TOLERANCE:
                    print(f"{name} ({case['feature']}): {tensor} differs by {error:.2e}: {case['attributes']}")
                    failures += 1
    return worst, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the dca program")
    parser.add_argument("--cases", type=int, default=2 * len(FEATURES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave inputs.h5 and golden.h5 in this folder")
    options = parser.parse_args()

    print(f"seed {options.seed}, {options.cases} cases")
    names = list(FEATURES)
    cases = {}
    for number in range(options.cases):
        feature = names[number % len(names)]
        case = random_case(feature, np.random.default_rng([options.seed, number]))
        cases[f"case_{number:04d}"] = {**case, "feature": feature}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "inputs.h5", cases)
        subprocess.run([options.program, "run", folder / "inputs.h5", "-o", folder / "golden.h5"], check=True)
        worst, failures = check(folder / "golden.h5", cases)

    tensors = ("out", "lse", "dq", "dk", "dv")
    print(f"{'worst relative L2':24}" + "".join(f"{t:>10}" for t in tensors))
    for feature, row in worst.items():
        print(f"{feature:24}" + "".join(f"{row[t]:10.1e}" if t in row else f"{'-':>10}" for t in tensors))
    print(f"{failures} failures" if failures else f"all within {TOLERANCE:g}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
