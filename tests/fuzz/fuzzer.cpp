// The entry of libFuzzer (option DCA_FUZZ, clang). DCA_FUZZ_TARGET names what is fuzzed.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const dca::test::Target* const target = [] {
        const char* name = std::getenv("DCA_FUZZ_TARGET");
        const dca::test::Target* found = name == nullptr ? nullptr : dca::test::find_target(name);
        if (found != nullptr) return found;
        std::fputs("DCA_FUZZ_TARGET must be one of:", stderr);
        for (const dca::test::Target& each : dca::test::targets()) std::fprintf(stderr, " %s", each.name);
        std::fputs("\n", stderr);
        std::exit(2);
    }();
    target->run({data, size});
    return 0;
}
