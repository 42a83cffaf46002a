// Small kernels run on the emulated machine, sound ones and ones with a planted bug.
#pragma once

#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/machine/emulated.hpp"
#include "tests/support/catch.hpp"

namespace planted {

using namespace dca::gpu;
using M = Emulated;

/// A bug must be caught whatever the order of threads, so every test runs with several.
inline constexpr std::uint64_t seeds = 5;

inline emulated::LaunchStats run(int threads, std::uint32_t shared_bytes, const std::function<void()>& body,
                                 std::uint64_t seed = 1, Index3 grid = {1, 1, 1}) {
    emulated::LaunchOptions options;
    options.seed = seed;
    return emulated::launch("planted", grid, threads, shared_bytes, body, options);
}

/// CHECK of kernel text: Catch2's would swallow what the machine throws through the expression.
inline void expect(bool right) {
    if (!right) throw std::logic_error("kernel text got a wrong value");
}

/// What the machine says; empty if it finds nothing.
inline std::string fault(int threads, std::uint32_t shared_bytes, const std::function<void()>& body,
                         std::uint64_t seed = 1, Index3 grid = {1, 1, 1}) {
    try {
        run(threads, shared_bytes, body, seed, grid);
    } catch (const emulated::MachineFault& f) {
        return f.what();
    }
    return {};
}

/// Every seed finds a fault whose one line has all these parts.
inline void caught(int threads, std::uint32_t shared_bytes, const std::function<void()>& body,
                   std::initializer_list<std::string> parts) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const std::string message = fault(threads, shared_bytes, body, seed);
        INFO("seed " << seed << ": " << message);
        CHECK(message.rfind("kernel planted: ", 0) == 0);
        CHECK(message.find('\n') == std::string::npos);
        for (const std::string& part : parts) {
            INFO("expected: " << part);
            CHECK(message.find(part) != std::string::npos);
        }
    }
}

/// No seed finds anything.
inline void sound(int threads, std::uint32_t shared_bytes, const std::function<void()>& body) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) CHECK(fault(threads, shared_bytes, body, seed) == "");
}

/// A place in kernel text that the test wants to find again in a message: M::call(..., spot(here)).
inline M::Where spot(std::string& here, M::Where at = M::Where::current()) {
    const std::string path = at.file_name();
    here = path.substr(path.find_last_of('/') + 1) + ":" + std::to_string(at.line());
    return at;
}

/// caught(), and each message names all the places, which the kernel text gives while it runs.
inline void caught_at(int threads, std::uint32_t shared_bytes, const std::function<void()>& body,
                      std::initializer_list<const std::string*> places, std::initializer_list<std::string> parts) {
    caught(threads, shared_bytes, body, parts);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const std::string message = fault(threads, shared_bytes, body, seed);
        for (const std::string* place : places) {
            INFO(message << " names " << *place);
            CHECK(!place->empty());
            CHECK(message.find(*place) != std::string::npos);
        }
    }
}

inline SharedAddress word(int i) {
    return M::shared() + static_cast<std::uint32_t>(4 * i);
}

}  // namespace planted
