// Lets a failing check show binary128 numbers, for both Catch2 generations.
#pragma once

#include <quadmath.h>

#include <string>

#include "tests/support/catch.hpp"

namespace Catch {

template <>
struct StringMaker<__float128> {
    static std::string convert(__float128 value) {
        char text[64];
        quadmath_snprintf(text, sizeof text, "%.36Qg", value);
        return text;
    }
};

}  // namespace Catch
