#!/usr/bin/env python3
"""Does what README.md says and checks that the result is what it shows.

    readme.py PROGRAM SOURCE_FOLDER [--rewrite]

Runs, in one empty folder where build/dca and tests/ are those of this build, every block in order: `console` blocks must
print exactly what they show, `sh` blocks must succeed, and the `python` block runs with a kernel that is right. --rewrite
puts what was printed into the README instead of comparing it.
"""

import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np

from definition import attend

BLOCK = re.compile(r"^( *)```(console|sh|python)\n(.*?)^ *```\n", re.MULTILINE | re.DOTALL)


def my_kernel(q, k, v, dout, chunk_size, local_size):
    """The kernel of the README's example: here the brute-force program."""
    attributes = {"chunk_size": int(chunk_size), "local_size": int(local_size)}
    runs = [attend(attributes, *(x[b].astype(float) for x in (q, k, v, dout)), k.shape[1] - q.shape[1], None)[0]
            for b in range(len(q))]
    return {name: np.stack([run[name] for run in runs]).astype(np.float32) for name in runs[0]}


def shell(command, folder):
    done = subprocess.run(["sh", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def transcript(block, folder):
    """The block as it would be printed now."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(command + "\n" + shell(command[2:], folder)[1] for command in commands)


def main():
    program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    rewrite = sys.argv[3:] == ["--rewrite"]
    readme = (source / "README.md").read_text()
    kinds = [match[2] for match in BLOCK.finditer(readme)]
    if not {"console", "sh", "python"} <= set(kinds):
        sys.exit(f"README.md has only these blocks: {kinds}")
    problems = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "build").mkdir()
        (folder / "build" / "dca").symlink_to(program)
        (folder / "tests").symlink_to(source / "tests")

        def run(match):
            nonlocal problems
            text = textwrap.dedent(match[3])
            if match[2] == "console":
                printed = transcript(text, folder)
                if rewrite:
                    return match[0].replace(match[3], printed)
                if printed != text:
                    problems += 1
                    print(f"README.md shows\n{text}\nbut the program prints\n{printed}\n(--rewrite puts this in)")
            elif match[2] == "sh":
                status, output = shell(text, folder)
                if status != 0:
                    problems += 1
                    print(f"{text}ended with status {status}:\n{output}")
            else:
                here = f"import os; os.chdir({temporary!r})\n"
                exec(compile(here + text, "README.md", "exec"), {"my_kernel": my_kernel})  # our own text
            return match[0]

        result = BLOCK.sub(run, readme)
    if rewrite:
        (source / "README.md").write_text(result)
    print(f"{len(kinds)} blocks, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
