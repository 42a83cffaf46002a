// An index does not decay to an integer that could then be mixed with any other.
#include "reference/spec/index.hpp"

std::int64_t number(dca::KeyIndex j) {
#ifdef WRONG
    return j;
#else
    return j.value();
#endif
}
