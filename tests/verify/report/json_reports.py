#!/usr/bin/env python3
"""A second opinion on docs/report.schema.json: the Python package jsonschema, where it is installed.

    json_reports.py WRITE_PAGES DCA SOURCE_FOLDER

Reports of the tests and one of a recording are validated. The tests of json check the same with a checker of their own
everywhere; exits 77 (skipped) where there is no jsonschema that knows draft 2020-12.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def main():
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        print("skipped: no Python package jsonschema with draft 2020-12; the tests of json have checked the reports")
        return 77
    write_pages, program, source = sys.argv[1:]
    schema = json.loads((Path(source) / "docs/report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    with tempfile.TemporaryDirectory(prefix="dca_json_") as folder:
        subprocess.run([write_pages, folder], check=True)
        recording = f"{source}/tests/recordings/megatron_pr4048.h5"
        subprocess.run([program, "run", recording, "--dialect", "exact", "-o", folder + "/g.h5"], check=True,
                       stdout=subprocess.DEVNULL)
        judged = subprocess.run([program, "compare", folder + "/g.h5", recording, "--json", folder + "/real.json"],
                                stdout=subprocess.DEVNULL)
        assert judged.returncode == 1, judged
        reports = sorted(Path(folder).glob("*.json"))
        assert len(reports) >= 5, reports
        wrong = 0
        for report in reports:
            for error in Draft202012Validator(schema).iter_errors(json.loads(report.read_text(encoding="utf-8"))):
                wrong += 1
                print(f"{report.name}: {error.json_path}: {error.message[:200]}")
    print(f"{len(reports)} reports, {wrong} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
