// There is no arithmetic on indices: the distance of a pair is a definition, not a subtraction.
#include "reference/spec/index.hpp"

std::int64_t distance(dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return (i - j).value();
#else
    return i.value() - j.value();
#endif
}
