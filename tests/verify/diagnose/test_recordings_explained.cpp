// The public implementations, judged by the definition they deviate from: every failure is called by its name.
#include <algorithm>
#include <filesystem>
#include <map>

#include "golden/store.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/run_compare.hpp"

namespace {

using namespace dca::verify;

bool is(const Explanation& one, const std::string& id) {
    return one.id == id || std::find(one.same_as.begin(), one.same_as.end(), id) != one.same_as.end();
}

std::string listed(const CaseReport& report) {
    std::string text;
    for (const Explanation& one : report.explanations) {
        text += one.id + " (";
        for (const std::string& tensor : one.tensors) text += tensor + " ";
        text += std::to_string(one.ratio) + ") ";
    }
    return text;
}

std::vector<std::string> failing(const CaseReport& report) {
    std::vector<std::string> tensors;
    for (const TensorReport& tensor : report.tensors) {
        if (tensor.verdict == Verdict::failed) tensors.push_back(tensor.tensor);
    }
    return tensors;
}

TEST_CASE("every recording that fails the definition is called by the name of its dialect") {
    const std::map<std::string, int> failures{{"chunkllama", 10},
                                              {"chunkllama_flash_decoding", 4},
                                              {"chunkqwen", 2},
                                              {"megatron_bridge_pr4185", 0},
                                              {"megatron_pr4048", 20},
                                              {"sglang", 11},
                                              {"vllm", 11},
                                              {"vllm_fork", 12}};
    for (const auto& [name, expected] : failures) {
        const dca::test::ScratchFolder folder;
        const std::filesystem::path recording =
            std::filesystem::path(DCA_SOURCE_DIR) / "tests/recordings" / (name + ".h5");
        RunOptions as_exact;
        as_exact.dialect = "exact";
        static_cast<void>(run_file(recording, folder / "golden.h5", as_exact, {}));
        const RunReport report = run_compare(folder / "golden.h5", recording, {});
        int failed = 0;
        for (const CaseReport& one : report.cases) {
            if (one.verdict != Verdict::failed) continue;
            ++failed;
            INFO(one.id << " is called " << listed(one));
            const auto& all = one.explanations;
            const auto found =
                std::find_if(all.begin(), all.end(), [&](const Explanation& e) { return is(e, "dialect-" + name); });
            CHECK(found - all.begin() < 2);
            if (found != all.end()) CHECK(found->tensors == failing(one));
        }
        INFO(name);
        CHECK(failed == expected);
    }
}

}  // namespace
