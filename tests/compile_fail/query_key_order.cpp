// Query and key indices count different things; their order goes through value() on purpose.
#include "reference/spec/index.hpp"

bool visible(dca::QueryIndex i, dca::KeyIndex j) {
#ifdef WRONG
    return j <= i;
#else
    return j.value() <= i.value();
#endif
}
