// What is drawn: the positions, the title, and the same positions in other settings.
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "golden/text.hpp"
#include "reference/math/paper_code.hpp"
#include "reference/refusals.hpp"
#include "verify/cli/positions.hpp"

namespace dca::cli {
namespace {

using reference::NoCodeSettings;
using reference::PaperSettings;

std::string text(std::int64_t value) {
    return std::to_string(value);
}

const Problem& checked(const Problem& problem) {
    validate(problem);
    reference::require_reproducible(problem);
    return problem;
}

bool scales_linearly(const Problem& problem) {
    return problem.rope.scaling == RopeScaling::linear && problem.rope.factor.value_or(1) != 1;
}

/// The problem's maps in the paper's symbols, if they have that form: those of paper and of code always do; the inter
/// position C of zerollama is that of a paper setting whose window covers the stride.
std::optional<PaperSettings> in_paper_settings(const Problem& problem) {
    const Dialect& dialect = reference::dialect_of(problem);
    const ChunkConfig& chunk = problem.chunk;
    if (scales_linearly(problem) && dialect.linear != LinearScaling::frequencies) return std::nullopt;
    if (dialect.succ == SuccRule::windowed) {
        return PaperSettings{chunk.chunk_len(), problem.facts.paper_window.value_or(chunk.local_size),
                             chunk.chunk_size};
    }
    if (dialect.inter == InterRule::chunk_size && chunk.chunk_size > 2 * chunk.chunk_len() - 1) {
        return PaperSettings{chunk.chunk_len(), chunk.chunk_len(), chunk.chunk_size + 1};
    }
    return reference::to_paper(chunk);
}

std::string in_code(const PaperSettings& paper) {
    const auto converted = reference::to_code(paper);
    if (const auto* none = std::get_if<NoCodeSettings>(&converted)) {
        return "No code settings have these positions: " + none->reason + ".";
    }
    const auto& chunk = std::get<ChunkConfig>(converted);
    return "The same positions in code: chunk_size " + text(chunk.chunk_size) + ", local_size " +
           text(chunk.local_size) + ".";
}

std::string in_paper(const PaperSettings& paper) {
    return "The same positions in the paper's symbols: s = " + text(paper.stride) + ", c = " + text(paper.length) +
           ", w_p = " + text(paper.window) + " (--dialect paper --chunk-size " + text(paper.length) + " --local-size " +
           text(paper.length - paper.stride) + ").";
}

}  // namespace

PositionTable::PositionTable(const Problem& problem) : problem_(checked(problem)), map_(problem) {}

PairPositions PositionTable::pair(std::int64_t query, std::int64_t key) const {
    const auto mode = reference::pair_mode(problem_.chunk, QueryIndex(query), KeyIndex(key));
    expects(mode.has_value(), "the key is not visible to the query");
    return {*mode, map_.query(QueryIndex(query), *mode), map_.key(KeyIndex(key))};
}

std::string PositionTable::title() const {
    const ChunkConfig& chunk = problem_.chunk;
    std::string line = problem_.dialect == "exact" ? "" : "dialect " + problem_.dialect + ", ";
    line += "chunk_size " + text(chunk.chunk_size) + ", local_size " + text(chunk.local_size) + ", chunk_len " +
            text(chunk.chunk_len());
    if (problem_.facts.paper_window) line += ", window " + text(*problem_.facts.paper_window);
    if (scales_linearly(problem_)) line += ", rope_factor " + rounded_text(*problem_.rope.factor);
    return line + ", seq_len " + text(seq_len());
}

std::vector<std::string> PositionTable::remarks() const {
    const Dialect& dialect = reference::dialect_of(problem_);
    std::vector<std::string> lines;
    if (const auto paper = in_paper_settings(problem_)) {
        if (dialect.succ == SuccRule::windowed) {
            lines.push_back("In the paper's symbols: s = " + text(paper->stride) + ", c = " + text(paper->length) +
                            ", w_p = " + text(paper->window) + ".");
        } else if (dialect.inter == InterRule::clamped) {
            lines.push_back(in_paper(*paper));
        }
        if (dialect.succ != SuccRule::clamped || dialect.inter != InterRule::clamped) lines.push_back(in_code(*paper));
    }
    if (scales_linearly(problem_) && dialect.linear == LinearScaling::frequencies) {
        lines.emplace_back(dialect.scaling == ScalingSupport::ignored
                               ? "rope_factor does nothing: this dialect ignores rope_scaling (H15)."
                               : "rope_factor divides the frequencies of this dialect, not its positions.");
    }
    return lines;
}

std::string rounded_text(double position) {
    if (position == std::trunc(position)) return exact_text(position);
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.6g", position);
    return buffer.data();
}

std::string exact_text(double position) {
    return position == std::trunc(position) ? text(static_cast<std::int64_t>(position)) : golden::shortest(position);
}

}  // namespace dca::cli
