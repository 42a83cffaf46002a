// A query index is never equal to a key index.
#include "reference/spec/index.hpp"

bool same(dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return i == j;
#else
    return i == dca::QueryIndex(j.value());
#endif
}
