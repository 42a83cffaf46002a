// What can be measured in a process of ours: a candidate with its inputs made, ready to be called again and again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "verify/measure/series.hpp"

namespace dca::measure {

/// One call computes everything and drops it.
struct Subject {
    std::function<void()> call;
    std::int64_t input_bytes = 0, output_bytes = 0;
    /// Seconds between two events on a GPU around the last call, and its peak bytes there; null where no GPU is used.
    std::function<std::optional<double>()> gpu_seconds;
    std::function<std::optional<std::int64_t>()> gpu_bytes;
};

/// Makes the inputs. Throws Unsupported or InvalidProblem where the candidate cannot compute the case.
using MakeSubject = std::function<Subject(const golden::CaseSpec&)>;

struct SubjectInfo {
    std::string name, description;
    std::string absent;  ///< why it cannot be had here; empty where it can
    bool backward = false;
    /// It computes Dual Chunk Attention, or plain causal attention, whose visible pairs are as many: what is counted of
    /// them (FLOPs, elements) is its own.
    bool causal = true;
    MakeSubject make;
};

/// The candidates that come with the program.
[[nodiscard]] const std::vector<SubjectInfo>& subjects();

/// Throws InvalidProblem for a name there is not, and Unsupported for one that is not to be had here or has no such
/// pass.
[[nodiscard]] const SubjectInfo& find_subject(const std::string& name, Pass pass);

}  // namespace dca::measure
