// An integer becomes an index only where the code says which one.
#include "reference/spec/index.hpp"

void attend(dca::QueryIndex i);

void use() {
#ifdef WRONG
    attend(3);
#else
    attend(dca::QueryIndex(3));
#endif
}
