// The gradients against central differences of the reference's own forward.
#include <cmath>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

double loss(const Problem& problem, const Inputs& inputs) {
    const Outputs outputs = reference::forward(problem, inputs);
    long double sum = 0;
    for (std::size_t n = 0; n < outputs.out.values().size(); ++n) {
        sum += static_cast<long double>(outputs.out.values()[n]) * inputs.dout->values()[n];
    }
    return static_cast<double>(sum);
}

}  // namespace

TEST_CASE("gradients match central differences along random directions") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Problem problem = test::random_problem(seed);
        INFO("seed " << seed << ": " << test::describe(problem));
        const Inputs inputs = test::random_inputs(problem, seed, 0.7);
        const Inputs direction = test::random_inputs(problem, seed + 1000);
        const Gradients gradients = reference::backward(problem, inputs, reference::forward(problem, inputs));
        const auto check = [&](const char* which, Tensor4 Inputs::*field, const Tensor4& gradient) {
            CAPTURE(which);
            // Steps h and h/2: their difference estimates the h^2 truncation error by 4/3, so the finer one is off by a
            // third of it; rounding adds a few roundoffs of the loss (its terms: |dout . out| summed) over h.
            constexpr double h = 0x1p-14;
            const auto slope = [&](double step) {
                Inputs plus = inputs, minus = inputs;
                for (std::size_t n = 0; n < gradient.values().size(); ++n) {
                    (plus.*field).values()[n] += step * (direction.*field).values()[n];
                    (minus.*field).values()[n] -= step * (direction.*field).values()[n];
                }
                return (loss(problem, plus) - loss(problem, minus)) / (2 * step);
            };
            double exact = 0;
            for (std::size_t n = 0; n < gradient.values().size(); ++n) {
                exact += gradient.values()[n] * (direction.*field).values()[n];
            }
            const double coarse = slope(h), fine = slope(h / 2);
            double terms = 0;
            const Outputs outputs = reference::forward(problem, inputs);
            for (std::size_t n = 0; n < outputs.out.values().size(); ++n) {
                terms += std::abs(outputs.out.values()[n] * inputs.dout->values()[n]);
            }
            const double bound = std::abs(coarse - fine) + 64 * 0x1p-53 * terms / h;
            CAPTURE(exact, coarse, fine, bound);
            CHECK(std::abs(fine - exact) <= bound);
        };
        check("dq", &Inputs::q, gradients.dq);
        check("dk", &Inputs::k, gradients.dk);
        check("dv", &Inputs::v, gradients.dv);
    }
}
