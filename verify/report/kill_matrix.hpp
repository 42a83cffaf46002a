// The kill matrix: which wrong computation (row) is caught by which case (column), and by how much.
#pragma once

#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include "verify/report/writers.hpp"

namespace dca::verify {

struct KillMatrix {
    struct Cell {
        /// Largest ratio in units of the line it is held against: above 1 the case kills the mutant. NaN: the mutant
        /// does not apply to the case.
        double margin = std::numeric_limits<double>::quiet_NaN();
        int rank = 0;  ///< of the mutant among the explanations of the failure, 1 the first; 0: not named
    };
    std::string title;                 ///< e.g. "Kill matrix of suite ci in bf16"
    std::string summary;               ///< one or two sentences: how many are killed, how many named
    std::vector<std::string> rows;     ///< ids of the mutants
    std::vector<std::string> titles;   ///< what each mutant does; as long as rows, or empty
    std::vector<std::string> columns;  ///< ids of the cases
    std::vector<Cell> cells;           ///< row-major, rows x columns
};

/// A page like that of write_html: per mutant whether a case kills it, by how much and whether it is named; the matrix
/// as a heat map and as a table. Throws ContractError where the cells are not rows x columns.
void write_kill_matrix_html(std::ostream& out, const KillMatrix& matrix, const HtmlOptions& options = {});

}  // namespace dca::verify
