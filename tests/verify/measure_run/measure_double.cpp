// A program whose use of time and memory is known. As `measure-point ...` it answers as dca does, with planted
// candidates; as `NAME N INPUT OUTPUT` it is a candidate of somebody else's.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "golden/case_text.hpp"
#include "verify/measure/serve.hpp"

using dca::Unsupported;
using dca::measure::Subject;

namespace {

/// Holds so many bytes for a moment, every page of them touched.
void hold(std::int64_t bytes) {
    char* block = static_cast<char*>(std::malloc(static_cast<std::size_t>(bytes)));
    if (block == nullptr) throw std::bad_alloc();
    std::memset(block, 1, static_cast<std::size_t>(bytes));
    asm volatile("" : : "r"(block) : "memory");  // looked at: neither the block nor its contents may be left out
    std::free(block);
}

/// Counted work: so many dependent additions.
void work(std::int64_t steps) {
    volatile double sum = 0;
    for (std::int64_t i = 0; i < steps; ++i) sum = sum + 1.0;
}

std::int64_t power_of_two_from(std::int64_t size) {
    std::int64_t power = 1;
    while (power < size) power *= 2;
    return power;
}

constexpr std::int64_t late = 2000, work_unit = 4000, long_work = 25'000'000;

void note_process() {
    if (const char* file = std::getenv("DCA_TEST_PIDS")) std::ofstream(file, std::ios::app) << getpid() << '\n';
}

void run(const std::string& name, std::int64_t n) {
    static int calls = 0;
    ++calls;
    if (name == "linear") return hold(1000 * n);
    if (name == "square") return hold(n * n);
    if (name == "late_square") return hold(1000 * n + (n > late ? n * n : 0));
    if (name == "doubling") return hold(1000 * power_of_two_from(n));
    if (name == "steady") return work(work_unit * n);
    if (name == "slow") return work(3 * work_unit * n);
    if (name == "slowing") return work(calls > 4 ? 2 * long_work : long_work);
    if (name == "crash" && n > 1000) std::raise(SIGSEGV);
    if (name == "hang") pause();
    if (name == "throws") throw std::runtime_error("no more\npaper");
    if (name == "refuses") throw Unsupported("n is not a prime");
    if (name == "exits") std::_Exit(7);
    hold(1000);
}

int serve(int argc, char** argv) {
    std::map<std::string, std::string> given;
    for (int i = 2; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
    const std::string name = given["--candidate"];
    note_process();
    const auto make = [&](const dca::golden::CaseSpec& spec) {
        Subject subject;
        subject.input_bytes = 8;
        subject.output_bytes = 16;
        subject.call = [name, n = spec.problem.shape.seq_k] { run(name, n); };
        return subject;
    };
    return dca::measure::serve(make, dca::golden::parse_case(given["--case"]), std::cin, std::cout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string(argv[1]) == "measure-point") return serve(argc, argv);
    if (argc != 5) return 2;
    note_process();
    const std::string name = argv[1];
    if (name == "no_output") return 0;
    if (name == "fails") {
        std::cerr << "no kernel for this head_dim\n";
        return 5;
    }
    run(name, std::atoll(argv[2]));
    std::ofstream(argv[4]) << "something\n";
    return 0;
}
