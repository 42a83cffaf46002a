#pragma once
#include "reference/probe/key_chunk.hpp"
namespace dca::reference::probe {
class KeyNoise {
public:
    void begin_block(const Head&, const Panel&, const Block&, std::int64_t, const std::vector<double>&) {}
    void add_tile(int, const double*) {}
    void add_part(const FinishedHead&, Mode, const KeyChunk::Part&) {}
    void finish(int, const double*, const double*, const double*, ProbeResults&) {}
};
}
