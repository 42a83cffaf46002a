// A larger case with right results, to plant errors into.
#pragma once

#include <functional>

#include "golden/case_text.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/localise.hpp"
#include "verify/run/make_golden.hpp"

namespace dca::test {

[[nodiscard]] inline golden::CaseData planted_golden(const std::string& text) {
    return verify::make_case(golden::parse_case("id=case " + text));
}

/// Adds `sigmas` error scales to every channel of the rows of `tensor` for which `bad` holds.
template <class Tensor, class Scale>
void plant(Tensor& tensor, const Scale& scale, double sigmas,
           const std::function<bool(std::int64_t batch, std::int64_t row, std::int64_t head)>& bad) {
    const auto [batches, rows, heads, channels] = tensor.extents();
    for (std::int64_t b = 0; b < batches; ++b) {
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t h = 0; h < heads; ++h) {
                for (std::int64_t c = 0; c < channels; ++c) {
                    if (bad(b, i, h)) tensor(b, i, h, c) += (c % 3 ? 1 : -1) * sigmas * double{scale(b, i, h, c)};
                }
            }
        }
    }
}

}  // namespace dca::test
