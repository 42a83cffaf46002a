// What is fitted to a ladder whether or not a claim asks for it.
#pragma once

#include "verify/measure/result.hpp"

namespace dca::measure {

/// Appends the fits of memory, and where `timed` of processor time (of the GPU where it was timed there), along n and
/// along chunk_size, wherever there are sizes enough.
void add_fits(MeasureReport& report, std::size_t ladder, bool timed);

}  // namespace dca::measure
