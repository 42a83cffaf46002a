/* The C interface of the kernels: plain functions over device pointers and a stream, for PyTorch through ctypes or
 * anything else that can call C (docs/gpu_library.md). C11 and C++; needs no CUDA header.
 *
 * A plan holds what follows from the problem alone (tiles, tables of angles) on the device that was current when it
 * was made. Calls that take a plan enqueue work on a stream and return: none waits for the device but
 * dca_gpu_plan_create and dca_gpu_plan_destroy. A plan may be used from several threads and streams at a time, as long
 * as every call under way has a workspace of its own.
 *
 * Every function that returns int returns a status below, and never throws; dca_gpu_error() says in one line what went
 * wrong. In structs, zero is the default of every field without another one, struct_size is sizeof the struct, and
 * fields may be added at the end. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DCA_GPU_VERSION 100 /* 100 * minor + patch while major is 0; structs only grow within a minor version */

enum dca_gpu_status {
    DCA_GPU_OK = 0,
    DCA_GPU_INVALID = 1,     /* an argument that no implementation could accept */
    DCA_GPU_UNSUPPORTED = 2, /* a valid request that no kernel serves, or no device to serve it */
    DCA_GPU_FAILED = 3       /* the CUDA runtime refused: out of memory, an earlier error */
};
enum dca_gpu_dtype { DCA_GPU_F16 = 0, DCA_GPU_BF16 = 1, DCA_GPU_F64 = 2, DCA_GPU_F32 = 3 }; /* f32: merge alone */
enum dca_gpu_rope_layout { DCA_GPU_ROPE_NONE = 0, DCA_GPU_ROPE_NEOX = 1, DCA_GPU_ROPE_INTERLEAVED = 2 };
/* Def.5 */
enum dca_gpu_rope_scaling {
    DCA_GPU_SCALING_NONE = 0,
    DCA_GPU_SCALING_LINEAR = 1,
    DCA_GPU_SCALING_NTK = 2,
    DCA_GPU_SCALING_DYNAMIC = 3,
    DCA_GPU_SCALING_YARN = 4,
    DCA_GPU_SCALING_LLAMA3 = 5
};
/* Which keys a call counts (Def.2); 0 stands for all three. */
enum dca_gpu_modes { DCA_GPU_INTRA = 1, DCA_GPU_SUCC = 2, DCA_GPU_INTER = 4 };
/* Which fields of a problem count though they are zero. */
enum dca_gpu_present { DCA_GPU_HAS_QUERY_OFFSET = 1, DCA_GPU_HAS_MSCALE = 2 };
/* DCA_GPU_ROTATED: the workspace is what dca_gpu_rotate or dca_gpu_forward left for the same plan, k and v. */
enum dca_gpu_flags { DCA_GPU_ROTATED = 1 };

/* One attention call: docs/definition.md. Pointers are read by dca_gpu_plan_create alone, on the host. */
typedef struct dca_gpu_problem {
    uint64_t struct_size;
    int64_t batch, seq_q, seq_k, heads_q, heads_kv, head_dim, head_dim_v; /* packed: batch 1, seq_q = seq_k = tokens */
    int64_t chunk_size, local_size; /* plain causal attention: chunk_size of at least every length */
    int64_t query_offset;           /* absolute index of row 0; default seq_k - seq_q */
    int64_t rotary_dim;             /* default head_dim */
    double softmax_scale;           /* default head_dim^-0.5 */
    double rope_base;               /* default 10000 */
    double rope_factor, original_max_position;
    double beta_fast, beta_slow;              /* yarn; defaults 32 and 1 */
    double low_freq_factor, high_freq_factor; /* llama3; defaults 1 and 4 */
    double mscale;                            /* default: of the scaling */
    const double* inv_freq;                   /* rotary_dim / 2 values that replace base and scaling, or null */
    const int32_t* cu_seqlens;                /* packed: sequences + 1 row numbers, from 0 to seq_q; else null */
    int64_t sequences;                        /* packed: how many */
    int32_t dtype, rope_layout, rope_scaling;
    uint32_t present;
} dca_gpu_problem;

/* Element strides of a (batch, row, head, channel) tensor; channels are contiguous. */
typedef struct dca_gpu_strides {
    int64_t batch, row, head;
} dca_gpu_strides;

/* Device pointers of one call. q, k, v, out are of the plan's dtype; rows that all start at multiples of 16 bytes are
 * fastest, and v needs them where head_dim_v elements are whole 16 bytes. lse, of float (double for f64), is
 * (batch, heads_q, seq_q) with contiguous rows. */
typedef struct dca_gpu_forward_args {
    uint64_t struct_size;
    const void *q, *k, *v;
    void *out, *lse;
    dca_gpu_strides q_stride, k_stride, v_stride, out_stride; /* all zero: dense */
    int64_t lse_batch, lse_head;                              /* strides; both zero: dense */
    void* workspace;                                          /* at a multiple of 16 bytes, better 256 */
    uint64_t workspace_bytes;                                 /* at least dca_gpu_workspace_bytes */
    void* stream;                                             /* cudaStream_t; null: the legacy default stream */
    uint32_t modes, flags;
} dca_gpu_forward_args;

/* Partial results of up to three calls with one mode each become one (Def.8). Dense; out overlaps
 * no part. */
typedef struct dca_gpu_merge_args {
    uint64_t struct_size;
    const void* out_part[3]; /* (batch, seq_q, heads_q, head_dim_v) */
    const void* lse_part[3]; /* (batch, heads_q, seq_q), float, double for f64 */
    void *out, *lse;
    int64_t batch, seq_q, heads_q, head_dim_v;
    void* stream;
    int32_t parts; /* 1 to 3 */
    int32_t dtype;
} dca_gpu_merge_args;

typedef struct dca_gpu_plan dca_gpu_plan;

/* DCA_GPU_VERSION the library was built with. */
int dca_gpu_version(void);

/* What went wrong in the last call of this thread that did not return DCA_GPU_OK; valid until the thread's next call.
 */
const char* dca_gpu_error(void);

/* DCA_GPU_OK where a device answers that the kernels run on, DCA_GPU_UNSUPPORTED where none does. */
int dca_gpu_available(void);

/* Makes a plan on the current device, waits for it, and stores it in *plan (null on failure). */
int dca_gpu_plan_create(const dca_gpu_problem* problem, dca_gpu_plan** plan);

/* Waits for the plan's device, then frees; null is fine. */
int dca_gpu_plan_destroy(dca_gpu_plan* plan);

/* Bytes a call needs: k rotated, and v copied where its rows are no whole vectors. It does not grow with the number of
 * chunks. */
int dca_gpu_workspace_bytes(const dca_gpu_plan* plan, uint64_t* bytes);

/* The first half of dca_gpu_forward: fills the workspace from k and v. q, out, lse, modes and flags are not read. */
int dca_gpu_rotate(const dca_gpu_plan* plan, const dca_gpu_forward_args* args);

/* out and lse (natural logarithm); a row without keys gets 0 and -inf. */
int dca_gpu_forward(const dca_gpu_plan* plan, const dca_gpu_forward_args* args);

/* Needs no plan; runs on the current device. */
int dca_gpu_merge(const dca_gpu_merge_args* args);

#ifdef __cplusplus
}
#endif
