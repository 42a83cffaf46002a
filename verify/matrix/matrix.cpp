#include "verify/matrix/matrix.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "reference/math/parallel.hpp"
#include "verify/compare/compare.hpp"
#include "verify/run/make_golden.hpp"
#include "verify/run/results.hpp"

namespace dca::matrix {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr std::array styles{Style{"one pass", false}, Style{"modes apart", true}};

bool is_part(const golden::CaseSpec& spec, const std::string& glob) {
    return spec.expectation == golden::Expectation::valid && !spec.chunk_summary && spec.recipe.sample == 0 &&
           !spec.recipe.probe && fnmatch(glob.c_str(), spec.id.c_str(), 0) == 0;
}

struct Work {
    golden::CaseSpec spec;
    bool own_dtype;
};

class Columns {
public:
    explicit Columns(const std::vector<const mutants::Mutant*>& all) : mutants_(all) {}

    Column compute(const Work& work) {
        const golden::CaseData golden = made(work.spec);
        Column column;
        column.case_id = work.spec.id;
        column.dtype = work.spec.problem.dtype;
        column.own_dtype = work.own_dtype;
        const peer::PeerTypes types = peer::types_of(golden.problem);
        const mutants::Computed right = peer::run_peer(golden.problem, golden.inputs, types);
        for (const Style& style : styles) {
            peer::Method method;
            method.apart = style.apart;
            const auto report = verify::compare_case(
                golden,
                verify::results_of(style.apart ? peer::run_peer(golden.problem, golden.inputs, types, method) : right));
            column.honest.push_back(cell_of(report));
            const bool judged = report.verdict == verify::Verdict::passed ||
                                report.verdict == verify::Verdict::marginal ||
                                report.verdict == verify::Verdict::failed;
            if (!judged) column.unheard.push_back(report.reason);
        }
        for (const mutants::Mutant* mutant : mutants_) column.cells.push_back(cell(*mutant, golden, types, right));
        return column;
    }

private:
    /// One at a time: the reference has threads of its own.
    golden::CaseData made(const golden::CaseSpec& spec) {
        const std::scoped_lock lock(making_);
        return verify::make_case(spec);
    }

    static Cell cell(const mutants::Mutant& mutant, const golden::CaseData& golden, const peer::PeerTypes& types,
                     const mutants::Computed& right) {
        if (!mutants::applies(mutant, golden.problem)) return {};
        if (mutant.forward_right && !golden.inputs.dout) return {};
        mutants::Computed wrong = right;
        if (!mutants::spoil(mutant, golden.problem, wrong.outputs, wrong.gradients ? &*wrong.gradients : nullptr)) {
            wrong = mutants::run(mutant, golden.problem, golden.inputs, types, nullptr, &right.outputs);
        }
        return cell_of(verify::compare_case(golden, verify::results_of(std::move(wrong))));
    }

    const std::vector<const mutants::Mutant*>& mutants_;
    std::mutex making_;
};

std::vector<Work> work_of(const std::vector<golden::CaseSpec>& cases, const Options& options) {
    std::vector<Work> work;
    const auto add = [&](const golden::CaseSpec& spec, Dtype dtype) {
        work.push_back({in_dtype(spec, dtype), spec.problem.dtype == dtype});
    };
    if (options.dtypes.empty()) {
        for (const golden::CaseSpec& spec : cases) {
            if (is_part(spec, options.case_glob)) add(spec, spec.problem.dtype);
        }
    }
    for (Dtype dtype : options.dtypes) {
        for (const golden::CaseSpec& spec : cases) {
            if (is_part(spec, options.case_glob)) add(spec, dtype);
        }
    }
    if (work.empty()) throw InvalidProblem("mutants: no case matches '" + options.case_glob + "'");
    return work;
}

/// Does item n of `count` on as many threads as there may be; the first exception is rethrown.
void on_threads(std::size_t count, const std::function<void(std::size_t)>& item) {
    std::atomic<std::size_t> next = 0;
    std::exception_ptr failure;
    std::mutex failing;
    const auto loop = [&] {
        for (std::size_t n = next++; n < count; n = next++) {
            try {
                item(n);
            } catch (...) {
                const std::scoped_lock lock(failing);
                if (!failure) failure = std::current_exception();
                next = count;
            }
        }
    };
    std::vector<std::jthread> others;
    const auto threads = std::min<std::size_t>(static_cast<std::size_t>(reference::thread_count()), count);
    for (std::size_t n = 1; n < threads; ++n) others.emplace_back(loop);
    loop();
    others.clear();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

std::span<const Style> honest_styles() {
    return styles;
}

golden::CaseSpec in_dtype(golden::CaseSpec spec, Dtype dtype) {
    if (spec.problem.dtype == dtype) return spec;
    spec.problem.dtype = dtype;
    spec.problem.work = {};
    return spec;
}

Cell cell_of(const verify::CaseReport& report) {
    Cell cell{true, report.verdict == verify::Verdict::failed, 0, {}};
    for (const verify::TensorReport& tensor : report.tensors) {
        double margin = tensor.element_line > 0 ? tensor.worst.ratio / tensor.element_line : 0;
        if (tensor.worst_row && tensor.row_line > 0)
            margin = std::max(margin, tensor.worst_row->ratio / tensor.row_line);
        if (tensor.nonfinite_mismatches > 0 || std::isnan(margin)) margin = infinity;
        if (!cell.tensor.empty() && !(margin > cell.margin)) continue;
        cell.margin = margin;
        cell.tensor = tensor.tensor;
    }
    return cell;
}

Matrix compute(const std::vector<golden::CaseSpec>& cases, const Options& options) {
    Matrix matrix;
    for (const mutants::Mutant& mutant : mutants::catalogue()) {
        if (fnmatch(options.mutant_glob.c_str(), std::string(mutant.id).c_str(), 0) == 0)
            matrix.mutants.push_back(&mutant);
    }
    if (matrix.mutants.empty())
        throw InvalidProblem("mutants: none matches '" + options.mutant_glob + "'; dca list mutants names them");
    const std::vector<Work> work = work_of(cases, options);
    std::vector<Column> columns(work.size());
    std::vector<std::string> left_out(work.size());
    Columns computer(matrix.mutants);
    std::mutex reporting;
    std::size_t done = 0;
    if (options.progress) options.progress(0, work.size());
    on_threads(work.size(), [&](std::size_t n) {
        const golden::CaseSpec& spec = work[n].spec;
        try {
            columns[n] = computer.compute(work[n]);
        } catch (const Unsupported& error) {
            left_out[n] = "case " + spec.id + " in " + std::string(name(spec.problem.dtype)) + ": " + error.what();
        } catch (const InvalidProblem& error) {
            left_out[n] = "case " + spec.id + " in " + std::string(name(spec.problem.dtype)) + ": " + error.what();
        }
        const std::scoped_lock lock(reporting);
        ++done;
        if (options.progress) options.progress(done, work.size());
    });
    for (std::size_t n = 0; n < work.size(); ++n) {
        if (left_out[n].empty()) {
            matrix.columns.push_back(std::move(columns[n]));
        } else {
            matrix.left_out.push_back(left_out[n]);
        }
    }
    return matrix;
}

std::vector<Tally> tally(const Matrix& matrix) {
    std::vector<Dtype> dtypes;
    for (const Column& column : matrix.columns) {
        if (std::ranges::find(dtypes, column.dtype) == dtypes.end()) dtypes.push_back(column.dtype);
    }
    std::vector<Tally> all;
    for (std::size_t m = 0; m < matrix.mutants.size(); ++m) {
        for (Dtype dtype : dtypes) {
            Tally one{matrix.mutants[m], dtype, 0, 0, nullptr, 0};
            for (const Column& column : matrix.columns) {
                const Cell& cell = column.cells[m];
                if (column.dtype != dtype || !cell.applies) continue;
                ++one.applies;
                one.kills += cell.killed ? 1 : 0;
                if (one.best != nullptr && !(cell.margin > one.margin)) continue;
                one.best = &column;
                one.margin = cell.margin;
            }
            all.push_back(one);
        }
    }
    return all;
}

bool names(std::string_view explanation, const mutants::Mutant& mutant) {
    if (explanation == mutant.id || (!explanation.empty() && explanation == mutant.also)) return true;
    const mutants::Mutant* other = mutants::find(explanation);
    return other != nullptr && !other->also.empty() && (other->also == mutant.id || other->also == mutant.also);
}

}  // namespace dca::matrix
