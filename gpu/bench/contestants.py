"""Those who are timed, on PyTorch tensors (batch, row, head, channel). A contestant is made for one problem and its
inputs; making it does what a model does once (tables, plans). run() does what a model does for every call, takes all its
memory from PyTorch's allocator, and returns (out, lse), lse None where there is none."""
from collections import namedtuple

import recipe
from sdpa import NotHere

# rope: "neox" or "none". inv_freq: head_dim / 2 numbers, None without rotation. scale: None is head_dim^-0.5.
Problem = namedtuple("Problem", "batch n heads_q heads_kv head_dim dtype settings rope inv_freq scale")


def default_frequencies(head_dim, base=10000.0):
    return [base ** (-2.0 * i / head_dim) for i in range(head_dim // 2)]


def tables(torch, positions, problem, device):
    """cos and sin, (1, rows, 1, d / 2), in fp32; angles in double."""
    angle = torch.tensor(positions, dtype=torch.float64)[:, None] * torch.tensor(problem.inv_freq, dtype=torch.float64)
    return [f(angle).to(torch.float32)[None, :, None, :].to(device) for f in (torch.cos, torch.sin)]


def turned(torch, x, cos, sin):
    """Eager rotary of halves (neox) in fp32, rounded once."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x.dtype)


class Ours:
    """The fused kernel through the C interface (gpu/api/dca_gpu.h); plain: with one chunk."""

    def __init__(self, torch, interface, library, problem, inputs, plain=False):
        self.torch, self.problem, self.inputs = torch, problem, inputs
        settings = recipe.plain_settings(problem.n) if plain else problem.settings
        free = torch.cuda.mem_get_info()[0]
        self.plan = library.plan(
            batch=problem.batch, seq_q=problem.n, seq_k=problem.n, heads_q=problem.heads_q, heads_kv=problem.heads_kv,
            head_dim=problem.head_dim, head_dim_v=problem.head_dim, chunk_size=settings.chunk_size,
            local_size=settings.local_size, softmax_scale=problem.scale or 0.0, inv_freq=problem.inv_freq,
            dtype=interface.BF16 if problem.dtype == "bf16" else interface.F16,
            rope_layout=interface.ROPE_NONE if problem.rope == "none" else interface.NEOX)
        # Tables on the device, which PyTorch's allocator does not see; the driver counts in pages of 2 MiB.
        self.plan_bytes = max(0, free - torch.cuda.mem_get_info()[0])
        self.workspace_bytes = self.plan.workspace_bytes()
        self.note = ""

    def run(self):
        torch, p = self.torch, self.problem
        q, k, v = self.inputs
        out = torch.empty_like(q)
        lse = torch.empty((p.batch, p.heads_q, p.n), dtype=torch.float32, device=q.device)
        workspace = torch.empty(max(self.workspace_bytes, 1), dtype=torch.uint8, device=q.device)
        self.plan.forward(q, k, v, out, lse, workspace, stream=torch.cuda.current_stream().cuda_stream)
        return out, lse


class PlainSdpa:
    """PyTorch's attention on one backend, plain causal, without rotary."""
    plan_bytes = 0

    def __init__(self, attention, problem, inputs):
        self.attention, self.problem = attention, problem
        q, k, v = inputs
        k, v, self.note = attention.prepare(q, k, v)
        self.inputs = q, k, v

    def run(self):
        return self.attention.call(*self.inputs, self.problem.scale), None


def eager_merge(torch, outs, lses, out, lse):
    """Def.8 in fp32, rounded once."""
    stacked = torch.stack(lses)
    lse.copy_(torch.logsumexp(stacked, dim=0))
    weights = torch.exp(stacked - lse).transpose(2, 3)[..., None]  # (part, batch, row, head, 1)
    out.copy_(sum(w * part.float() for w, part in zip(weights, outs)))


class FusedMerge:
    """Def.8 by the merge kernel of the C interface, which takes and writes dense tensors."""

    def __init__(self, interface, library):
        self.interface, self.library = interface, library

    def __call__(self, torch, outs, lses, out, lse):
        batch, rows, heads, channels = out.shape
        dense, dense_lse = [x.contiguous() for x in outs], [x.contiguous() for x in lses]
        to = out if out.is_contiguous() else torch.empty_like(dense[0])
        to_lse = torch.empty_like(dense_lse[0])
        self.library.merge(dense, dense_lse, to, to_lse, batch=batch, seq_q=rows, heads_q=heads, head_dim_v=channels,
                           dtype=self.interface.BF16 if out.dtype == torch.bfloat16 else self.interface.F16,
                           stream=torch.cuda.current_stream().cuda_stream)
        if to is not out:
            out.copy_(to)
        lse.copy_(to_lse)


class Recipe:
    """Three calls for each chunk, all heads at once. merge None: the calls alone, on queries and keys that were rotated
    before, results left unmerged; then run() returns no result that means anything, (None, None)."""
    plan_bytes = 0

    def __init__(self, torch, attention, problem, inputs, merge):
        self.torch, self.attention, self.problem, self.merge = torch, attention, problem, merge
        q, k, v = inputs
        k, v, self.note = attention.prepare(q, k, v)
        self.inputs = q, k, v
        self.chunks = recipe.chunks(problem.n, problem.settings)
        self.tables = {}
        if problem.rope != "none":
            self.tables["key"] = tables(torch, recipe.key_positions(problem.n, problem.settings), problem, q.device)
            for mode in recipe.MODES:
                positions = recipe.query_positions(mode, problem.n, problem.settings)
                self.tables[mode] = tables(torch, positions[:1] if mode == "inter" else positions, problem, q.device)
        if merge is None:
            self.rotated_keys = self.turn(k, "key")
            self.rotated = [[self.turn(q[:, c.begin:c.end], call.mode, c) for call in c.calls] for c in self.chunks]

    def turn(self, x, kind, chunk=None):
        if kind not in self.tables:
            return x
        cos, sin = self.tables[kind]
        if chunk is not None and kind != "inter":
            cos, sin = cos[:, chunk.begin:chunk.end], sin[:, chunk.begin:chunk.end]
        return turned(self.torch, x, cos, sin)

    def run(self):
        return self.calls_alone() if self.merge is None else self.whole()

    def attend(self, call, q, k, v):
        return self.attention.call(q, k[:, call.key_begin:call.key_end], v[:, call.key_begin:call.key_end], call.causal,
                                   self.problem.scale)

    def calls_alone(self):
        _, _, v = self.inputs
        for chunk, queries in zip(self.chunks, self.rotated):
            for call, q in zip(chunk.calls, queries):
                self.attend(call, q, self.rotated_keys, v)
        return None, None

    def whole(self):
        torch, p = self.torch, self.problem
        q, k, v = self.inputs
        k = self.turn(k, "key")
        out = torch.empty_like(q)
        lse = torch.empty((p.batch, p.heads_q, p.n), dtype=torch.float32, device=q.device)
        for chunk in self.chunks:
            own = q[:, chunk.begin:chunk.end]
            parts = [self.attend(call, self.turn(own, call.mode, chunk), k, v) for call in chunk.calls]
            outs, lses = zip(*parts)
            to, to_lse = out[:, chunk.begin:chunk.end], lse[:, :, chunk.begin:chunk.end]
            if len(parts) == 1:
                to.copy_(outs[0])
                to_lse.copy_(lses[0])
            else:
                self.merge(torch, outs, lses, to, to_lse)
        return out, lse


def faster(measured):
    """The name with the smaller median of {name: median}, for the recipe; NotHere where there is none."""
    if not measured:
        raise NotHere("no SDPA backend that returns lse")
    return min(measured, key=measured.get)
