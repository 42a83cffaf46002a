// What every test of the command line needs: the one-line rule, sample cases, and the recordings.
#pragma once

#include <algorithm>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

namespace dca::test {

inline bool contains(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

inline std::string shell_quoted(const std::string& text) {
    return "'" + text + "'";
}

/// Refused as every error is: status 2, nothing on stdout, one line on stderr that starts with the program's name and
/// holds these words.
inline void check_refused(const Finished& finished, const std::string& words) {
    INFO("stdout: " << finished.out);
    INFO("stderr: " << finished.err);
    INFO("expected words: " << words);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(finished.err.rfind("dca: ", 0) == 0);
    CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
    CHECK(contains(finished.err, words));
}

/// Status 0 and a silent stderr.
inline void require_success(const Finished& finished) {
    INFO("stdout: " << finished.out);
    INFO("stderr: " << finished.err);
    REQUIRE(finished.status == 0);
    REQUIRE(finished.err.empty());
}

/// A small case with gradients and all three modes.
inline const std::string small_case =
    "'id=small seq_q=21 heads_q=2 heads_kv=1 head_dim=8 chunk_size=7 local_size=2 seed=5'";

inline std::string recording(const std::string& name) {
    return shell_quoted(std::string(DCA_SOURCE_DIR "/tests/recordings/") + name + ".h5");
}

}  // namespace dca::test
