// The judge judged: every mutant of the catalogue is caught by suite ci, and no honest kernel is.
#include <fstream>
#include <sstream>

#include "golden/catalogue.hpp"
#include "tests/support/catch.hpp"
#include "verify/matrix/document.hpp"
#include "verify/matrix/limits.hpp"
#include "verify/matrix/text.hpp"

using namespace dca;

namespace {

/// Some 40 s of one core; to name the kills takes three times that.
const matrix::Matrix& of_suite_ci() {
    static const matrix::Matrix matrix = [] {
        matrix::Options options;
        options.dtypes = matrix::document_dtypes();
        return matrix::compute(golden::suite("ci"), options);
    }();
    return matrix;
}

std::string file(const std::string& path) {
    std::ifstream in(std::string(DCA_SOURCE_DIR "/") + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

void check_page(const std::string& path, const std::string& page, void (*write)(std::ostream&, const matrix::Matrix&)) {
    std::ostringstream written;
    write(written, of_suite_ci());
    INFO(path << " is out of date; write it again with: dca document " << page << " >" << path);
    CHECK(written.str().size() > 1000);
    CHECK((written.str() == file(path)));
}

}  // namespace

TEST_CASE(
    "suite ci kills every mutant in f32, f16 and bf16 but for the known limits, names them, and kills no honest "
    "kernel") {
    const matrix::Matrix& matrix = of_suite_ci();
    REQUIRE(matrix.left_out.empty());
    REQUIRE(matrix.mutants.size() == mutants::catalogue().size());
    std::size_t missed = 0;
    for (const matrix::Tally& one : matrix::tally(matrix)) {
        INFO(one.mutant->id << " in " << name(one.dtype) << ", best margin " << one.margin);
        CHECK(one.applies > 0);
        // Neither a mutant that is missed and not excused, nor an excuse for one that is killed.
        CHECK((one.kills == 0) == matrix::is_limit(*one.mutant, one.dtype));
        missed += one.kills == 0 ? 1U : 0U;
    }
    std::size_t excused = 0;
    for (const matrix::Limit& limit : matrix::limits()) {
        CHECK(mutants::find(limit.mutant) != nullptr);
        excused += limit.dtypes.size();
    }
    CHECK(missed == excused);
    for (const matrix::Column& column : matrix.columns) {
        REQUIRE(column.honest.size() == matrix::honest_styles().size());
        for (std::size_t s = 0; s < column.honest.size(); ++s) {
            INFO(column.case_id << " in " << name(column.dtype) << ", " << matrix::honest_styles()[s].name
                                << ": margin " << column.honest[s].margin);
            CHECK_FALSE(column.honest[s].killed);
            // Half of the line is marginal (docs/error_model.md); a case whose scales are too wide to judge is not.
            CHECK((column.honest[s].margin <= 0.5 || !column.unheard.empty()));
        }
    }
    CHECK(matrix::exit_status(matrix, {}) == 0);
    const std::vector<matrix::Naming> namings = matrix::name_kills(matrix, golden::suite("ci"), {});
    CHECK(namings.size() + missed == matrix::tally(matrix).size());
    for (const matrix::Naming& one : namings) {
        std::string explanations;
        for (const std::string& id : one.explanations) explanations += " " + id;
        INFO(one.mutant->id << " in " << name(one.dtype) << ", case " << one.case_id << ":" << explanations);
        CHECK(one.named != matrix::is_naming_limit(*one.mutant, one.dtype));
    }
    check_page("docs/bug_catalogue.md", "bug-catalogue", matrix::write_bug_catalogue);
    check_page("docs/limits.md", "limits", matrix::write_limits);
}
