// Whether rows a candidate wrote are what a mistake computes, within the rounding noise of that mistake
// (docs/diagnosis.md derives the line).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "golden/store.hpp"

namespace dca::verify {

inline constexpr std::array<std::string_view, 5> tensor_names{"out", "lse", "dq", "dk", "dv"};

/// A row of one head of a tensor.
struct RowRef {
    std::int64_t batch = 0, row = 0, head = 0;
    friend bool operator==(const RowRef&, const RowRef&) = default;
};

/// One tensor of a set of results, by rows; empty where the set does not have it.
class Rows {
public:
    Rows() = default;
    Rows(const golden::Results& results, std::string_view tensor);
    [[nodiscard]] explicit operator bool() const { return four_ != nullptr || three_ != nullptr; }
    [[nodiscard]] std::span<const double> at(const RowRef& row) const;
    [[nodiscard]] std::int64_t batches() const;
    [[nodiscard]] std::int64_t rows() const;
    [[nodiscard]] std::int64_t heads() const;

private:
    const Tensor4* four_ = nullptr;
    const Tensor3* three_ = nullptr;
};

/// Every row of a tensor.
[[nodiscard]] std::vector<RowRef> every_row(const golden::Results& results, std::string_view tensor);

/// The error scales of a tensor, by rows.
class ScaleRows {
public:
    ScaleRows(const ErrorScales& scales, std::string_view tensor);
    [[nodiscard]] explicit operator bool() const { return four_ != nullptr || three_ != nullptr; }
    [[nodiscard]] std::span<const float> at(const RowRef& row) const;

private:
    const Tensor<float, 4>* four_ = nullptr;
    const Tensor<float, 3>* three_ = nullptr;
};

/// Whether the judge would fail this row: another class of non-finite values, an element over its line, or the row.
[[nodiscard]] bool row_fails(std::string_view tensor, std::span<const double> expected, std::span<const double> got,
                             std::span<const float> sigma);

/// The results that one tensor's agreement is read off.
struct Hypothesis {
    const golden::Results& golden;
    const ErrorScales& scales;  ///< the golden's
    const golden::Results& candidate;
    const golden::Results& exact;   ///< what the mistake computes
    const golden::Results& noise;   ///< one kernel's rounding errors with the mistake
    const golden::Results& honest;  ///< one kernel's rounding errors without it
};

struct Agreement {
    bool differs = false;   ///< the mistake's own result fails as the golden's
    bool agrees = false;    ///< every row of the candidate is the mistake's, within noise
    bool explains = false;  ///< both, and the candidate's error is explained by it
    double ratio = 0;       ///< worst row of the candidate against the mistake's result, in scales of the mistake
};

[[nodiscard]] Agreement agreement(std::string_view tensor, std::span<const RowRef> rows, const Hypothesis& hypothesis);

/// Cheap, before the noise is known: whether the candidate's failing rows are nearer to the mistake's than to the
/// golden's.
[[nodiscard]] bool is_near(std::string_view tensor, std::span<const RowRef> rows, const golden::Results& golden,
                           const ErrorScales& scales, const golden::Results& candidate, const golden::Results& exact);

}  // namespace dca::verify
