"""Index arithmetic of the three-call recipe for Dual Chunk Attention (docs/definition.md): which rows and keys each call
takes, which mask it has, to which positions its queries are turned. Plain integers: needs neither torch nor a GPU.

The recipe is what public code serves models with (ChunkLlama, the dense prefill of vLLM): for each chunk one causal call
with its own keys, one full call with the chunk before, one full call with all earlier chunks, merged by their lse.
"""
from collections import namedtuple

MODES = ("intra", "succ", "inter")

Settings = namedtuple("Settings", "chunk_size local_size")  # C and w of Def.1
Call = namedtuple("Call", "mode causal key_begin key_end")  # keys [key_begin, key_end)
Chunk = namedtuple("Chunk", "begin end calls")              # query rows [begin, end)


def chunk_len(settings):
    """L of Def.1, the stride of the chunks."""
    length = settings.chunk_size - settings.local_size
    if not (0 <= settings.local_size < settings.chunk_size):
        raise ValueError(f"local_size {settings.local_size} must be at least 0 and less than chunk_size {settings.chunk_size}")
    return length


def chunks(n, settings):
    """The chunks of a sequence of n tokens, in order, each with its one to three calls. The last chunk may be short, its
    calls with earlier keys are not: those chunks are whole."""
    length = chunk_len(settings)
    result = []
    for begin in range(0, n, length):
        end = min(begin + length, n)
        calls = [Call("intra", True, begin, end)]
        if begin > 0:
            calls.append(Call("succ", False, begin - length, begin))
        if begin > length:
            calls.append(Call("inter", False, 0, begin - length))
        result.append(Chunk(begin, end, tuple(calls)))
    return result


def key_positions(n, settings):
    """P_k(j) of Def.2 for j = 0 .. n-1."""
    length = chunk_len(settings)
    return [j % length for j in range(n)]


def query_positions(mode, n, settings):
    """P_mode(i) of Def.2 for i = 0 .. n-1; only rows that make such a call are read."""
    length = chunk_len(settings)
    if mode == "intra":
        return [i % length for i in range(n)]
    if mode == "succ":
        return [min(i % length + length, settings.chunk_size) for i in range(n)]
    if mode == "inter":
        return [min(2 * length - 1, settings.chunk_size)] * n
    raise ValueError(f"no mode {mode!r}: one of {', '.join(MODES)}")


def plain_settings(n):
    """Chunks so long that there is one: plain causal attention."""
    return Settings(max(n, 1), 0)


def call_count(n, settings):
    return sum(len(chunk.calls) for chunk in chunks(n, settings))


def causal_flop(batch, n, heads, head_dim, head_dim_v=None):
    """The usual count: two products over half of the n x n pairs, 4 n^2 d h / 2. It leaves out the diagonal's n / 2 pairs
    and everything that is no product, for every contestant alike."""
    head_dim_v = head_dim if head_dim_v is None else head_dim_v
    return batch * heads * n * n * (head_dim + head_dim_v)
