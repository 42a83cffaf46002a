#include "golden/chunk_summary_schema.hpp"

#include <algorithm>
#include <array>

#include "golden/schema.hpp"
#include "golden/text.hpp"

namespace dca::golden {
namespace {

using chunk_summary::Problem;
using chunk_summary::TensorId;

std::int64_t integer_of(const AttributeValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    throw FormatError("is " + std::string(kind_text(value)) + ", expected an integer");
}

/// The value of an enumeration by its name.
template <class T>
T named(const AttributeValue& value, std::optional<T> (*parse)(std::string_view), const char* expected) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) throw FormatError("is " + std::string(kind_text(value)) + ", expected a string");
    const std::optional<T> parsed = parse(*text);
    if (!parsed) throw InvalidProblem("is '" + printable(*text) + "', expected one of " + expected);
    return *parsed;
}

std::vector<ChunkSummaryDataset> every_dataset() {
    std::vector<ChunkSummaryDataset> all;
    for (const TensorId id : chunk_summary::all_tensors) all.push_back({"inputs", std::string(name(id)), id});
    all.push_back({"inputs", "dout", std::nullopt});
    for (const std::string prefix : {"", "sigma_"}) {
        const std::string group = prefix.empty() ? "outputs" : "judge";
        all.push_back({group, prefix + "out", std::nullopt});
        for (const TensorId id : chunk_summary::all_tensors) all.push_back({group, prefix + gradient_name(id), id});
    }
    return all;
}

}  // namespace

std::vector<std::string_view> chunk_summary_attributes() {
    return {"algorithm", "chunk_size", "dtype", "heads", "pooling", "scope"};
}

void set_chunk_summary_attribute(std::string_view name, const AttributeValue& given, Problem& problem) {
    const AttributeValue value = unwrapped(given);
    if (name == "chunk_size") {
        problem.chunk_size = integer_of(value);
    } else if (name == "heads") {
        problem.heads = integer_of(value);
    } else if (name == "dtype") {
        problem.dtype = named(value, parse_dtype, "f64 f32 tf32 f16 bf16");
    } else if (name == "scope") {
        problem.scope = named(value, chunk_summary::parse_scope, "attention block model");
    } else {
        expects(name == "pooling", "set_chunk_summary_attribute: unknown attribute");
        problem.pooling = named(value, chunk_summary::parse_pooling, "last_timestep all mean_pool");
    }
}

std::optional<AttributeValue> chunk_summary_attribute(std::string_view name, const Problem& problem) {
    if (name == "algorithm") return std::string(algorithm_chunk_summary);
    if (name == "chunk_size") return problem.chunk_size;
    if (name == "heads") return problem.heads;
    if (name == "dtype") return std::string(dca::name(problem.dtype));
    if (name == "scope") return std::string(chunk_summary::name(problem.scope));
    if (problem.scope != chunk_summary::Scope::model) return std::nullopt;
    return std::string(chunk_summary::name(problem.pooling));
}

const std::vector<ChunkSummaryDataset>& chunk_summary_datasets() {
    static const std::vector<ChunkSummaryDataset> all = every_dataset();
    return all;
}

bool has(const Problem& problem, const ChunkSummaryDataset& dataset) {
    return !dataset.tensor || has(problem, *dataset.tensor);
}

chunk_summary::Sizes extents(const Problem& problem, const ChunkSummaryDataset& dataset) {
    return dataset.tensor ? extents(problem, *dataset.tensor) : out_extents(problem);
}

std::string axes_text(const Problem& problem, const ChunkSummaryDataset& dataset) {
    return dataset.tensor ? axes_text(problem, *dataset.tensor) : out_axes_text(problem);
}

}  // namespace dca::golden
