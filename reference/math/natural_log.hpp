// ln of a double with the same bits on every machine, which the C library's does not promise.
#pragma once

namespace dca::reference {

/// ln(x) for normal x > 0: within 2^-52 (1 + |ln x|).
[[nodiscard]] double natural_log(double x);

}  // namespace dca::reference
