// Turns taken in order by threads that start in order, and what happens when one of them fails.
#include "reference/math/turns.hpp"

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "reference/math/parallel.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::reference;

namespace {

constexpr std::int64_t members = 40;
constexpr std::size_t queues = 5;
constexpr double worth_sharing = 1e9;

}  // namespace

TEST_CASE("members take their turns in ascending order on any number of threads") {
    const int before = thread_count();
    for (int threads : {1, 2, 5}) {
        CAPTURE(threads);
        use_threads(threads);
        Turns turns(queues);
        std::vector<std::vector<std::int64_t>> order(queues);
        parallel_in_order(members, worth_sharing, [&] {
            return [&](std::int64_t member) {
                for (std::size_t queue = 0; queue < queues; ++queue) {
                    turns.wait(queue, member);
                    order[queue].push_back(member);
                    if (member % 7 == 0) std::this_thread::yield();
                    turns.done(queue);
                }
            };
        });
        for (const auto& of_queue : order) {
            REQUIRE(of_queue.size() == members);
            for (std::size_t n = 0; n < of_queue.size(); ++n) CHECK(of_queue[n] == static_cast<std::int64_t>(n));
        }
    }
    use_threads(before);
}

TEST_CASE("a member that fails ends the waiting of the others") {
    const int before = thread_count();
    use_threads(3);
    Turns turns(1);
    const auto make_body = [&] {
        return [&](std::int64_t member) {
            try {
                turns.wait(0, member);
                if (member == 4) throw std::runtime_error("member 4");
                turns.done(0);
            } catch (const Turns::Abandoned&) {
                return;
            } catch (...) {
                turns.abandon();
                throw;
            }
        };
    };
    std::string said;
    try {
        parallel_in_order(members, worth_sharing, make_body);
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said == "member 4");
    use_threads(before);
}
