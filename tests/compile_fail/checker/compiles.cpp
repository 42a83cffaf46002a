// For the test of check.sh: the wrong line is right.
#include "reference/spec/index.hpp"

bool same(dca::KeyIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return i == j;
#else
    return i <= j;
#endif
}
