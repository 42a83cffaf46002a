// The kill matrix: which wrong computation (row) is caught by which case (column), and by how much.
#pragma once

#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#include "verify/report/writers.hpp"

namespace dca::verify {

/// One dtype of a suite.
struct KillMatrix {
    struct Cell {
        /// Largest ratio in units of the line it is held against: above 1 the case kills the mutant. NaN: the mutant
        /// does not apply to the case.
        double margin = std::numeric_limits<double>::quiet_NaN();
        int rank = 0;  ///< of the mutant among the explanations of the failure, 1 the first; 0: not named, or not tried
    };
    std::string title;                 ///< e.g. "bf16"; of its section
    std::vector<std::string> rows;     ///< ids of the mutants
    std::vector<std::string> titles;   ///< what each mutant does; as long as rows, or empty
    std::vector<std::string> columns;  ///< ids of the cases
    std::vector<Cell> cells;           ///< row-major, rows x columns
};

struct KillPage {
    std::string title;    ///< e.g. "Kill matrix of suite ci"
    std::string summary;  ///< one or two sentences: how many are killed, how many named, what is known of those missed
    std::vector<KillMatrix> matrices;
    bool passed = false;  ///< what the command's exit status says; the colour of the heading
};

/// A page like that of write_html. Of each matrix: per mutant whether a case kills it, by how much and in how many it
/// is named; the matrix as a heat map and as a table. Throws ContractError where cells are not rows x columns.
void write_kill_matrix_html(std::ostream& out, const KillPage& page, const HtmlOptions& options = {});

}  // namespace dca::verify
