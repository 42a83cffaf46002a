#include "reference/sparse/config.hpp"

#include <string>

#include "reference/math/chunk_positions.hpp"
#include "reference/spec/error.hpp"

namespace dca::sparse {
namespace {

void require_at_least(const char* field, std::int64_t value, std::int64_t least) {
    if (value >= least) return;
    throw InvalidProblem(std::string(field) + " is " + std::to_string(value) + ", must be at least " +
                         std::to_string(least));
}

void require_sizes(const char* field, const std::vector<std::int64_t>& sizes, std::int64_t heads) {
    const auto count = static_cast<std::int64_t>(sizes.size());
    if (count != 1 && count != heads) {
        throw InvalidProblem(std::string(field) + " has " + std::to_string(count) + " values; give one, or one for " +
                             "each of the " + std::to_string(heads) + " query heads");
    }
    for (std::int64_t size : sizes) require_at_least(field, size, 1);
}

}  // namespace

void validate(const Problem& problem, const SparseConfig& config) {
    require_sizes("sparse vertical_size", config.vertical_size, problem.shape.heads_q);
    require_sizes("sparse slash_size", config.slash_size, problem.shape.heads_q);
    require_at_least("sparse last_q", config.last_q, 1);
    require_at_least("sparse block", config.block, 1);
    require_at_least("sparse forced_verticals", config.forced_verticals, 0);
    require_at_least("sparse forced_slashes", config.forced_slashes, 0);
    require_at_least("sparse threshold", config.threshold, 0);
    for (std::int64_t length : config.prompt_length) require_at_least("prompt_length", length, 1);
}

SparseConfig config_of(const Problem& problem) {
    const DialectFacts& facts = problem.facts;
    expects(!facts.sparse_vertical_size.empty() && !facts.sparse_slash_size.empty(), "config_of: a sparse prefill");
    SparseConfig config;
    config.vertical_size = facts.sparse_vertical_size;
    config.slash_size = facts.sparse_slash_size;
    config.last_q = facts.sparse_last_q.value_or(config.last_q);
    config.block = facts.sparse_block.value_or(config.block);
    config.forced_verticals = facts.sparse_forced_verticals.value_or(config.forced_verticals);
    config.forced_slashes = facts.sparse_forced_slashes.value_or(config.forced_slashes);
    config.threshold = facts.sparse_threshold.value_or(config.threshold);
    if (facts.sparse_rules == SparseRules::sglang_later) config.rules = sglang_later_rules;
    config.prompt_length = facts.prompt_length;
    if (facts.prompt_length.size() > 1) {
        // The fact counts empty sequences too.
        config.prompt_length.clear();
        for (const reference::Sequence& sequence : reference::sequences(problem)) {
            config.prompt_length.push_back(facts.prompt_length.at(static_cast<std::size_t>(sequence.number)));
        }
    }
    return config;
}

}  // namespace dca::sparse
