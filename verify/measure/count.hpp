// What a run must compute, counted instead of measured.
#pragma once

#include "verify/measure/session.hpp"

namespace dca::measure {

/// Fills elements and flops of a point from its sizes: per visible pair and head two products of head_dim and two of
/// head_dim_v operations forward, and backward five products on top (docs/performance.md). Of a candidate that computes
/// something else than causal attention nothing is counted.
void count_work(const Contender& contender, Point& point);

}  // namespace dca::measure
