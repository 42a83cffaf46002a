"""gpu/bench/on_a_gpu.sh and bundle.sh without a GPU: programs that only pretend stand for the card and its tools.

    test_protocol.py DCA [--no-bundle]
"""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[3] / "gpu/bench"
DCA = sys.argv[1]
STEPS = ["card", "gate_smoke", "gate_ci", "memcheck", "racecheck", "check", "peers"]

SMI = 'case "$*" in *query-gpu*) echo "Test Card, 580.1" ;; esac\n'
GATE = """case "$1 $2" in
"list candidates") echo 'cuda: this project'"'"'s kernels on a GPU' ;;
gate*) echo "ran $*"; echo 'PASSED: 3 of 3 cases passed'; exit ${GATE_STATUS:-0} ;;
esac
"""
SANITIZER = """tool=$2
while [ "$1" != "$FAKES/dca" ]; do shift; done
"$@" || exit
if [ $tool = memcheck ]; then echo '========= ERROR SUMMARY: 0 errors'; else
    echo '========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)'; fi
"""
PYTHON = """[ "$1" != -c ] || exit 0
echo "ran $*"
while [ $# -gt 0 ]; do [ "$1" != --markdown ] || echo '| a table |' >"$2"; shift; done
exit ${PEERS_STATUS:-0}
"""


class Protocol(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.fakes = self.folder / "fakes"
        self.fakes.mkdir()
        for name, script in (("nvidia-smi", SMI), ("dca", GATE), ("compute-sanitizer", SANITIZER), ("python3", PYTHON)):
            self.fake(name, script)
        (self.folder / "libdca_gpu.so").touch()
        (self.folder / "inputs").mkdir()
        (self.folder / "inputs/peers.npz").touch()

    def fake(self, name, script):
        path = self.fakes / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def run_protocol(self, *options, **environment):
        """Exit status and {step: (verdict, words)}."""
        self.results = self.folder / "results"
        command = ["sh", str(BENCH / "on_a_gpu.sh"), "--results", str(self.results), "--dca", str(self.fakes / "dca"),
                   "--library", str(self.folder / "libdca_gpu.so"), "--inputs", str(self.folder / "inputs"), *options]
        path = f"{self.fakes}:{os.environ['PATH']}"
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                              cwd=str(self.folder), env=dict(os.environ, PATH=path, FAKES=str(self.fakes), **environment))
        steps = {}
        if (self.results / "steps.tsv").exists():
            for line in (self.results / "steps.tsv").read_text().splitlines():
                name, verdict, words = line.split("\t")
                steps[name] = verdict, words
        self.output = done.stdout
        return done.returncode, steps

    def verdicts(self, steps):
        return {name: verdict for name, (verdict, _) in steps.items()}

    def test_all_pass(self):
        status, steps = self.run_protocol("--", "--n", "8192")
        self.assertEqual((status, self.verdicts(steps)), (0, dict.fromkeys(STEPS, "PASS")), self.output)
        self.assertEqual(list(steps), STEPS)
        section, summary = ((self.results / name).read_text() for name in ("section.md", "summary.txt"))
        for word in ("Test Card, 580.1", "| a table |", "| racecheck | PASS |"):
            self.assertIn(word, section)
        self.assertRegex(summary, r"(?m)^date    2\d\d\d-\d\d-\d\d .* UTC$")
        self.assertRegex(summary, r"(?m)^commit  \S+$")
        log = (self.results / "logs/gate_ci.log").read_text()
        self.assertIn("ran gate --suite ci --candidate cuda --tensor out --tensor lse", log)
        self.assertIn("--n 8192", (self.results / "logs/peers.log").read_text())
        self.assertIn("0 hazards", steps["racecheck"][1])

    def test_a_failing_step_stops_no_other(self):
        status, steps = self.run_protocol(GATE_STATUS="1")
        self.assertEqual(status, 1)
        wanted = dict.fromkeys(STEPS, "PASS")
        wanted.update(dict.fromkeys(("gate_smoke", "gate_ci", "memcheck", "racecheck"), "FAIL"))
        self.assertEqual(self.verdicts(steps), wanted)
        self.assertIn("status 1", steps["gate_smoke"][1])
        self.assertIn("| gate_smoke | FAIL |", (self.results / "section.md").read_text())

    def test_a_gate_that_was_not_verified_fails(self):
        status, steps = self.run_protocol(GATE_STATUS="3")
        self.assertEqual((status, steps["gate_smoke"][0]), (1, "FAIL"))

    def test_a_sanitizer_that_saw_nothing_fails(self):
        self.fake("compute-sanitizer", "echo 'Error: Target application terminated before first instrumented API call'\n")
        status, steps = self.run_protocol()
        self.assertEqual((status, steps["memcheck"][0], steps["racecheck"][0]), (1, "FAIL", "FAIL"))
        self.assertIn("does not say", steps["memcheck"][1])

    def test_hazards_fail(self):
        self.fake("compute-sanitizer", "echo '========= RACECHECK SUMMARY: 2 hazards displayed (0 errors, 2 warnings)'\n")
        self.assertEqual(self.run_protocol()[1]["racecheck"][0], "FAIL")

    def test_time_limits(self):
        self.fake("dca", GATE.replace("echo \"ran $*\"", "[ $3 != ci ] || sleep 30"))
        status, steps = self.run_protocol("--limit", "gate_ci=1")
        self.assertEqual((status, steps["gate_ci"][0], steps["racecheck"][0]), (1, "FAIL", "PASS"))
        self.assertIn("stopped after 1 s", steps["gate_ci"][1])

    def test_what_is_missing_is_said(self):
        status, steps = self.run_protocol("--sanitizer", str(self.folder / "none"))
        self.assertEqual((status, steps["memcheck"][0], steps["peers"][0]), (3, "NOT RUN", "PASS"))
        self.assertIn("there is no", steps["memcheck"][1])
        self.fake("dca", "echo \"cuda: on a GPU (not here: built without)\"\n")
        status, steps = self.run_protocol()
        self.assertEqual((status, steps["gate_ci"][0]), (3, "NOT RUN"))
        self.assertIn("built without", steps["gate_ci"][1])
        self.fake("nvidia-smi", "echo NVIDIA-SMI has failed; exit 9\n")
        status, steps = self.run_protocol()
        self.assertEqual((status, self.verdicts(steps)), (3, dict.fromkeys(STEPS, "NOT RUN")))

    def test_no_pytorch(self):
        self.fake("python3", '[ "$2" != "import torch" ]\n')
        status, steps = self.run_protocol()
        self.assertEqual((status, steps["gate_ci"][0], steps["check"][0], steps["peers"][0]), (3, "PASS", "NOT RUN", "NOT RUN"))
        self.assertIn("PyTorch", steps["peers"][1])

    def test_only(self):
        status, steps = self.run_protocol("--only", "gate_smoke,peers", "--only", "card")
        ran = {name for name, (verdict, _) in steps.items() if verdict == "PASS"}
        self.assertEqual((status, ran, set(steps)), (3, {"gate_smoke", "peers", "card"}, set(STEPS)))

    def test_dry_run_runs_nothing(self):
        status, steps = self.run_protocol("--dry-run", "--limit", "peers=77")
        self.assertEqual((status, self.verdicts(steps)), (3, dict.fromkeys(STEPS, "NOT RUN")))
        self.assertIn("within 77 s", steps["peers"][1])
        self.assertIn("--candidate cuda", steps["gate_ci"][1])
        self.assertEqual(list((self.results / "logs").iterdir()), [])

    def test_usage(self):
        for options in (("--only", "gate"), ("--limit", "peers"), ("--limit", "x=3"), ("--what",), ("--results",)):
            self.assertEqual(self.run_protocol(*options)[0], 2, options)
        self.assertIn("steps: card", self.output)


class Bundle(unittest.TestCase):
    def test_runs_from_another_folder(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "a lib.so").write_bytes(b"no library")
            subprocess.run(["sh", str(BENCH / "bundle.sh"), str(folder / "b.tar.gz"), "--dca", DCA, "--library",
                            str(folder / "a lib.so")], check=True, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, PYTHON=sys.executable))
            self.assertLess((folder / "b.tar.gz").stat().st_size, 60_000_000)
            with tarfile.open(folder / "b.tar.gz") as archive:
                archive.extractall(folder / "else where")
            tree = folder / "else where/dca_on_a_gpu"
            for more in ({}, {"DCA_OWN_LOADER": "1"}):  # this machine's C library, and the one that came along
                listed = subprocess.run([str(tree / "bin/dca"), "list", "candidates"], cwd="/", universal_newlines=True,
                                        stdout=subprocess.PIPE, check=True, env=dict(more, PATH="/usr/bin:/bin")).stdout
                self.assertIn("\ncuda: ", listed)
                subprocess.run([str(tree / "bin/dca"), "compare", str(tree / "inputs/peers.h5"), str(tree / "inputs/peers.h5"),
                                "--case", "plain_f16_d64"], cwd="/", stdout=subprocess.DEVNULL, check=True, env=more)
            dry = subprocess.run(["sh", str(tree / "on_a_gpu.sh"), "--dry-run", "--results", str(folder / "r")], cwd="/",
                                 stdout=subprocess.PIPE, universal_newlines=True)
            self.assertEqual(dry.returncode, 3)
            self.assertIn(f"{tree}/bin/dca gate --suite ci", dry.stdout)
            self.assertIn(f"--golden {tree}/inputs/peers.h5", dry.stdout)

    def test_refusals(self):
        with tempfile.TemporaryDirectory() as folder:
            archive = folder + "/x.tar.gz"
            for options, reason in (((), "usage"), ((archive, "--dca", DCA, "--library", "/none"), "there is no /none"),
                                    ((archive, "--dca", "/none"), "there is no program /none"), (("--zip",), "no option --zip")):
                done = subprocess.run(["sh", str(BENCH / "bundle.sh"), *options], stderr=subprocess.PIPE,
                                      universal_newlines=True)
                self.assertEqual(done.returncode, 2)
                self.assertIn(reason, done.stderr)


if "--no-bundle" in sys.argv:
    del Bundle

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
