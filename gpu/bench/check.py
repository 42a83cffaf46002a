"""`peers.py --check`: outputs of every contestant on small cases, judged by `dca compare`. What is timed elsewhere is the same
code on larger inputs. A contestant gets the cases whose answer it claims to compute: the plain ones those of one chunk,
PyTorch's plain attention those without rotary besides."""
import ctypes
import os
import subprocess

import cases as case_files
import npz
import recipe
import tables
from contestants import Problem, default_frequencies

MADE_OF = {"<f4": "float32", "<f8": "float64"}


def problem_of(case):
    at, (batch, n, heads, d) = case.attributes, case.tensors["q"].shape
    inv_freq = None
    if at["rope"] != "none":
        given = case.tensors.get("inv_freq")
        inv_freq = list(memoryview(given.data).cast("d")) if given else default_frequencies(d, at["rope_base"])
    return Problem(batch, n, heads, case.tensors["k"].shape[2], d, at["dtype"],
                   recipe.Settings(at["chunk_size"], at["local_size"]), at["rope"], inv_freq, at["softmax_scale"])


def to_torch(torch, array, dtype, device):
    values = torch.frombuffer(bytearray(array.data), dtype=getattr(torch, MADE_OF[array.dtype])).reshape(array.shape)
    result = values.to(dtype)
    if not bool((result.to(values.dtype) == values).all()):
        raise ValueError("an input is not exact in the dtype of its case")
    return result.to(device)


def from_torch(torch, tensor):
    values = tensor.detach().to(torch.float32).cpu().contiguous()
    return npz.Array("<f4", tuple(values.shape), ctypes.string_at(values.data_ptr(), 4 * values.numel()))


def speaks_of(name, problem):
    """Whether a contestant computes what the case asks for."""
    one_chunk = len(recipe.chunks(problem.n, problem.settings)) == 1
    if name == tables.PLAIN:
        return one_chunk
    if name in (tables.CUDNN, tables.FLASH):
        return one_chunk and problem.rope == "none"
    return name != tables.CALLS


def file_name(contestant):
    return contestant.replace(" ", "_") + ".npz"


def run(torch, path, folder, device, names, make):
    """Writes one candidate file for each contestant; make(name, problem, inputs) makes one or raises NotHere. Returns
    ({name: (file, case ids, tensors)}, [what did not run, a line each])."""
    dtypes = {"bf16": torch.bfloat16, "f16": torch.float16}
    outputs, written, missing = {}, {}, []
    for case in case_files.read(path):
        reason = case.unsupported()
        if reason:
            missing.append(f"case {case.id}: not for this program ({reason})")
            continue
        problem = problem_of(case)
        inputs = [to_torch(torch, case.tensors[t], dtypes[problem.dtype], device) for t in "qkv"]
        for name in names:
            if not speaks_of(name, problem):
                continue
            try:
                out, lse = make(name, problem, inputs).run()
            except Exception as error:  # whatever a backend throws: the others go on, and this line is a failure
                missing.append(f"{name} on case {case.id}: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}")
                continue
            arrays = outputs.setdefault(name, {})
            arrays[f"{case.id}/out"] = from_torch(torch, out)
            if lse is not None:
                arrays[f"{case.id}/lse"] = from_torch(torch, lse)
    for name, arrays in outputs.items():
        file = os.path.join(folder, file_name(name))
        npz.write(file, arrays)
        ids = sorted({key.rpartition("/")[0] for key in arrays})
        tensors = ["out", "lse"] if any(key.endswith("/lse") for key in arrays) else ["out"]
        written[name] = (file, ids, tensors)
    missing += [f"{name}: no case of {path} is for it" for name in names
                if name != tables.CALLS and name not in written and not any(m.startswith(name + " on") for m in missing)]
    return written, missing


def command(program, golden, file, ids, tensors):
    words = [program, "compare", golden, file]
    for tensor in tensors:
        words += ["--tensor", tensor]
    for identity in ids:
        words += ["--case", identity]
    return words


def judge(program, golden, written):
    """[(name, exit status, last words)] of dca compare."""
    verdicts = []
    for name, (file, ids, tensors) in written.items():
        done = subprocess.run(command(program, golden, file, ids, tensors), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        words = done.stdout.strip()
        verdicts.append((name, done.returncode, words))
    return verdicts
