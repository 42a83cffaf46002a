// The judge in process, for tests of a C++ kernel: implement Candidate for the kernel, call run(), look at the Result.
// The only header that dca installs; it needs the C++20 standard library and nothing else (docs/embedding.md).
//
// No stable ABI is promised: build the tests against the library they are linked with. The library keeps its own names
// in namespace dca; a kernel's own code belongs into another namespace, unless dca was built with BUILD_SHARED_LIBS=ON.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dca::judge {

/// Number formats, and how a buffer holds them: f64 as double, f32 and tf32 as float, f16 and bf16 as their 16 bits,
/// e4m3 and e5m2 (OCP 8-bit floating point) as their 8 bits.
enum class Dtype : std::uint8_t { f64, f32, tf32, f16, bf16, e4m3, e5m2 };

[[nodiscard]] std::string_view name(Dtype dtype);

/// Bytes of one stored element.
[[nodiscard]] constexpr std::size_t storage_bytes(Dtype dtype) {
    switch (dtype) {
        case Dtype::f64: return 8;
        case Dtype::f32:
        case Dtype::tf32: return 4;
        case Dtype::f16:
        case Dtype::bf16: return 2;
        case Dtype::e4m3:
        case Dtype::e5m2: return 1;
    }
    return 0;
}

/// Elements in a buffer of the judge, in host memory, row-major, last axis contiguous; strides count elements.
template <class Void>
struct TensorRef {
    Void* data = nullptr;  ///< null: there is no such tensor in this call
    Dtype dtype = Dtype::f64;
    int rank = 0;
    std::array<std::int64_t, 4> shape{};   ///< the first `rank` entries
    std::array<std::int64_t, 4> stride{};  ///< the first `rank` entries

    [[nodiscard]] explicit operator bool() const { return data != nullptr; }
    [[nodiscard]] std::int64_t size() const {
        std::int64_t count = data == nullptr ? 0 : 1;
        for (int axis = 0; axis < rank; ++axis) count *= shape[static_cast<std::size_t>(axis)];
        return count;
    }
    /// The buffer as elements of T: double, float, or any trivially copyable type of the right size, such as
    /// std::uint16_t or a GPU toolkit's half. Throws std::logic_error where sizes differ or there is no such tensor.
    template <class T>
    [[nodiscard]] auto as() const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (data == nullptr) throw std::logic_error("dca::judge: as() of a tensor that is not in this call");
        if (sizeof(T) != storage_bytes(dtype)) {
            throw std::logic_error("dca::judge: as() of a type of another size than the elements of " +
                                   std::string(name(dtype)));
        }
        return static_cast<std::conditional_t<std::is_const_v<Void>, const T, T>*>(data);
    }
};
using InputTensor = TensorRef<const void>;
using OutputTensor = TensorRef<void>;

enum class RopeLayout : std::uint8_t { none, neox, interleaved };

/// Rotary settings as the case gives them (docs/definition.md, Def.4 and Def.5).
struct Rope {
    RopeLayout layout = RopeLayout::neox;
    std::int64_t rotary_dim = 0;  ///< leading channels that are rotated; 0 with layout none
    double base = 10000.0;
    std::string scaling = "none";                 ///< none, linear, ntk, dynamic, yarn, llama3
    std::optional<double> factor;                 ///< of the scaling
    std::optional<double> original_max_position;  ///< of the scaling, its default included
    double beta_fast = 32.0, beta_slow = 1.0, low_freq_factor = 1.0, high_freq_factor = 4.0;
    std::optional<double> mscale;  ///< set: given by the case; else it follows from the scaling (mscale())
    std::vector<double> inv_freq;  ///< not empty: given by the case, in place of base and scaling
};

/// One attention call. Packed problems have batch 1 and seq_q = seq_k = all tokens.
struct Problem {
    std::int64_t batch = 1, seq_q = 1, seq_k = 1, heads_q = 1, heads_kv = 1, head_dim = 1, head_dim_v = 1;
    std::int64_t chunk_size = 1;  ///< C, the largest position of a query
    std::int64_t local_size = 0;  ///< w; the stride of the chunks is chunk_len()
    [[nodiscard]] std::int64_t chunk_len() const { return chunk_size - local_size; }
    double softmax_scale = 1;  ///< multiplies the logits; head_dim^-0.5 where the case says nothing
    /// Absolute index of query row 0; seq_k - seq_q where the case says nothing, 0 for packed problems.
    std::int64_t query_offset = 0;
    std::vector<std::int32_t> cu_seqlens;  ///< not empty: packed, sequence s is [cu_seqlens[s], cu_seqlens[s + 1])
    Rope rope;
    std::string dialect = "exact";  ///< which published behaviour is asked for (docs/dialects.md)
    bool sparse = false;            ///< a vertical-slash sparse prefill (docs/sparse_prefill.md)
    Dtype dtype = Dtype::f64;       ///< of the inputs
    /// In which types the kernel is said to work inside: P and dS, sums, results. The judge expects their rounding.
    Dtype p_dtype = Dtype::f64, accumulator = Dtype::f64, output_dtype = Dtype::f64;

    [[nodiscard]] bool packed() const { return !cu_seqlens.empty(); }
};

/// Frequencies of a sequence of `keys` keys (only `dynamic` depends on it) and the factor on cos and sin, from the
/// reference. For kernels that are given these numbers by their framework: what comes from here is not checked.
[[nodiscard]] std::vector<double> inverse_frequencies(const Problem& problem, std::int64_t keys);
[[nodiscard]] double mscale(const Problem& problem);

/// q (batch, seq_q, heads_q, head_dim), k (batch, seq_k, heads_kv, head_dim), v (batch, seq_k, heads_kv, head_dim_v) in
/// Problem::dtype; dout like out, or none. Changing them is an error of the kernel.
struct Inputs {
    InputTensor q, k, v, dout;
};

/// What the kernel fills: out (batch, seq_q, heads_q, head_dim_v), lse (batch, heads_q, seq_q), dq, dk, dv like q, k,
/// v. Every element starts as a NaN and must be written: a row without keys has out 0 and lse -inf. Bytes before and
/// after each buffer are checked afterwards. Tensors the kernel does not compute (Support) are none.
struct Outputs {
    OutputTensor out, lse, dq, dk, dv;
};

/// What a kernel can do of a problem.
struct Support {
    bool yes = true;
    std::string reason;     ///< of a no: one clause
    bool lse = true;        ///< it writes lse
    bool gradients = true;  ///< it writes dq, dk, dv where dout is given
    /// In what the result buffers hold elements. Default: out and gradients in Problem::output_dtype; lse in f64 where
    /// Problem::accumulator is f64, else f32.
    std::optional<Dtype> out_dtype = {}, lse_dtype = {}, gradient_dtype = {};

    [[nodiscard]] static Support no(std::string why) { return {.yes = false, .reason = std::move(why)}; }
};

/// The kernel under test.
class Candidate {
public:
    virtual ~Candidate() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual Support supports(const Problem& problem) const = 0;
    /// Called once per case. Whatever it throws is this case's result.
    virtual void run(const Problem& problem, const Inputs& inputs, const Outputs& outputs) = 0;
};

/// Which cases, and how. An aggregate: name what differs from the default, run({.suite = "ci"}, kernel).
struct Options {
    std::string suite = "smoke";  ///< `dca list suites`
    std::string cases = "*";      ///< only cases whose id matches (* and ?)
    /// Every case in this type, whatever the suite says; its id then ends in the type's name, as "packed_f32".
    std::optional<Dtype> dtype = {};
    /// Cases the kernel does not support are listed and no more; false: the result is then inconclusive.
    bool supported_only = true;
    bool explain = true;     ///< look for the named mistake behind a failure (seconds)
    bool fail_fast = false;  ///< stop after the first case that fails or breaks
    /// Called before each case, and with done == total at the end. May throw to stop.
    std::function<void(const std::string& id, std::size_t done, std::size_t total)> progress = {};
};

/// What became of one case.
struct CaseResult {
    std::string id;
    std::string verdict;                ///< passed, marginal, skipped, mistrusted, failed, errored, ...
    std::string reason;                 ///< of skipped, mistrusted, errored
    std::vector<std::string> mistakes;  ///< ids of named mistakes that explain the failure, the likeliest first
};

/// What the judge found. A value; copies are cheap.
class Result {
public:
    /// Everything that was asked for and that the kernel supports was verified. Judging nothing is not a pass.
    [[nodiscard]] bool passed() const;
    /// That of `dca gate`: 0 passed, 1 wrong numbers, 2 the kernel broke, 3 inconclusive.
    [[nodiscard]] int exit_status() const;
    [[nodiscard]] const std::vector<CaseResult>& cases() const;
    /// Whether a failing case looks like this mistake, by its id.
    [[nodiscard]] bool names(std::string_view mistake) const;

    /// The report a terminal shows: verdict first, then what failed, where, and why.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string markdown() const;
    /// Written under a temporary name and renamed. Throw std::runtime_error where that fails.
    void write_json(const std::string& path) const;
    void write_junit(const std::string& path) const;
    void write_markdown(const std::string& path) const;
    /// One page with pictures, which gnuplot draws where it is installed.
    void write_html(const std::string& path) const;

    struct Impl;
    explicit Result(std::shared_ptr<const Impl> impl);

private:
    std::shared_ptr<const Impl> impl_;
};

/// text(), so that test frameworks print it.
std::ostream& operator<<(std::ostream& out, const Result& result);

/// Every chosen case of a suite. Throws std::runtime_error where there is no such suite or no case matches.
[[nodiscard]] Result run(const Options& options, Candidate& candidate);

/// One case of your own, a line of text such as `dca list cases` prints:
///     "seq_q=700 heads_q=4 heads_kv=2 head_dim=64 chunk_size=256 local_size=32 dtype=bf16 seed=7"
/// Inputs are made from the text. Throws std::runtime_error naming the word that is wrong.
[[nodiscard]] Result judge_case(std::string_view text, Candidate& candidate);

/// Inputs of your own, row-major, in the shapes of Inputs. Each value must be exact in the case's dtype.
struct Data {
    std::span<const double> q, k, v;
    std::span<const double> dout = {};  ///< empty: no gradients are asked for
};
[[nodiscard]] Result judge_case(std::string_view text, const Data& data, Candidate& candidate);

/// One case of a suite, for test frameworks that make one test of each.
struct Case {
    std::string id, text;
    Problem problem;
};
/// The cases that run() would judge; throws what it throws.
[[nodiscard]] std::vector<Case> cases(const Options& options);

/// The version of the library, for example "0.1.0".
[[nodiscard]] std::string_view version();

}  // namespace dca::judge
