// An absolute key index where the remapped position belongs: the characteristic mistake of chunked positions.
#include "reference/spec/index.hpp"

void rotate(dca::RotaryPosition position);

void use(dca::KeyIndex j) {
#ifdef WRONG
    rotate(j);
#else
    rotate(dca::RotaryPosition(j.value() % 4));
#endif
}
