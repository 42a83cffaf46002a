// For the test of check.sh: with WRONG defined the error is not on the line that is meant to be wrong.
#include "reference/spec/index.hpp"

bool same(dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return i.value() == j.value();
}
bool other(dca::QueryIndex i, dca::KeyIndex j) {
    return i == j;
#else
    return i.value() == j.value();
#endif
}
