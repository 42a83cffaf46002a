// The kill matrix: every mutant against every case of a suite, in every dtype asked for. It judges the judge: a mutant
// that passes is a mistake this program would not see.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "golden/case_spec.hpp"
#include "golden/store.hpp"
#include "verify/mutants/mutant.hpp"
#include "verify/run/result.hpp"

namespace dca::matrix {

/// What became of one mutant in one case.
struct Cell {
    bool applies = false;  ///< false: the mistake cannot make a difference here, and nothing was run
    bool killed = false;   ///< the verdict was failed
    /// How many times over its line the worst rule is: killed means above 1, and infinite where a non-finite value
    /// stands where none belongs or the other way round.
    double margin = 0;
    std::string tensor;  ///< which tensor that was
};

/// One case in one dtype.
struct Column {
    std::string case_id;
    Dtype dtype = Dtype::f64;
    bool own_dtype = false;            ///< the dtype the suite gives it
    std::vector<Cell> cells;           ///< by mutant
    std::vector<Cell> honest;          ///< by style; killed: a false alarm
    std::vector<std::string> unheard;  ///< reason of a verdict that was neither passed nor failed, of an honest style
};

/// An honest kernel; none may fail.
struct Style {
    std::string_view name;
    bool apart;  ///< the modes run apart and merge, as three calls of a flash kernel do
};
[[nodiscard]] std::span<const Style> honest_styles();

struct Matrix {
    std::vector<const mutants::Mutant*> mutants;
    std::vector<Column> columns;        ///< by dtype, then in the order of the cases
    std::vector<std::string> left_out;  ///< "case ID in bf16: why", of what no peer computes
};

struct Options {
    std::vector<Dtype> dtypes;      ///< empty: each case in its own
    std::string mutant_glob = "*";  ///< ids, by * and ?
    std::string case_glob = "*";
    /// Called as columns are finished, by one thread at a time.
    std::function<void(std::size_t done, std::size_t total)> progress;
};

/// Runs the matrix on as many threads as the reference would use. Cases that must be rejected, that sample rows, probes
/// and chunk summaries are not part of it. Throws InvalidProblem where no case or no mutant is left. The same numbers
/// whatever the threads.
[[nodiscard]] Matrix compute(const std::vector<golden::CaseSpec>& cases, const Options& options);

/// The case in another dtype; what it says of the types inside the kernel is then left out.
[[nodiscard]] golden::CaseSpec in_dtype(golden::CaseSpec spec, Dtype dtype);

/// The worst rule of a comparison.
[[nodiscard]] Cell cell_of(const verify::CaseReport& report);

/// One mutant in one dtype.
struct Tally {
    const mutants::Mutant* mutant = nullptr;
    Dtype dtype = Dtype::f64;
    int applies = 0, kills = 0;
    const Column* best = nullptr;  ///< the case with the largest margin (the first of several); null where none applies
    double margin = 0;
};
/// By mutant, then by dtype, both in the order of the matrix.
[[nodiscard]] std::vector<Tally> tally(const Matrix& matrix);

/// Whether a failing mutant is called by its name.
struct Naming {
    const mutants::Mutant* mutant = nullptr;
    Dtype dtype = Dtype::f64;
    std::string case_id;
    std::vector<std::string> explanations;  ///< ids, the best first
    bool named = false;                     ///< it, or a mutant equal to it, is among the first two
};
/// Explains every kill on its best case.
[[nodiscard]] std::vector<Naming> name_kills(const Matrix& matrix, const std::vector<golden::CaseSpec>& cases,
                                             const std::function<void(std::size_t, std::size_t)>& progress);

/// Whether an explanation of this id names the mutant: by its id, or that of a mutant with the same result in exact
/// arithmetic (Mutant::also).
[[nodiscard]] bool names(std::string_view explanation, const mutants::Mutant& mutant);

}  // namespace dca::matrix
