"""libdca_gpu through ctypes: the structs of gpu/api/dca_gpu.h, and a thin object over its functions.

Tensors are anything with data_ptr(), stride() and element layout (batch, row, head, channel), as PyTorch has them, or
plain integers: device addresses of dense tensors. Nothing here imports PyTorch.

    library = Library('build/libdca_gpu.so')
    plan = library.plan(batch=1, seq_q=n, seq_k=n, heads_q=32, heads_kv=8, head_dim=128, head_dim_v=128,
                        chunk_size=8192, local_size=1024, dtype=BF16, rope_layout=NEOX)
    workspace = torch.empty(plan.workspace_bytes(), dtype=torch.uint8, device='cuda')
    plan.forward(q, k, v, out, lse, workspace, stream=torch.cuda.current_stream().cuda_stream)
"""
import ctypes
import os

VERSION = 100
OK, INVALID, UNSUPPORTED, FAILED = range(4)
F16, BF16, F64, F32 = range(4)
ROPE_NONE, NEOX, INTERLEAVED = range(3)
SCALING_NONE, LINEAR, NTK, DYNAMIC, YARN, LLAMA3 = range(6)
INTRA, SUCC, INTER = 1, 2, 4
HAS_QUERY_OFFSET, HAS_MSCALE = 1, 2
ROTATED = 1

_i64, _u64, _i32, _u32, _f64, _pointer = (ctypes.c_int64, ctypes.c_uint64, ctypes.c_int32, ctypes.c_uint32,
                                          ctypes.c_double, ctypes.c_void_p)


class Problem(ctypes.Structure):
    """dca_gpu_problem."""
    _fields_ = ([('struct_size', _u64)] +
                [(name, _i64) for name in ('batch', 'seq_q', 'seq_k', 'heads_q', 'heads_kv', 'head_dim', 'head_dim_v',
                                           'chunk_size', 'local_size', 'query_offset', 'rotary_dim')] +
                [(name, _f64) for name in ('softmax_scale', 'rope_base', 'rope_factor', 'original_max_position',
                                           'beta_fast', 'beta_slow', 'low_freq_factor', 'high_freq_factor', 'mscale')] +
                [('inv_freq', ctypes.POINTER(_f64)), ('cu_seqlens', ctypes.POINTER(_i32)), ('sequences', _i64),
                 ('dtype', _i32), ('rope_layout', _i32), ('rope_scaling', _i32), ('present', _u32)])


class Strides(ctypes.Structure):
    """dca_gpu_strides."""
    _fields_ = [('batch', _i64), ('row', _i64), ('head', _i64)]


class ForwardArgs(ctypes.Structure):
    """dca_gpu_forward_args."""
    _fields_ = [('struct_size', _u64), ('q', _pointer), ('k', _pointer), ('v', _pointer), ('out', _pointer),
                ('lse', _pointer), ('q_stride', Strides), ('k_stride', Strides), ('v_stride', Strides),
                ('out_stride', Strides), ('lse_batch', _i64), ('lse_head', _i64), ('workspace', _pointer),
                ('workspace_bytes', _u64), ('stream', _pointer), ('modes', _u32), ('flags', _u32)]


class MergeArgs(ctypes.Structure):
    """dca_gpu_merge_args."""
    _fields_ = [('struct_size', _u64), ('out_part', _pointer * 3), ('lse_part', _pointer * 3), ('out', _pointer),
                ('lse', _pointer), ('batch', _i64), ('seq_q', _i64), ('heads_q', _i64), ('head_dim_v', _i64),
                ('stream', _pointer), ('parts', _i32), ('dtype', _i32)]


class Error(RuntimeError):
    """A call returned a status other than OK; `status` is it."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def address(tensor):
    """The device address of a tensor or of an integer; None is null."""
    return tensor if tensor is None or isinstance(tensor, int) else tensor.data_ptr()


def strides(tensor):
    """Element strides of a (batch, row, head, channel) tensor; zeros, which mean dense, for an address."""
    if tensor is None or isinstance(tensor, int):
        return Strides()
    batch, row, head, channel = tensor.stride()
    if channel != 1 and tensor.shape[3] != 1:
        raise ValueError('the channels of a tensor must be contiguous')
    return Strides(batch, row, head)


def make_problem(inv_freq=None, cu_seqlens=None, query_offset=None, mscale=None, **fields):
    """A Problem; what is not named has its default. cu_seqlens and inv_freq are sequences of numbers on the host."""
    problem = Problem(struct_size=ctypes.sizeof(Problem))
    known = {name for name, _ in Problem._fields_}
    for name, value in fields.items():
        if name not in known:
            raise TypeError(f'a problem has no field {name}')
        setattr(problem, name, value)
    if inv_freq is not None:
        problem.inv_freq = (_f64 * len(inv_freq))(*inv_freq)
    if cu_seqlens is not None:
        problem.cu_seqlens = (_i32 * len(cu_seqlens))(*cu_seqlens)
        problem.sequences = len(cu_seqlens) - 1
    if query_offset is not None:
        problem.query_offset = query_offset
        problem.present |= HAS_QUERY_OFFSET
    if mscale is not None:
        problem.mscale = mscale
        problem.present |= HAS_MSCALE
    return problem


class Library:
    """libdca_gpu.so, loaded; path: the file, by default DCA_GPU_LIBRARY of the environment."""

    def __init__(self, path=None):
        path = path or os.environ.get('DCA_GPU_LIBRARY')
        if not path:
            raise OSError('name libdca_gpu.so, or set DCA_GPU_LIBRARY; gpu/bench/build.sh builds it')
        self.c = ctypes.CDLL(os.fspath(path))
        signatures = {
            'version': [], 'available': [], 'plan_create': [ctypes.POINTER(Problem), ctypes.POINTER(_pointer)],
            'plan_destroy': [_pointer], 'workspace_bytes': [_pointer, ctypes.POINTER(_u64)],
            'rotate': [_pointer, ctypes.POINTER(ForwardArgs)], 'forward': [_pointer, ctypes.POINTER(ForwardArgs)],
            'merge': [ctypes.POINTER(MergeArgs)]}
        for name, arguments in signatures.items():
            function = getattr(self.c, 'dca_gpu_' + name)
            function.argtypes, function.restype = arguments, ctypes.c_int
        self.c.dca_gpu_error.argtypes, self.c.dca_gpu_error.restype = [], ctypes.c_char_p
        built = self.c.dca_gpu_version()
        if built // 100 != VERSION // 100:
            raise OSError(f'{path} has version {built} of the C interface, this loader speaks {VERSION}')

    def check(self, status):
        """Raises Error unless a call returned OK."""
        if status != OK:
            raise Error(status, self.c.dca_gpu_error().decode())

    def unavailable(self):
        """Why no kernel can run here; empty where they can."""
        return '' if self.c.dca_gpu_available() == OK else self.c.dca_gpu_error().decode()

    def plan(self, **fields):
        """A Plan for make_problem(**fields)."""
        return Plan(self, make_problem(**fields))

    def merge(self, outs, lses, out, lse, *, batch, seq_q, heads_q, head_dim_v, dtype, stream=0):
        """Joins dense partial results, one per mode."""
        args = MergeArgs(struct_size=ctypes.sizeof(MergeArgs), out=address(out), lse=address(lse), batch=batch,
                         seq_q=seq_q, heads_q=heads_q, head_dim_v=head_dim_v, stream=stream, parts=len(outs),
                         dtype=dtype)
        if len(outs) != len(lses) or len(outs) > 3:
            raise ValueError('merge takes up to three outs and as many lses')
        for i, (part, part_lse) in enumerate(zip(outs, lses)):
            args.out_part[i], args.lse_part[i] = address(part), address(part_lse)
        self.check(self.c.dca_gpu_merge(ctypes.byref(args)))


class Plan:
    """dca_gpu_plan: made on the current device, freed with the object."""

    def __init__(self, library, problem):
        self.library, self.problem, self.handle = library, problem, _pointer()
        library.check(library.c.dca_gpu_plan_create(ctypes.byref(problem), ctypes.byref(self.handle)))

    def __del__(self):
        if getattr(self, 'handle', None):
            self.library.c.dca_gpu_plan_destroy(self.handle)
            self.handle = None

    def workspace_bytes(self):
        size = _u64()
        self.library.check(self.library.c.dca_gpu_workspace_bytes(self.handle, ctypes.byref(size)))
        return size.value

    def forward(self, q, k, v, out, lse, workspace, *, workspace_bytes=None, stream=0, modes=0, flags=0):
        """Enqueues out and lse; modes: a sum of INTRA, SUCC, INTER, 0 for all."""
        args = self._arguments(k, v, workspace, workspace_bytes, stream)
        args.q, args.out, args.lse = address(q), address(out), address(lse)
        args.q_stride, args.out_stride = strides(q), strides(out)
        if hasattr(lse, 'stride'):
            args.lse_batch, args.lse_head = lse.stride()[:2]
        args.modes, args.flags = modes, flags
        self.library.check(self.library.c.dca_gpu_forward(self.handle, ctypes.byref(args)))

    def rotate(self, k, v, workspace, *, workspace_bytes=None, stream=0):
        """Enqueues the filling of the workspace alone; forward(..., flags=ROTATED) then uses it."""
        args = self._arguments(k, v, workspace, workspace_bytes, stream)
        self.library.check(self.library.c.dca_gpu_rotate(self.handle, ctypes.byref(args)))

    def _arguments(self, k, v, workspace, workspace_bytes, stream):
        if workspace_bytes is None:
            workspace_bytes = self.workspace_bytes() if isinstance(workspace, int) else (
                workspace.numel() * workspace.element_size())
        return ForwardArgs(struct_size=ctypes.sizeof(ForwardArgs), k=address(k), v=address(v), k_stride=strides(k),
                           v_stride=strides(v), workspace=address(workspace), workspace_bytes=workspace_bytes,
                           stream=stream)
