#pragma once
#include "reference/probe/query_block.hpp"
namespace dca::reference::probe {
class QueryNoise {
public:
    void add_tile(const Panel&, int, const double*) {}
    void add_part(int, Mode, const double*, double) {}
    void finish_dq(const AlignedBuffer&, const double*, ProbeResults&) {}
};
}
