"""Cases of a tensor file (docs/golden_format.md) for `peers.py --check`, from .h5 where h5py is, or from an .npz of this
program's own, for machines that have only PyTorch:

    <case>/problem          the attributes as JSON, in bytes (|u1)
    <case>/q, k, v          <f4, exact in the case's dtype
    <case>/inv_freq         <f8, where the case brings frequencies of its own

    python3 gpu/bench/cases.py GOLDEN.h5 INPUTS.npz          # makes the second from the first; needs h5py
"""
import json
import sys

import npz

NEEDED = ("chunk_size", "local_size", "dtype", "dialect", "rope", "rope_scaling", "rope_base", "query_offset",
          "softmax_scale")


class Case:
    """id, attributes, and tensors: name -> npz.Array."""

    def __init__(self, identity, attributes, tensors):
        self.id, self.attributes, self.tensors = identity, attributes, tensors
        for name in NEEDED:
            if name not in attributes:
                raise ValueError(f"case {identity}: attribute {name} is missing")
        for name in "qkv":
            if name not in tensors or len(tensors[name].shape) != 4:
                raise ValueError(f"case {identity}: inputs/{name} is missing or packed")

    def unsupported(self):
        """Why peers.py cannot run this case with any contestant; empty where it can."""
        at, (_, rows, heads, d), k = self.attributes, self.tensors["q"].shape, self.tensors["k"].shape
        wrong = [(at["dialect"] != "exact", "dialect"), (at["dtype"] not in ("bf16", "f16"), "dtype"),
                 (at["rope"] not in ("none", "neox"), "rope"), (at["query_offset"] != 0 or rows != k[1], "query_offset"),
                 (at["rope_scaling"] != "none" and "inv_freq" not in self.tensors, "rope_scaling"),
                 (at["rope"] != "none" and at.get("rotary_dim", d) != d, "rotary_dim"), (at.get("mscale", 1) != 1, "mscale"),
                 (self.tensors["v"].shape[3] != d, "head_dim_v"), (heads % k[2] != 0, "heads")]
        return ", ".join(name for is_wrong, name in wrong if is_wrong)


def from_h5(path):
    import h5py
    cases = []
    with h5py.File(path, "r") as file:
        for name, group in file.items():
            attributes = {key: (value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item")
                                else value) for key, value in group.attrs.items()}
            tensors = {}
            for tensor in ("q", "k", "v", "inv_freq"):
                if tensor in group["inputs"]:
                    kind = "<f8" if tensor == "inv_freq" else "<f4"
                    values = group["inputs"][tensor][()].astype(kind)
                    tensors[tensor] = npz.Array(kind, values.shape, values.tobytes())
            cases.append(Case(name, attributes, tensors))
    return cases


def from_npz(path):
    found = {}
    for name, array in npz.read(path).items():
        case, _, tensor = name.rpartition("/")
        found.setdefault(case, {})[tensor] = array
    cases = []
    for name, tensors in found.items():
        if "problem" not in tensors:
            raise ValueError(f"{path}: case {name} has no problem; make the file with gpu/bench/cases.py")
        cases.append(Case(name, json.loads(tensors.pop("problem").data.decode()), tensors))
    return cases


def read(path):
    cases = from_npz(path) if path.endswith(".npz") else from_h5(path)
    if not cases:
        raise ValueError(f"{path}: no case")
    return cases


def write(path, cases):
    arrays = {}
    for case in cases:
        text = json.dumps(case.attributes, sort_keys=True).encode()
        arrays[f"{case.id}/problem"] = npz.Array("|u1", (len(text),), text)
        arrays.update({f"{case.id}/{name}": array for name, array in case.tensors.items()})
    npz.write(path, arrays)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: cases.py GOLDEN.h5 INPUTS.npz")
    write(sys.argv[2], from_h5(sys.argv[1]))
