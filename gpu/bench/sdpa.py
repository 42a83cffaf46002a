"""PyTorch's own attention kernels: which backends are here, plain causal calls on one, and calls that return lse.

Tensors are (batch, row, head, channel), as ours take them; PyTorch gets transposed views, which its kernels read as they
are. The functions that return lse are internal (torch.ops.aten._scaled_dot_product_*), and their arguments have changed
between versions (cuDNN's gained attn_bias and compute_log_sumexp), so they are called by the names of their own schema.
"""
BACKENDS = {"cudnn": "CUDNN_ATTENTION", "flash": "FLASH_ATTENTION"}
WITH_LSE = {"cudnn": "_scaled_dot_product_cudnn_attention", "flash": "_scaled_dot_product_flash_attention"}
KNOWN = {"attn_bias": None, "attn_mask": None, "compute_log_sumexp": True, "compute_logsumexp": True, "dropout_p": 0.0,
         "return_debug_mask": False}


class NotHere(Exception):
    """This PyTorch, or this card, cannot do it: one line that says why."""


def first_line(error):
    words = str(error).strip()
    return words.splitlines()[0] if words else type(error).__name__


def arguments(name, schema):
    """Keyword arguments for a function whose schema is a list of (argument, has a default), besides query, key, value,
    is_causal and scale, which the caller gives. Refuses a function that wants what is not known here."""
    names = [argument for argument, _ in schema]
    for wanted in ("query", "key", "value", "is_causal", "scale"):
        if wanted not in names:
            raise NotHere(f"aten::{name} of this PyTorch has no argument {wanted}: it has {', '.join(names)}")
    given = {}
    for argument, has_default in schema:
        if argument in KNOWN:
            given[argument] = KNOWN[argument]
        elif argument not in ("query", "key", "value", "is_causal", "scale") and not has_default:
            raise NotHere(f"aten::{name} of this PyTorch wants {argument}, which this program does not know")
    return given


def repeated(tensor, heads):
    """Keys for every query head, for calls that cannot share them."""
    return tensor.repeat_interleave(heads // tensor.shape[2], dim=2)


class Plain:
    """torch.nn.functional.scaled_dot_product_attention, causal, held to one backend."""

    def __init__(self, torch, backend):
        self.torch, self.name = torch, backend
        try:
            from torch.nn.attention import SDPBackend, sdpa_kernel
        except ImportError:
            raise NotHere(f"PyTorch {torch.__version__} has no torch.nn.attention.sdpa_kernel")
        if not hasattr(SDPBackend, BACKENDS[backend]):
            raise NotHere(f"PyTorch {torch.__version__} has no backend {BACKENDS[backend]}")
        self.held_to = lambda: sdpa_kernel([getattr(SDPBackend, BACKENDS[backend])])
        self.shares_keys = True

    def prepare(self, q, k, v):
        """k and v as this backend takes them; tries a call with fewer key heads first. Whatever is copied here is copied
        before the clock starts, and said in `note`."""
        self.shares_keys = q.shape[2] == k.shape[2]
        if self.shares_keys:
            return k, v, ""
        try:
            self.call(q[:, :128], k[:, :128], v[:, :128], None, enable_gqa=True)
            return k, v, ""
        except (NotHere, RuntimeError, TypeError):
            return repeated(k, q.shape[2]), repeated(v, q.shape[2]), "keys repeated for every head before the clock"

    def call(self, q, k, v, scale, **more):
        if "enable_gqa" not in more and q.shape[2] != k.shape[2]:
            more["enable_gqa"] = True
        try:
            with self.held_to():
                return self.torch.nn.functional.scaled_dot_product_attention(
                    q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True, scale=scale,
                    **more).transpose(1, 2)
        except RuntimeError as error:
            if "No available kernel" in str(error):
                raise NotHere(f"backend {self.name}: {first_line(error)}")
            raise


class WithLse:
    """One backend's internal function that returns out and lse."""

    def __init__(self, torch, backend):
        self.torch, self.name = torch, backend
        function = getattr(torch.ops.aten, WITH_LSE[backend], None)
        if function is None:
            raise NotHere(f"PyTorch {torch.__version__} has no aten::{WITH_LSE[backend]}")
        self.function = function.default
        self.schema = str(self.function._schema)
        described = [(argument.name, argument.has_default_value()) for argument in self.function._schema.arguments]
        self.more = arguments(WITH_LSE[backend], described)

    def prepare(self, q, k, v):
        """As Plain.prepare."""
        if q.shape[2] == k.shape[2]:
            return k, v, ""
        try:
            self.call(q[:, :128], k[:, :128], v[:, :128], True, None)
            self.torch.cuda.synchronize()
            return k, v, ""
        except RuntimeError:
            return repeated(k, q.shape[2]), repeated(v, q.shape[2]), "keys repeated for every head before the clock"

    def call(self, q, k, v, causal, scale):
        """out (batch, row, head, channel) and lse (batch, head, row), both dense where the kernel wrote them so."""
        rows = q.shape[1]
        result = self.function(query=q.transpose(1, 2), key=k.transpose(1, 2), value=v.transpose(1, 2),
                               is_causal=causal, scale=scale, **self.more)
        out, lse = result[0].transpose(1, 2), result[1]
        if lse.dim() == 4:  # cuDNN: (batch, head, row, 1)
            lse = lse.squeeze(-1)
        return out, lse[:, :, :rows]  # some versions pad the rows


class Matmul:
    """The same from matrix products in fp32, P and out rounded to the dtype as the backends do: for trying the recipe where
    there is no backend, never timed."""
    name = "matmul"
    schema = "matmul, softmax, matmul in fp32"

    def __init__(self, torch, backend="matmul"):
        self.torch = torch

    def prepare(self, q, k, v):
        return k, v, ""

    def call(self, q, k, v, causal, scale):
        torch = self.torch
        k, v, dtype = repeated(k, q.shape[2]), repeated(v, q.shape[2]), q.dtype
        q, k, v = (x.transpose(1, 2).float() for x in (q, k, v))
        logits = q @ k.transpose(2, 3) * (q.shape[3] ** -0.5 if scale is None else scale)
        if causal:
            rows = torch.arange(q.shape[2], device=q.device)
            logits = logits.masked_fill(rows[None, :] > rows[:, None], float("-inf"))
        p = torch.softmax(logits, dim=3).to(dtype).float()
        return (p @ v).to(dtype).transpose(1, 2), torch.logsumexp(logits, dim=3)
