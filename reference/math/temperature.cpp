#include "reference/math/temperature.hpp"

#include <algorithm>

#include "reference/math/natural_log.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

std::int64_t prompt_length(const Problem& problem, const Sequence& sequence) {
    const auto& given = problem.facts.prompt_length;
    // Decode rows follow the prompt; without a fact the first of them is taken to be the first generated token.
    const bool decode = problem.resolved_phase() == Phase::decode;
    if (given.empty()) return decode ? std::max<std::int64_t>(sequence.offset, 1) : sequence.key_count();
    const std::int64_t length = given.size() == 1 ? given.front() : given[static_cast<std::size_t>(sequence.number)];
    return decode ? length : std::max(length, sequence.key_count());
}

}  // namespace

TemperatureLaw::TemperatureLaw(const Problem& problem, const Sequence& sequence)
    : rule_(dialect_of(problem).temperature), decode_(problem.resolved_phase() == Phase::decode) {
    const auto& facts = problem.facts;
    const auto reference = rule_.length == TemperatureLength::longest_seen ? facts.max_position_embeddings
                                                                           : facts.original_max_position_embeddings;
    if (rule_.place == TemperaturePlace::nowhere || !reference) return;
    reference_ = static_cast<double>(*reference);
    prompt_ = prompt_length(problem, sequence);
    seen_ = facts.max_seen_length.value_or(0);
}

double TemperatureLaw::factor(std::int64_t length) const {
    if (off()) return 1;
    if (rule_.place == TemperaturePlace::whole_head && rule_.length == TemperatureLength::prompt) {
        // The vllm family forms it in float32, step by step.
        const float ratio = static_cast<float>(length) / static_cast<float>(reference_);
        const float log = static_cast<float>(natural_log(ratio));
        return std::max(1.0F, static_cast<float>(rule_.coefficient) * log + 1.0F);
    }
    return std::max(1.0, rule_.coefficient * natural_log(static_cast<double>(length) / reference_) + 1);
}

double TemperatureLaw::query(QueryIndex i) const {
    if (off()) return 1;
    const std::int64_t length = i.value() + 1;
    switch (rule_.length) {
        case TemperatureLength::own_index: return factor(length);
        case TemperatureLength::prompt: return factor(decode_ ? length : prompt_);
        case TemperatureLength::longest_seen: return factor(std::max({decode_ ? length : 0, prompt_, seen_}));
    }
    throw ContractError("temperature without a length");
}

double TemperatureLaw::key(KeyIndex j) const {
    if (off() || rule_.length == TemperatureLength::own_index) return 1;
    const bool generated = decode_ && j.value() >= prompt_;
    const std::int64_t length = generated ? j.value() + 1 : prompt_;
    if (rule_.length == TemperatureLength::longest_seen) return factor(std::max({length, prompt_, seen_}));
    return generated && rule_.generated_keys == GeneratedKeys::unscaled ? 1 : factor(length);
}

}  // namespace dca::reference
