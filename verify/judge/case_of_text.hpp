// A case that a kernel can be shown, from its text.
#pragma once

#include <string_view>

#include "golden/case_text.hpp"

namespace dca::judge {

/// Throws InvalidProblem where the text is no case, or one that is to be rejected.
[[nodiscard]] inline golden::CaseSpec case_of_text(std::string_view text) {
    golden::CaseSpec spec = golden::parse_case(text);
    if (spec.expectation != golden::Expectation::valid) {
        throw InvalidProblem("expect=reject: a case that is to be rejected says nothing about a kernel");
    }
    return spec;
}

}  // namespace dca::judge
