// Fresh processes, what they report, and how candidates break.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"
#include "tests/verify/measure_run/planted.hpp"

using namespace dca::measure;
using dca::test::ladders;

namespace {

constexpr std::int64_t page = 4096;

std::string failure_of(const std::string& name, std::int64_t n = 100, double timeout = 60) {
    return ladders({name}, {n}, false, timeout).at(0).points.at(0).failure;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Contender command(const std::string& text) {
    Contender made = dca::test::planted("mine");
    made.command = text;
    return made;
}

/// The double as somebody else's program, with a shop that makes inputs with dca itself.
std::string double_command(const std::string& name) {
    return std::string(DCA_MEASURE_DOUBLE) + " " + name + " {n} {input} {output}";
}

std::vector<Ladder> run_command(const std::string& text, const std::vector<std::int64_t>& lengths,
                                double timeout = 60) {
    LadderOptions options;
    options.contenders = {command(text)};
    options.sizes = dca::test::sizes(lengths);
    options.timed = false;
    Workshop shop = dca::test::workshop(timeout);
    shop.program = DCA_PROGRAM;
    return run_ladders(options, shop);
}

}  // namespace

TEST_CASE("every size and candidate gets a process of its own") {
    const dca::test::TemporaryFolder folder;
    const std::string file = folder / "pids";
    setenv("DCA_TEST_PIDS", file.c_str(), 1);
    (void)ladders({"linear", "square"}, {100, 200, 300});
    unsetenv("DCA_TEST_PIDS");
    std::istringstream text(dca::test::read_file(file));
    std::multiset<int> pids;
    for (int pid = 0; text >> pid;) pids.insert(pid);
    CHECK(pids.size() == 6);
    CHECK(std::set<int>(pids.begin(), pids.end()).size() == 6);
    CHECK(pids.count(getpid()) == 0);
}

TEST_CASE("a program that holds a known amount is measured within a page, every time alike") {
    const std::vector<Ladder> all = ladders({"linear", "square"}, {1000, 3000});
    for (const Ladder& ladder : all) {
        for (const Point& point : ladder.points) {
            REQUIRE(point.failure.empty());
            REQUIRE(point.repeats.size() == 5);
            CHECK(point.input_bytes == 8);
            CHECK(point.output_bytes == 16);
            [[maybe_unused]] const std::int64_t held =
                ladder.candidate == "linear" ? 1000 * point.n : point.n * point.n;
            for (const Repeat& repeat : point.repeats) {
                REQUIRE(repeat.peak_bytes);
#ifdef DCA_ALLOCATION_HOOK
                CHECK(point.memory_source == MemorySource::allocation_hook);
                CHECK(*repeat.peak_bytes >= held);
                CHECK(*repeat.peak_bytes <= held + page);  // one block (test_allocations.cpp)
#else
                CHECK(point.memory_source == MemorySource::resident);
#endif
            }
#ifdef DCA_ALLOCATION_HOOK
            // Resident memory agrees where it is told, up to what the kernel's counters may lag (1 MiB), both ways.
            if (point.resident_bytes) CHECK(std::abs(*point.resident_bytes - held) <= (1 << 20));
#endif
        }
    }
}

TEST_CASE("rounds alternate: every candidate once in each, times above zero") {
    const std::vector<Ladder> all = ladders({"steady", "slow"}, {500}, true);
    for (const Ladder& ladder : all) {
        const Point& point = ladder.points.at(0);
        REQUIRE(point.repeats.size() == 6);
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(point.repeats[i].round == static_cast<int>(i));
            CHECK(point.repeats[i].wall_seconds > 0);
            CHECK(point.repeats[i].cpu_seconds > 0);
            REQUIRE(point.repeats[i].stolen);
            CHECK(*point.repeats[i].stolen >= 0);
            CHECK(*point.repeats[i].stolen <= 1);
            CHECK_FALSE(point.repeats[i].gpu_seconds);
        }
    }
}

TEST_CASE("how candidates break is told in one clause, and later sizes are left out") {
    const std::vector<Ladder> all = ladders({"crash", "linear"}, {500, 2000, 4000});
    CHECK(all[0].points[0].failure.empty());
    CHECK(has(all[0].points[1].failure, "it was killed by SIGSEGV"));
    CHECK(has(all[0].points[2].failure, "left out: it broke at n = 2000"));
    CHECK(all[0].points[2].repeats.empty());
    for (const Point& point : all[1].points) CHECK(point.failure.empty());  // the other one goes on

    CHECK(has(failure_of("throws"), "it threw: no more?paper"));
    CHECK(has(failure_of("refuses"), "n is not a prime"));
    CHECK(has(failure_of("exits"), "it exited with status 7"));
    CHECK(has(failure_of("hang", 100, 0.3), "did not end within 0.3 s"));
    CHECK_FALSE(failure_of("linear", 100).size() > 0);
}

TEST_CASE("a size whose run would take too long is left out") {
    LadderOptions options;
    options.contenders = {dca::test::planted("steady")};
    options.sizes = dca::test::sizes({1000, 1'000'000});
    options.timed = false;
    options.longest_run = 60;  // a run at 1000 takes milliseconds: a million times that is more
    Workshop shop = dca::test::workshop();
    const Point point = run_ladders(options, shop).at(0).points.at(1);
    CHECK(point.failure.find("left out: one run is foreseen to take ") == 0);
}

// A sanitizer's shadow grows with what the program holds.
#ifdef DCA_ALLOCATION_HOOK

TEST_CASE("a command of somebody else's: memory above a run of next to nothing") {
    const std::vector<Ladder> all = run_command(double_command("square"), {6000, 9000});
    for (const Point& point : all.at(0).points) {
        REQUIRE(point.failure.empty());
        CHECK(point.memory_source == MemorySource::rusage);
        CHECK(point.input_bytes == 3 * point.n * 8 * 8);  // q, k, v of 8 channels in f64
        for (const Repeat& repeat : point.repeats) {
            REQUIRE(repeat.peak_bytes);
            // n^2 bytes are held, and the inputs, which it does not read, are taken off. The floor is a run of the same
            // program, or this process, if that has more resident: below 64 MiB here, against 34 and 77 MiB of n^2.
            const std::int64_t expected = point.n * point.n - point.input_bytes;
            CHECK(*repeat.peak_bytes <= expected + (2 << 20));
            if (point.n == 9000) CHECK(*repeat.peak_bytes >= expected - (64 << 20));
        }
    }
}

#endif

TEST_CASE("a command that fails, writes nothing or hangs has broken") {
    const auto failure = [](const std::string& name, double timeout) {
        return run_command(double_command(name), {100}, timeout).at(0).points.at(0).failure;
    };
    CHECK(has(failure("fails", 60), "the program exited with status 5; its last words: no kernel for this head_dim"));
    CHECK(has(failure("no_output", 60), "wrote no output"));
    CHECK(has(failure("hang", 2), "the program did not end within 2 s"));
}
