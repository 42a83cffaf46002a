// Expected x got x expected rounding error -> report. Knows nothing of positions: regions come with the golden.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "golden/store.hpp"
#include "verify/run/result.hpp"

namespace dca::verify {

/// The lines of the acceptance rule, in units of sigma, with their derivation in docs/error_model.md.
struct Lines {
    double element;  ///< |error| <= element * sigma for every element
    double row;      ///< rms_row(error) <= row * rms_row(sigma); 0: the rule does not apply
};

/// out 6 / 2, lse 6 / none, gradients (those of chunk-summary cases too) 6 / 3.
[[nodiscard]] Lines lines_for(const std::string& tensor);

/// A ratio above this fraction of its line is marginal: passed, and said so.
inline constexpr double marginal_fraction = 0.5;

/// How the pass over a tensor is done. The report is the same whatever they are.
struct PassSettings {
    unsigned threads = 0;  ///< 0: as many as the machine has, at most 8
    /// About how many elements a thread looks at before the next ones: what it holds of them (20 bytes each) should
    /// stay in its cache.
    std::int64_t piece_elements = std::int64_t{1} << 15;
};

/// One tensor, in one pass. Rank 4 tensors are (batch, row, head, channel), rank 3 (lse) is (batch, head, row);
/// region_of_row has one entry per row.
///
/// Non-finite classes are judged first and must agree exactly; acceptance is in positive form, so a NaN anywhere fails.
/// A sigma of 0 asks for the expected value exactly. Elements whose sigma is not a number, infinite or negative are not
/// judged, and neither is anything when sigma is empty (a golden without scales): the tensor is then mistrusted at
/// best.
///
/// A pass is trusted only if an output of zeros would have broken a rule in every region. Where the expected values of
/// a region are themselves zero, zeros are the answer and the line is what must be able to fail: element line * sigma
/// must not exceed natural_size, the size a typical wrong value would have (0: only sigma 0 will do). "Zero" includes
/// what the reference's own rounding leaves of an exact zero, at most 2^-40 natural_size.
///
/// Precondition: the spans have the size of the extents (sigma may be empty), no NaN or negative natural_size.
[[nodiscard]] TensorReport compare_tensor(const std::string& tensor, std::span<const std::int64_t> extents,
                                          std::span<const double> expected, std::span<const double> got,
                                          std::span<const float> sigma, std::span<const Region> region_of_row,
                                          double natural_size = 0, const PassSettings& settings = {});

struct TensorReaders {
    golden::TensorReader &expected, &got;
    golden::TensorReader* sigma = nullptr;  ///< null: the golden has no scales
};

/// compare_tensor for tensors in files, in constant memory: at most 8 MiB. extents: of what is judged (rank 3 or 4;
/// the readers may lack the batch axis). row_numbers: of its rows where they are a selection; empty: all.
/// region_of_row: by number. natural_size is asked for only where zeros would pass. Throws what the readers throw.
[[nodiscard]] TensorReport compare_readers(const std::string& tensor, std::span<const std::int64_t> extents,
                                           const TensorReaders& readers, std::span<const std::int64_t> row_numbers,
                                           std::span<const Region> region_of_row,
                                           const std::function<double()>& natural_size,
                                           const PassSettings& settings = {});

/// The size of a typical wrong value of each tensor (compare_tensor), from the golden's inputs or the case that makes
/// them.
[[nodiscard]] std::map<std::string, double> natural_sizes(const golden::CaseData& golden);

/// Every tensor that golden and candidate both have. Verdict of the case: join over its tensors; skipped if there is
/// none, or if the candidate brings a tensor the golden cannot judge; mistrusted if the comparison could not fail (for
/// example every sigma infinite, or golden without judge data).
[[nodiscard]] CaseReport compare_case(const golden::CaseData& golden, const golden::Results& candidate);

}  // namespace dca::verify
