// A view takes as many indices as it has axes.
#include "reference/spec/tensor.hpp"

double first(const dca::Tensor<double, 3>& tensor) {
#ifdef WRONG
    return tensor.view()(0, 0);
#else
    return tensor.view()(0, 0, 0);
#endif
}
