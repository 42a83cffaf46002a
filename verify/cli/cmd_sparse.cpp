// dca sparse: which keys a sparse prefill attends to.
#include <fnmatch.h>

#include <iostream>
#include <memory>

#include "golden/case_text.hpp"
#include "golden/make_inputs.hpp"
#include "golden/regenerate.hpp"
#include "golden/store.hpp"
#include "verify/cli/commands.hpp"
#include "verify/cli/sparse_picture.hpp"

namespace dca::cli {
namespace {

struct Options {
    std::string file;
    std::vector<std::string> cases;
};

constexpr const char* help_footer = R"(A case asks for a sparse prefill by its facts (docs/sparse_prefill.md):
  dialect_sparse_vertical_size, dialect_sparse_slash_size   columns and diagonals of each head (one, or one per head)
  dialect_sparse_last_q, dialect_sparse_block               rows that vote (64), rows of a tile (64)
  dialect_sparse_forced_verticals, ..._forced_slashes       taken before all others (30, 100)
  dialect_sparse_threshold                                  prompts up to this length are dense (0)
  dialect_sparse_rules                                      vllm or sglang_later
Printed are, per head and mode, the pairs attended, their share of dense attention and the rows that attend to nothing;
for sequences of at most 64 keys also a picture. dca generate makes golden files of such cases (gradient=0).

Example:
  dca sparse --case 'seq_q=32 head_dim=8 C=14 w=4 gradient=0 dialect_sparse_vertical_size=6 dialect_sparse_slash_size=5
    dialect_sparse_block=4 dialect_sparse_forced_verticals=2 dialect_sparse_forced_slashes=3
    dialect_sparse_rules=sglang_later')";

/// What is wrong with one case is said with its name.
void show(const std::string& id, const Problem& problem, Inputs inputs) {
    const std::string where = "case " + id + ": ";
    if (problem.facts.sparse_vertical_size.empty()) {
        throw InvalidProblem(where +
                             "asks for no sparse prefill; give dialect_sparse_vertical_size and "
                             "dialect_sparse_slash_size");
    }
    if (!problem.sparse_prefill()) {
        throw InvalidProblem(where + "decode is dense; dialect_phase=prefill makes it a prefill");
    }
    inputs.dout.reset();  // what is attended to does not depend on it
    try {
        const sparse::SparseConfig config = sparse::config_of(problem);
        const std::vector<sparse::SegmentPlan> plans = sparse::plans(problem, inputs, config);
        write_sparse_counts(std::cout, id, problem, config, plans);
        write_sparse_pictures(std::cout, problem, config, plans);
    } catch (const InvalidProblem& error) {
        throw InvalidProblem(where + error.what());
    } catch (const Unsupported& error) {
        throw Unsupported(where + error.what());
    }
}

void show_texts(const Options& options) {
    for (std::size_t n = 0; n < options.cases.size(); ++n) {
        const golden::CaseSpec spec = golden::parse_case(options.cases[n]);
        if (spec.chunk_summary) throw InvalidProblem("case " + spec.id + ": chunk-summary attention has no prefill");
        try {
            validate(spec.problem);
        } catch (const InvalidProblem& error) {
            throw InvalidProblem("case " + spec.id + ": " + error.what());
        }
        if (n > 0) std::cout << '\n';
        show(spec.id, spec.problem, golden::make_inputs(spec));
    }
}

void show_file(const Options& options) {
    const golden::FileReader reader(options.file);
    bool shown = false;
    for (const std::string& id : reader.case_ids()) {
        bool chosen = options.cases.empty();
        for (const std::string& glob : options.cases) chosen = chosen || fnmatch(glob.c_str(), id.c_str(), 0) == 0;
        if (!chosen) continue;
        golden::CaseData data = reader.read(id);
        golden::load_inputs(data);
        // Unasked-for dense cases are passed over; a case named by --case is not.
        if (data.problem.facts.sparse_vertical_size.empty() && options.cases.empty()) continue;
        if (shown) std::cout << '\n';
        shown = true;
        show(id, data.problem, data.inputs);
    }
    if (shown) return;
    throw InvalidProblem(options.file + (options.cases.empty() ? ": no case asks for a sparse prefill"
                                                               : ": no case matches what --case asks for"));
}

int run(const Options& options) {
    if (options.file.empty() && options.cases.empty()) throw UsageError("sparse needs --case TEXT or --file FILE.h5");
    options.file.empty() ? show_texts(options) : show_file(options);
    return 0;
}

}  // namespace

void add_sparse(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("sparse", "Which keys a vertical-slash sparse prefill attends to");
    command
        ->add_option("--case", options->cases,
                     "A case as one line of text; with --file: only cases whose id matches (* and ?). Can be repeated")
        ->allow_extra_args(false);
    command->add_option("--file", options->file, "Take problem and inputs of the cases of this file (.h5)");
    command->footer(help_footer);
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace dca::cli
