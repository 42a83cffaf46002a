#include "reference/math/parallel.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.hpp"

TEST_CASE("parallel_for calls every item once and rethrows, on one thread or on several") {
    for (double work : {1.0, 1e9}) {
        CAPTURE(work);
        std::vector<std::atomic<int>> calls(1000);
        dca::reference::parallel_for(1000, work, [&](std::int64_t item) { ++calls[static_cast<std::size_t>(item)]; });
        for (const auto& count : calls) REQUIRE(count == 1);
        const auto fail_at_seven = [](std::int64_t item) {
            if (item == 7) throw std::runtime_error("seven");
        };
        REQUIRE_THROWS_AS(dca::reference::parallel_for(10, work, fail_at_seven), std::runtime_error);
    }
}
