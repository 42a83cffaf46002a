// Query first, key second.
#include "reference/oracle/positions.hpp"

dca::Mode mode(const dca::ChunkConfig& chunk, dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return dca::oracle::pair_mode(chunk, j, i);
#else
    return dca::oracle::pair_mode(chunk, i, j);
#endif
}
