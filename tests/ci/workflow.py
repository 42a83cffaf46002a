"""The little of GitHub's and GitLab's runners that docs/ci needs: steps in order, expressions, files for outputs."""
import os
import pathlib
import re
import subprocess

EXPRESSION = re.compile(r'\$\{\{\s*([a-z.-]+)\s*\}\}')


def shell(text, environment, folder, options='-e'):
    """(status, output) of a script as a runner starts one."""
    script = pathlib.Path(environment['RUNNER_TEMP']) / 'step.sh'
    script.write_text(text, encoding='utf-8')
    done = subprocess.run(['sh', options, str(script)], env=environment, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False, timeout=120)
    return done.returncode, done.stdout


class Action:
    """A composite action, run in `folder` with `environment` below what a runner sets."""

    def __init__(self, definition, path, folder, temporary, environment):
        self.definition, self.folder = definition, folder
        self.summary, self.output = temporary / 'summary', temporary / 'output'
        self.environment = {
            'PATH': os.environ['PATH'], 'HOME': str(temporary), 'RUNNER_TEMP': str(temporary), 'GITHUB_ACTIONS': 'true',
            'GITHUB_ACTION_PATH': str(path), 'GITHUB_STEP_SUMMARY': str(self.summary), **environment}
        self.values = {}   # of inputs.* and steps.*
        self.used = []     # (uses, with) of the steps that are other actions
        self.log = ''

    def resolve(self, text):
        return EXPRESSION.sub(lambda found: self.values.get(found[1], ''), str(text))

    def wanted(self, step, status):
        condition = step.get('if', 'success()')
        if condition == 'always()':
            return True
        if condition == "inputs.program == ''":
            return status == 0 and self.values['inputs.program'] == ''
        assert condition == 'success()', f'unknown condition {condition}'
        return status == 0

    def run_step(self, step):
        if 'uses' in step:
            with_values = {key: self.resolve(value) for key, value in step['with'].items()}
            self.used.append((step['uses'], with_values))
            return 0
        self.output.write_text('', encoding='utf-8')
        environment = {**self.environment, 'GITHUB_OUTPUT': str(self.output)}
        environment.update({key: self.resolve(value) for key, value in step.get('env', {}).items()})
        status, log = shell(self.resolve(step['run']), environment, self.folder)
        self.log += log
        for line in self.output.read_text(encoding='utf-8').splitlines():
            key, _, value = line.partition('=')
            self.values[f'steps.{step.get("id")}.outputs.{key}'] = value
        return status

    def run(self, **inputs):
        """The status of the job, after every step that is wanted."""
        for name, declared in self.definition['inputs'].items():
            given = inputs.pop(name.replace('-', '_'), None)
            assert given is not None or not declared.get('required'), f'{name} is required'
            self.values[f'inputs.{name}'] = declared.get('default', '') if given is None else given
        assert not inputs, f'there are no inputs {sorted(inputs)}'
        status = 0
        for step in self.definition['runs']['steps']:
            if self.wanted(step, status):
                status = self.run_step(step) or status
        return status

    def outputs(self):
        return {name: self.resolve(output['value']) for name, output in self.definition['outputs'].items()}


def gitlab_environment(job, project, temporary, **changed):
    """The variables of a job, with those they mention put in."""
    values = {'CI_PROJECT_DIR': str(project), **job['variables'], **changed}
    for _ in values:
        values = {key: re.sub(r'\$([A-Z_]+)', lambda found: values.get(found[1], found[0]), value)
                  for key, value in values.items()}
    return {'PATH': os.environ['PATH'], 'HOME': str(temporary), 'RUNNER_TEMP': str(temporary), **values}
