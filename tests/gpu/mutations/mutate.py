#!/usr/bin/env python3
"""Wrong kernels made from the right ones: named textual edits of gpu/kernels and gpu/tile, each of which a test must notice.

    mutate.py SOURCE BUILD TEST...                 # every edit; TEST: a built test executable of the kernels
    mutate.py SOURCE BUILD TEST... --only NAME...
    mutate.py SOURCE BUILD TEST... --sample NAME...  # only these, unless DCA_LONG_TESTS is set
    mutate.py SOURCE --check                       # only whether every edit still applies; builds nothing

An edit of edits/*.txt names a file, says what would go wrong, and gives the text to replace, which must be there exactly
once (blanks count as equal): an edit whose text is gone or ambiguous is an error, so the list cannot rot. The edited file
goes into a folder of its own that is searched for includes before the source tree; what includes it is compiled again
and linked with everything else as it was built. The source tree and the build are not touched. The unedited kernels
must pass first.

Exit status: 0 every mutant was noticed; 1 one survived; 2 an edit does not apply or compile, or the tests fail anyway.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

Edit = namedtuple("Edit", "name file why old new")
Unit = namedtuple("Unit", "source object directory command")

BROKEN, SURVIVED = 2, 1
HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class Broken(Exception):
    """One line that says what is wrong with the list, the build or the tests."""


def parse(text):
    """The edits of a list. Blocks are separated by empty lines: `name file`, `# why`, lines `- old` and `+ new`."""
    edits = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if not line.startswith("##")]
        if not any(line.strip() for line in lines):
            continue
        head = re.fullmatch(r"([a-z0-9_]+) (gpu/\S+)", lines[0])
        if not head or len(lines) < 3 or not lines[1].startswith("# "):
            raise Broken(f"not an edit: {lines[0]}")
        old = [line[2:] for line in lines[2:] if line.startswith("- ")]
        new = [line[2:] for line in lines[2:] if line.startswith("+ ")]
        if not old or len(old) + len(new) != len(lines) - 2:
            raise Broken(f"{head[1]}: every line after the second begins with '- ' or '+ ', and at least one with '- '")
        edits.append(Edit(head[1], head[2], lines[1][2:], "\n".join(old), "\n".join(new)))
    return edits


def apply(edit, text):
    """The text with the edit made."""
    pattern = r"\s*".join(re.escape(token) for token in re.findall(r"\w+|[^\w\s]", edit.old))
    # Names end where they end: `row` is not found in `rows`, nor `first_row` in `my_first_row`.
    pattern = (r"(?<!\w)" if re.match(r"\w", edit.old.strip()) else "") + pattern
    pattern += r"(?!\w)" if re.search(r"\w$", edit.old.strip()) else ""
    found = list(re.finditer(pattern, text))
    if len(found) != 1:
        raise Broken(f"{edit.name}: its text occurs {len(found)} times in {edit.file}, not once")
    changed = text[:found[0].start()] + edit.new + text[found[0].end():]
    if re.sub(r"\s+", "", changed) == re.sub(r"\s+", "", text):
        raise Broken(f"{edit.name}: changes nothing")
    return changed


class Tree:
    def __init__(self, source):
        self.source, self.closures = pathlib.Path(source).resolve(), {}

    def text(self, file):
        path = self.source / file
        if not path.is_file():
            raise Broken(f"there is no {file}")
        return path.read_text(encoding="utf-8")

    def includes(self, file):
        """The files of the tree that a file reads, itself among them."""
        if file not in self.closures:
            self.closures[file] = {file}
            for name in INCLUDE.findall(self.text(file)):
                if (self.source / name).is_file():
                    self.closures[file] |= self.includes(name)
        return self.closures[file]


class Build:
    """What a build folder knows: how every file was compiled, how every test was linked. Ninja or Makefiles."""

    def __init__(self, tree, folder):
        self.tree, self.folder, self.units = tree, pathlib.Path(folder).resolve(), {}
        for entry in json.loads((self.folder / "compile_commands.json").read_text(encoding="utf-8")):
            source = pathlib.Path(entry["file"])
            if tree.source not in source.parents or "/headers/" in entry["file"]:
                continue
            command = shlex.split(entry["command"])
            made = os.path.normpath(os.path.join(entry["directory"], command[command.index("-o") + 1]))
            self.units[made] = Unit(str(source.relative_to(tree.source)), made, entry["directory"], command)

    def link(self, test):
        """Folder and words of the command that links a test."""
        test = pathlib.Path(test).resolve()
        recorded = test.parent / "CMakeFiles" / (test.name + ".dir") / "link.txt"
        if recorded.is_file():
            return test.parent, shlex.split(recorded.read_text(encoding="utf-8"))
        done = subprocess.run(["ninja", "-C", str(self.folder), "-t", "commands", str(test.relative_to(self.folder))],
                              stdout=subprocess.PIPE, universal_newlines=True, check=True)
        last = done.stdout.strip().splitlines()[-1]
        return self.folder, shlex.split(last.split(" && ")[1])

    def units_of(self, folder, link):
        """Everything compiled that a link command reads, in libraries of this build too."""
        objects = []
        for word in link:
            path = os.path.normpath(os.path.join(folder, word))
            if path in self.units:
                objects.append(path)
            elif word.endswith(".a"):
                inside = f"/{pathlib.Path(word).stem[3:]}.dir/"
                objects += [made for made in self.units if inside in made and made.startswith(os.path.dirname(path))]
        return [self.units[made] for made in objects]

    def reads(self, test, file):
        """What is compiled into a test and reads a file."""
        return [unit for unit in self.units_of(*self.link(test)) if file in self.tree.includes(unit.source)]

    def linked_with(self, test, file, overlay):
        """Compiles again what reads a file, with the overlay's text of it, and links the test. None if nothing does."""
        folder, link = self.link(test)
        affected = self.reads(test, file)
        if not affected:
            return None
        made = {}
        for number, unit in enumerate(affected):
            made[unit.object] = str(overlay / f"{number}.o")
            command = list(unit.command)
            command[command.index("-o") + 1] = made[unit.object]
            run_or_fail([command[0], f"-I{overlay}", *command[1:], "-O1", "-w"], unit.directory)  # -O1: half the time
        words = [made.pop(os.path.normpath(os.path.join(folder, word)), word) for word in link]
        program = overlay / pathlib.Path(test).name
        at = words.index("-o")
        words[at + 1] = str(program)
        words[at + 2:at + 2] = made.values()  # of libraries: found before the member of the archive is
        run_or_fail(words, folder)
        for stale in overlay.glob("*.o"):
            stale.unlink()
        return program


def run_or_fail(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          errors="replace")
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "error" in line] or done.stdout.splitlines()[-1:] or ["?"]
        raise Broken(f"does not build: {errors[0]}")


def noticed(program, limit):
    """What a Catch2 program says is wrong; empty where everything passed."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.xml")
        try:
            done = subprocess.run([str(program), "--abort", "--reporter", "junit", "--out", str(report)], cwd=folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"did not end within {limit:.0f} s"
        if done.returncode == 0:
            return ""
        try:
            for case in ElementTree.parse(report).iter("testcase"):
                for wrong in list(case.findall("error")) + list(case.findall("failure")):
                    words = " ".join((wrong.text or "").split()) or wrong.get("message", "")
                    fault = re.search(r"kernel [^:]+: \S+:\d+: .*?(?= at test_|$)", words)
                    return f"{case.get('name')}: {(fault[0] if fault else words)[:230]}"
        except (OSError, ElementTree.ParseError):
            pass
        return f"ended with status {done.returncode}"


def survives(build, tests, edit, text, limits):
    """(test, what it says) of the first test that notices; None where none does."""
    read_by_any = False
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            overlay = pathlib.Path(folder)
            path = overlay / edit.file
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            program = build.linked_with(test, edit.file, overlay)
            if program is None:
                continue
            read_by_any = True
            words = noticed(program, limits[test])
            if words:
                return pathlib.Path(test).name, words
    if not read_by_any:
        raise Broken(f"no test reads {edit.file}")
    return None


def base_line(tests):
    """Seconds that each test may take with an edit: ten times what it takes without, which must pass."""
    limits = {}
    for test in tests:
        began = time.monotonic()
        words = noticed(test, 600)
        if words:
            raise Broken(f"{pathlib.Path(test).name} fails without any edit: {words}")
        limits[test] = max(60.0, 10 * (time.monotonic() - began))
    return limits


def run(options):
    tree = Tree(options.source)
    edits = [edit for file in options.edits for edit in parse(pathlib.Path(file).read_text(encoding="utf-8"))]
    twice = sorted({edit.name for edit in edits if [other.name for other in edits].count(edit.name) > 1})
    if twice:
        raise Broken(f"named twice: {', '.join(twice)}")
    if options.sample and "DCA_LONG_TESTS" not in os.environ:
        options.only = options.sample
    unknown = set(options.only or []) - {edit.name for edit in edits}
    if unknown:
        raise Broken(f"no edit {', '.join(sorted(unknown))}")
    texts, wrong = {}, []
    for edit in edits:
        try:
            texts[edit.name] = apply(edit, tree.text(edit.file))
        except Broken as error:
            wrong.append(str(error))
    if wrong:
        raise Broken("\n".join(wrong))
    print(f"{len(edits)} edits, each found once")
    if options.check:
        return 0
    options.tests = [str(pathlib.Path(test).resolve()) for test in options.tests]
    if not options.tests:
        raise Broken("name the built tests, or --check")
    build, status = Build(tree, options.build), 0
    edits = [edit for edit in edits if not options.only or edit.name in options.only]
    tests = [test for test in options.tests if any(build.reads(test, edit.file) for edit in edits)]
    limits = base_line(tests)
    for edit in edits:
        began = time.monotonic()
        try:
            verdict = survives(build, tests, edit, texts[edit.name], limits)
        except Broken as error:
            print(f"BROKEN    {edit.name}: {error}", flush=True)
            status = BROKEN
            continue
        took = time.monotonic() - began
        if verdict is None:
            print(f"SURVIVED  {edit.name} ({took:.0f} s): {edit.why}", flush=True)
            status = status or SURVIVED
        else:
            print(f"noticed   {edit.name} ({took:.0f} s) by {verdict[0]}: {verdict[1]}", flush=True)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("build", nargs="?")
    parser.add_argument("tests", nargs="*")
    parser.add_argument("--edits", nargs="+", default=sorted((HERE / "edits").glob("*.txt")), metavar="FILE")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--sample", nargs="+", metavar="NAME")
    parser.add_argument("--check", action="store_true")
    try:
        return run(parser.parse_args())
    except (Broken, OSError) as error:
        print(f"mutate.py: {error}", file=sys.stderr)
        return BROKEN


if __name__ == "__main__":
    sys.exit(main())
