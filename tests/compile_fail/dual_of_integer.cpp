// Integers have no exp and log, so the definition cannot be evaluated in them.
#include "reference/oracle/dual.hpp"

#ifdef WRONG
using Number = dca::oracle::Dual<int>;
#else
using Number = dca::oracle::Dual<double>;
#endif
