#include "reference/chunk_summary/spec/problem.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "reference/spec/error.hpp"

namespace dca::chunk_summary {
namespace {

constexpr std::array<std::string_view, 3> scope_names{"attention", "block", "model"};
constexpr std::array<std::string_view, 3> pooling_names{"last_timestep", "all", "mean_pool"};

template <class Enum>
std::optional<Enum> parse(std::string_view text, const std::array<std::string_view, 3>& names) {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

void require_within(const char* what, std::int64_t value, std::int64_t limit) {
    if (value >= 1 && value <= limit) return;
    throw InvalidProblem(std::string(what) + " is " + std::to_string(value) + ", expected 1 to " +
                         std::to_string(limit));
}

/// The largest tensors: an activation of the sequence, and a weight of every block.
void require_counts(const Problem& p) {
    constexpr std::int64_t limit = std::int64_t{1} << 40;
    const std::int64_t rows = p.batch * p.seq_len, channels = std::max(p.embed, p.ffn_hidden());
    if (rows > limit / channels || p.layers * p.hidden > limit / p.ffn_hidden() || p.embed > limit / p.hidden) {
        throw InvalidProblem("a tensor would have more than 2^40 elements");
    }
}

/// H60: div floors, and the reshape into chunks then fails.
void require_whole_chunks(const Problem& p) {
    if (p.seq_len % p.chunk_size == 0) return;
    throw InvalidProblem("seq_len " + std::to_string(p.seq_len) + " is not a multiple of chunk_size " +
                         std::to_string(p.chunk_size) +
                         ": chunk-summary attention needs whole chunks; the published defaults, seq_len 60 and "
                         "chunk_size 64, fail the same way (H60)");
}

}  // namespace

std::string_view name(Scope scope) {
    return scope_names[static_cast<std::size_t>(scope)];
}
std::string_view name(Pooling pooling) {
    return pooling_names[static_cast<std::size_t>(pooling)];
}
std::optional<Scope> parse_scope(std::string_view text) {
    return parse<Scope>(text, scope_names);
}
std::optional<Pooling> parse_pooling(std::string_view text) {
    return parse<Pooling>(text, pooling_names);
}

void validate(const Problem& p) {
    // The limits keep every product of sizes below 2^63, and so every count of elements exact.
    require_within("batch", p.batch, std::int64_t{1} << 20);
    require_within("seq_len", p.seq_len, std::int64_t{1} << 24);
    require_within("embed", p.embed, std::int64_t{1} << 18);
    require_within("hidden", p.hidden, std::int64_t{1} << 18);
    require_within("heads", p.heads, p.hidden);
    require_within("chunk_size", p.chunk_size, std::int64_t{1} << 24);
    require_within("layers", p.layers, 1024);
    if (p.hidden % p.heads != 0) {
        throw InvalidProblem("hidden " + std::to_string(p.hidden) + " is not a multiple of heads " +
                             std::to_string(p.heads));
    }
    require_whole_chunks(p);
    require_counts(p);
    if (p.scope != Scope::model && p.embed != p.hidden) {
        throw InvalidProblem("embed " + std::to_string(p.embed) + " differs from hidden " + std::to_string(p.hidden) +
                             ": only scope model has an input projection");
    }
    if (p.scope != Scope::model && p.layers != 1) throw InvalidProblem("layers belongs to scope model");
    if (p.scope != Scope::model && p.pooling != Pooling::last_timestep) {
        throw InvalidProblem("pooling belongs to scope model");
    }
    if (traits(p.dtype).storage_bits < 16) {
        throw InvalidProblem("dtype " + std::string(name(p.dtype)) +
                             " is not supported: chunk-summary cases are f64, f32, tf32, f16 or bf16");
    }
}

}  // namespace dca::chunk_summary
