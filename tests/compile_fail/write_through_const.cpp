// The view of a constant tensor is read-only.
#include "reference/spec/tensor.hpp"

double touch(const dca::Tensor<double, 2>& tensor) {
#ifdef WRONG
    return tensor(0, 0) = 1;
#else
    return tensor(0, 0);
#endif
}
