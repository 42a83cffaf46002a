#include <cmath>

#include "tests/support/catch.hpp"
#include "verify/measure/repeats.hpp"

using namespace dca::measure;

namespace {

Point timed(const std::vector<double>& seconds) {
    Point point;
    for (const double one : seconds) {
        Repeat repeat;
        repeat.cpu_seconds = one;
        repeat.wall_seconds = 10 * one;
        point.repeats.push_back(repeat);
    }
    return point;
}

}  // namespace

TEST_CASE("the interval of a median from its ranks") {
    // 2^-5 = 0.03 on each side is within 0.05; 2^-4 is not.
    const Estimate five = median_interval({5, 1, 4, 2, 3});
    CHECK(five.value == 3);
    CHECK(five.low == 1);
    CHECK(five.high == 5);
    const Estimate four = median_interval({1, 2, 3, 4});
    CHECK(four.value == 2.5);
    CHECK(four.low == 0);
    CHECK(std::isinf(four.high));
    // Of eight, P(Binomial(8, 1/2) < 2) = 9 / 256 = 0.035: the second and the seventh.
    const Estimate eight = median_interval({8, 7, 6, 5, 4, 3, 2, 1});
    CHECK(eight.low == 2);
    CHECK(eight.high == 7);
    CHECK(relative_width({1, 1, 1, 1, 1, 1}) == 0);
    CHECK(std::isinf(relative_width({1, 1, 1})));
    CHECK(std::isinf(relative_width({})));
    CHECK(std::isinf(relative_width({0, 0, 0, 0, 0, 0})));
}

TEST_CASE("a drift is told, scatter is not") {
    CHECK(disturbance(timed({1, 1.3, 1, 1.3, 1, 1.3, 1, 1.3})).empty());
    CHECK(disturbance(timed({1, 1, 1, 1.05, 1.05, 1.05})).empty());  // within a tenth
    CHECK(disturbance(timed({1, 1, 1, 1.5, 1.5, 1.5})).find("50 % longer") != std::string::npos);
    CHECK(disturbance(timed({2, 2, 2, 1, 1, 1})).find("50 % less") != std::string::npos);
    CHECK(disturbance(timed({1, 1, 1.6, 1.5, 1.5, 1.5})).empty());  // the halves overlap
    CHECK(disturbance(timed({1, 2})).empty());                      // too few to say
}

TEST_CASE("seconds on a GPU are what counts where all repeats have them") {
    Point point = timed({1, 2});
    CHECK(steadiest_times(point) == std::vector<double>{1, 2});
    point.repeats[0].gpu_seconds = 5;
    CHECK(steadiest_times(point) == std::vector<double>{1, 2});
    point.repeats[1].gpu_seconds = 6;
    CHECK(steadiest_times(point) == std::vector<double>{5, 6});
}
