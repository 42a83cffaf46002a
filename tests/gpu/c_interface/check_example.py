#!/usr/bin/env python3
"""The example of docs/gpu_library.md uses names that gpu/bench/dca_gpu.py has, as it takes them.

    check_example.py ROOT
"""
import ast
import inspect
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root / 'gpu/bench'))
import dca_gpu  # noqa: E402

text = (root / 'docs/gpu_library.md').read_text(encoding='utf-8')
examples = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
assert len(examples) == 1, f'{len(examples)} examples'
calls = 0
for node in ast.walk(ast.parse(examples[0])):
    if isinstance(node, ast.Attribute) and getattr(node.value, 'id', None) == 'dca_gpu':
        assert hasattr(dca_gpu, node.attr), node.attr
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        names = {keyword.arg: keyword.value for keyword in node.keywords}
        owner = {'library': dca_gpu.Library, 'plan': dca_gpu.Plan}.get(getattr(node.func.value, 'id', None))
        if owner:
            inspect.signature(getattr(owner, node.func.attr)).bind(None, *node.args, **names)
            calls += 1
        if node.func.attr == 'plan':
            dca_gpu.make_problem(**{name: 1 for name in names})
print(f'{calls} calls of the example fit')
sys.exit(0 if calls >= 4 else 1)
