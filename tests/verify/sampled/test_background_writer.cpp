// Writing on another thread: in order, and a failure there reaches those who wait.
#include "golden/case_text.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"
#include "verify/run/background_writer.hpp"

using namespace dca;
using namespace dca::test;
using namespace dca::verify;

namespace {

/// The head of a golden that stores lse alone, of 4 rows.
golden::CaseData head() {
    const golden::CaseSpec spec = golden::parse_case("id=a probe seq_q=4 head_dim=4 C=3 w=1 gradient=0");
    golden::CaseData data;
    data.id = spec.id;
    data.problem = spec.problem;
    data.regenerates = spec;
    data.provenance["case_text"] = golden::to_text(spec);
    return data;
}

const std::vector<double> values{1, 2, 3, 4};

}  // namespace

TEST_CASE("what is appended from a distance arrives in order") {
    const ScratchFolder folder;
    golden::FileWriter file(folder / "a.h5");
    {
        golden::CaseStream stream = file.begin(head(), {"outputs/lse"});
        BackgroundWriter writer(stream);
        for (std::size_t n = 0; n < values.size(); ++n) writer.append("outputs/lse", std::span(values).subspan(n, 1));
        writer.finish();
        stream.finish({});
    }
    file.commit();
    const golden::CaseData read = golden::FileReader(folder / "a.h5").read("a");
    REQUIRE(read.results.lse);
    CHECK(std::vector<double>(read.results.lse->values().begin(), read.results.lse->values().end()) == values);
}

TEST_CASE("a failure of the writing thread is thrown where one waits for it") {
    const ScratchFolder folder;
    golden::FileWriter file(folder / "a.h5");
    golden::CaseStream stream = file.begin(head(), {"outputs/lse"});
    BackgroundWriter writer(stream);
    writer.append("outputs/out", std::span(values));  // was not begun
    CHECK_THROWS_AS(writer.finish(), ContractError);
    CHECK_THROWS_AS(writer.append("outputs/lse", std::span(values)), ContractError);
}

TEST_CASE("a background writer that is given up leaves the rest out and the target untouched") {
    const ScratchFolder folder;
    {
        golden::FileWriter file(folder / "a.h5");
        golden::CaseStream stream = file.begin(head(), {"outputs/lse"});
        BackgroundWriter writer(stream);
        writer.append("outputs/lse", std::span(values).first(2));
    }
    CHECK_FALSE(std::filesystem::exists(folder / "a.h5"));
}
