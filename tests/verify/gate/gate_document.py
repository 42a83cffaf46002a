#!/usr/bin/env python3
"""Does what docs/gate.md says: runs its kernel, its command and its waivers, and holds its options against the program.

    gate_document.py PROGRAM SOURCE_FOLDER
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def main():
    program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    text = (source / "docs" / "gate.md").read_text()
    blocks = {}
    for kind, block in BLOCK.findall(text):
        blocks.setdefault(kind, []).append(block)
    problems = []

    def check(condition, what):
        if not condition:
            problems.append(what)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "bin").mkdir()
        (folder / "bin" / "dca").symlink_to(program)
        (folder / "bin" / "python3").symlink_to(sys.executable)
        (folder / "kernel.py").write_text(blocks["python"][0])
        (folder / "wrong.py").write_text(blocks["python"][0].replace("i % L + L, C)", "i % L + L, C - 1)"))
        (folder / "waivers.json").write_text(blocks["json"][0])
        environment = dict(os.environ, PATH=f"{folder / 'bin'}:{os.environ['PATH']}")

        def shell(command):
            done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return done.returncode, done.stdout

        command = blocks["sh"][0].strip()
        status, printed = shell(command)
        check(status == 0 and "PASSED: 12 of 12 cases passed" in printed, f"{command}\n{printed}")
        # the same kernel with the clamp of the paper, one process for each case
        one = "dca gate --suite smoke --case ragged --case packed --command 'python3 wrong.py {input} {output}'"
        status, printed = shell(one)
        check(status == 1 and "failed ragged" in printed, f"{one}\n{printed}")
        check("skipped packed (f64): the program says so" in printed, f"77 is not a skip\n{printed}")
        status, printed = shell("dca gate --suite smoke --candidate peer --waivers waivers.json --today 2027-01-31")
        check(status == 0, f"waivers\n{printed}")
        fields = set(json.loads(blocks["json"][0])["waivers"][0]) | {"verdict"}
        check(fields == set(re.findall(r"^\| `(\w+)` \| (?:required|any|`)", text, re.MULTILINE)), f"fields {fields}")

        told = set(re.findall(r"--[a-z][a-z-]+", text))
        options = set(re.findall(r"--[a-z][a-z-]+", shell("dca gate --help")[1])) - {"--help", "--verbose"}
        check(options <= told, f"docs/gate.md does not tell of {sorted(options - told)}")
        check(told - options <= {"--inputs-only"}, f"docs/gate.md tells of {sorted(told - options)}, which are not there")

    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
