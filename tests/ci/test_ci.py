#!/usr/bin/env python3
"""Tries docs/ci on this machine: the steps of the GitHub action and of the GitLab job, on a toy kernel repository.

    test_ci.py SOURCE DCA

What needs their servers is not tried: fetching a cache, uploading reports. Exits 77, after saying why, where PyYAML is
missing.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

try:
    import yaml
except ImportError:
    print('skipped: PyYAML (python3-yaml) is not installed')
    sys.exit(77)

import workflow

SOURCE, DCA = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
CI = SOURCE / 'docs/ci'
ACTION = yaml.safe_load((CI / 'action.yml').read_text(encoding='utf-8'))
GITLAB = yaml.safe_load((CI / 'gitlab.yml').read_text(encoding='utf-8'))

# An honest kernel: the peer. A wrong one: the same with an lse in base 2.
GOOD = '#!/bin/sh\nexec "$DCA" peer "$1" -o "$2" >/dev/null\n'
WRONG = GOOD.replace('exec ', '') + '''exec "$PYTHON" - "$2" <<'END'
import sys
import h5py
with h5py.File(sys.argv[1], 'r+') as file:
    for case in file.values():
        lse = case['outputs/lse'][...] * 1.4426950408889634
        del case['outputs/lse']  # with its checksum
        case['outputs/lse'] = lse
END
'''
HANGS = '#!/bin/sh\nexec sleep 60\n'


class Repository(unittest.TestCase):
    """A kernel repository and a runner's folders, new for every test."""

    def setUp(self):
        self.temporary = pathlib.Path(tempfile.mkdtemp(prefix='dca ci '))
        self.addCleanup(shutil.rmtree, self.temporary)
        self.folder = self.temporary / 'repository'
        self.folder.mkdir()
        for name, text in {'good': GOOD, 'wrong': WRONG, 'hangs': HANGS}.items():
            (self.folder / name).write_text(text, encoding='utf-8')
            (self.folder / name).chmod(0o755)

    def action(self, **environment):
        return workflow.Action(ACTION, CI, self.folder, self.temporary, {'DCA': str(DCA), 'PYTHON': sys.executable, **environment})

    def gate(self, **inputs):
        """(action, status) of a run with the program that was built with the tests."""
        action = self.action()
        inputs = {'command': './good {input} {output}', 'program': str(DCA), 'cases': 'gqa_batch ragged', **inputs}
        return action, action.run(**inputs)

    def fake_programs(self, **scripts):
        """PATH with these programs in front, and dpkg-query, which says that every package is there."""
        folder = self.temporary / 'fake'
        folder.mkdir()
        for name, text in {'dpkg_query': 'echo install ok installed', **scripts}.items():
            program = folder / name.replace('_', '-')
            program.write_text('#!/bin/sh\n' + text + '\n', encoding='utf-8')
            program.chmod(0o755)
        return f'{folder}:{os.environ["PATH"]}'


class TheAction(Repository):
    def test_a_right_kernel_passes(self):
        action, status = self.gate()
        self.assertEqual(status, 0, action.log)
        self.assertEqual(action.outputs(), {'status': '0'})
        self.assertIn('2 of 2 cases passed', action.log)
        self.assertIn('passed', action.summary.read_text(encoding='utf-8').lower())
        suite = xml.etree.ElementTree.parse(self.folder / 'dca-reports/dca.xml').getroot()
        self.assertEqual(len(list(suite.iter('testcase'))) >= 2, True)
        for report in ['dca.md', 'dca.json', 'dca.html']:
            self.assertTrue((self.folder / 'dca-reports' / report).is_file(), report)
        self.assertEqual(action.used, [('actions/upload-artifact@v4', {
            'name': 'dca-reports', 'path': 'dca-reports', 'if-no-files-found': 'warn'})])

    def test_a_wrong_kernel_fails_by_name_and_keeps_its_reports(self):
        action, status = self.gate(command='./wrong {input} {output}')
        self.assertEqual(status, 1, action.log)
        self.assertEqual(action.outputs(), {'status': '1'})
        self.assertIn('base 2', action.log)
        self.assertIn('::error ', action.log)
        self.assertIn('base 2', action.summary.read_text(encoding='utf-8'))
        self.assertEqual([name for name, _ in action.used], ['actions/upload-artifact@v4'])

    def test_a_kernel_that_hangs_is_stopped(self):
        action, status = self.gate(command='./hangs {input} {output}', cases='ragged', timeout='1')
        self.assertEqual((status, action.outputs()), (2, {'status': '2'}), action.log)

    def test_nothing_to_judge_is_not_verified(self):
        action, status = self.gate(cases='no_such_case')
        self.assertNotEqual(status, 0, action.log)

    def test_folders_with_blanks(self):
        (self.folder / 'my kernel').write_text(GOOD, encoding='utf-8')
        (self.folder / 'my kernel').chmod(0o755)
        action, status = self.gate(command="'./my kernel' {input} {output}", reports='my reports')
        self.assertEqual(status, 0, action.log)
        self.assertTrue((self.folder / 'my reports/dca.xml').is_file())

    def test_patterns_are_of_cases_and_not_of_files(self):
        (self.folder / 'gqa_file').touch()
        action, status = self.gate(cases='gqa_*')
        self.assertEqual(status, 0, action.log)

    def test_inputs_are_never_program_text(self):
        hostile = ['$(touch PWNED)', '`touch PWNED`', "'; touch PWNED; '", '"; touch PWNED; "', 'x\ntouch PWNED\n',
                   '| touch PWNED', '--help', '-x', '*', '${IFS}', 'a b']
        lists = ['cases', 'tags', 'dtypes', 'tensors']
        for name in [*lists, 'suite', 'supported_only', 'timeout', 'waivers', 'reports']:
            for value in hostile:
                with self.subTest(input=name, value=value):
                    action, status = self.gate(**{name: value})
                    harmless = name == 'reports' or (name == 'cases' and value == '*')
                    self.assertTrue(status != 0 or harmless, action.log)
                    plain = re.fullmatch(r'[\w*]+', value) or name in lists and re.fullmatch(r'[\w\s*]+', value)
                    if not harmless and not plain:
                        self.assertIn('gate.sh: DCA_', action.log, 'it was left to dca to refuse it')
                    self.assertEqual(list(self.temporary.rglob('PWNED')), [])
        for value in hostile:
            with self.subTest(input='command', value=value):
                action, status = self.gate(command=value + ' ./good {input} {output}', cases='ragged')
                self.assertNotEqual(status, 0, action.log)
                self.assertEqual(list(self.temporary.rglob('PWNED')), [])

    def test_a_command_without_places_is_refused(self):
        for command in ['', './good', './good {input}', './good {output}']:
            action, status = self.gate(command=command)
            self.assertEqual(status, 2)
            self.assertIn('DCA_COMMAND', action.log)

    def test_the_program_is_built_once(self):
        # cmake that takes notes, and makes what is asked for by linking to the program that there is.
        cmake = f'''printf '%s\\n' "$*" >>"$RUNNER_TEMP/cmake.log"
case $1 in --install) mkdir -p "$4/bin" && ln -s '{DCA}' "$4/bin/dca" ;; esac'''
        environment = {'PATH': self.fake_programs(cmake=cmake), 'DCA_BUILD': str(self.temporary / 'build')}
        for _ in range(2):
            action = self.action(**environment)
            self.assertEqual(action.run(command='./good {input} {output}', cases='ragged'), 0, action.log)
            name, cache = action.used[0]
            self.assertEqual((name, cache['path']), ('actions/cache@v4', '~/.cache/dca-gate'))
            self.assertRegex(cache['key'], r'^dca-[a-z]+-[0-9.]+-[a-z0-9_]+-[0-9a-f]{64}$')
        calls = (self.temporary / 'cmake.log').read_text(encoding='utf-8').splitlines()
        self.assertEqual(len(calls), 3, calls)
        self.assertIn('-DDCA_TESTS=OFF', calls[0])
        self.assertIn('--target dca', calls[1])
        self.assertIn(f'--prefix {self.temporary}/.cache/dca-gate', calls[2])

    def test_every_input_is_used_and_no_step_pastes_one(self):
        text = (CI / 'action.yml').read_text(encoding='utf-8')
        for name in ACTION['inputs']:
            self.assertIn('inputs.' + name, text.split('runs:')[1], name)
        for step in ACTION['runs']['steps']:
            self.assertNotIn('${{', step.get('run', ''))
            self.assertEqual('shell' in step, 'run' in step)


class TheJob(Repository):
    def run_job(self, **changed):
        """(status, log): its script in one shell, as GitLab runs it. git copies the sources that there are."""
        job = GITLAB['dca-gate']
        program = self.folder / '.dca/program/bin/dca'
        program.parent.mkdir(parents=True)
        program.symlink_to(DCA)
        environment = workflow.gitlab_environment(job, self.folder, self.temporary, DCA=str(DCA),
                                                 PYTHON=sys.executable, **changed)
        git = f'for last; do :; done\nmkdir -p "$(dirname "$last")" && ln -s \'{SOURCE}\' "$last"'
        environment.update(PATH=self.fake_programs(git=git), DCA_BUILD=str(self.temporary / 'build'))
        return workflow.shell('\n'.join(job['script']), environment, self.folder)

    def test_a_right_kernel_passes(self):
        status, log = self.run_job(DCA_COMMAND='./good {input} {output}', DCA_CASES='ragged')
        self.assertEqual(status, 0, log)
        artifacts = GITLAB['dca-gate']['artifacts']
        self.assertEqual(artifacts['when'], 'always')
        xml.etree.ElementTree.parse(self.folder / artifacts['reports']['junit'])
        for path in artifacts['paths']:
            self.assertTrue((self.folder / path).is_dir())

    def test_a_wrong_kernel_fails_and_leaves_its_report(self):
        status, log = self.run_job(DCA_COMMAND='./wrong {input} {output}', DCA_CASES='ragged')
        self.assertEqual(status, 1, log)
        self.assertNotIn('::error', log)
        xml.etree.ElementTree.parse(self.folder / GITLAB['dca-gate']['artifacts']['reports']['junit'])


class TheDocument(unittest.TestCase):
    def test_its_examples_fit_the_files(self):
        text = (SOURCE / 'docs/ci.md').read_text(encoding='utf-8')
        blocks = [yaml.safe_load(block) for block in re.findall(r'```yaml\n(.*?)```', text, re.DOTALL)]
        steps = [step for block in blocks for job in (block.get('jobs') or {}).values() for step in job['steps']]
        uses = [step for step in steps if 'docs/ci@' in step.get('uses', '')]
        self.assertTrue(uses, 'docs/ci.md shows no use of the action')
        for step in uses:
            self.assertLessEqual(set(step['with']), set(ACTION['inputs']))
            self.assertIn('command', step['with'])
        jobs = [block['dca-gate'] for block in blocks if 'dca-gate' in block]
        self.assertTrue(jobs, 'docs/ci.md shows no GitLab job')
        for job in jobs:
            self.assertLessEqual(set(job), set(GITLAB['dca-gate']) | {'before_script', 'needs'})
            script = (CI / 'gate.sh').read_text(encoding='utf-8')
            for variable in job['variables']:
                self.assertTrue(variable in script or variable in GITLAB['dca-gate']['variables'], variable)
        for name in ACTION['inputs']:
            self.assertIn(f'`{name}`', text, 'docs/ci.md does not tell of this input')

    def test_scripts_are_clean(self):
        if not shutil.which('shellcheck'):
            self.skipTest('shellcheck is not installed')
        lines = [step['run'] for step in ACTION['runs']['steps'] if 'run' in step] + GITLAB['dca-gate']['script']
        text = '#!/bin/sh\n' + '\n'.join(lines) + '\n'
        for command, given in [(['-s', 'sh', str(CI / 'gate.sh')], ''), (['-s', 'sh', '-'], text)]:
            done = subprocess.run(['shellcheck', *command], input=given, text=True, stdout=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
