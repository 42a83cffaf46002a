// The distance of a pair is not a position to rotate by.
#include "reference/oracle/positions.hpp"

void rotate(dca::RotaryPosition position);

void use(dca::oracle::RelativePosition distance) {
#ifdef WRONG
    rotate(distance);
#else
    rotate(dca::RotaryPosition(distance.value()));
#endif
}
