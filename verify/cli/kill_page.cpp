#include "verify/cli/kill_page.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include "verify/matrix/text.hpp"

namespace dca::cli {
namespace {

/// 1 or 2 where one of the first two explanations names the mutant; 0: neither, or nobody asked in this case.
int rank_of(const mutants::Mutant& mutant, const matrix::Column& column, const std::vector<matrix::Naming>& namings) {
    const auto asked = std::find_if(namings.begin(), namings.end(), [&](const matrix::Naming& one) {
        return one.mutant == &mutant && one.dtype == column.dtype && one.case_id == column.case_id;
    });
    if (asked == namings.end() || !asked->named) return 0;
    const bool first = !asked->explanations.empty() && matrix::names(asked->explanations.front(), mutant);
    return first ? 1 : 2;
}

verify::KillMatrix section(const matrix::Matrix& matrix, Dtype dtype, const std::vector<matrix::Naming>& namings) {
    verify::KillMatrix result;
    result.title = name(dtype);
    std::vector<const matrix::Column*> columns;
    for (const matrix::Column& column : matrix.columns) {
        if (column.dtype != dtype) continue;
        columns.push_back(&column);
        result.columns.push_back(column.case_id);
    }
    for (std::size_t m = 0; m < matrix.mutants.size(); ++m) {
        const mutants::Mutant& mutant = *matrix.mutants[m];
        result.rows.emplace_back(mutant.id);
        result.titles.emplace_back(mutant.title);
        for (const matrix::Column* column : columns) {
            const matrix::Cell& cell = column->cells[m];
            result.cells.push_back({cell.applies ? cell.margin : std::numeric_limits<double>::quiet_NaN(),
                                    cell.killed ? rank_of(mutant, *column, namings) : 0});
        }
    }
    return result;
}

}  // namespace

verify::KillPage kill_page(const std::string& title, const matrix::Matrix& matrix,
                           const std::vector<matrix::Naming>& namings) {
    verify::KillPage page;
    page.title = title;
    page.summary = matrix::summary(matrix, namings);
    page.passed = matrix::exit_status(matrix, namings) == 0;
    std::vector<Dtype> seen;
    for (const matrix::Column& column : matrix.columns) {
        if (std::find(seen.begin(), seen.end(), column.dtype) != seen.end()) continue;
        seen.push_back(column.dtype);
        page.matrices.push_back(section(matrix, column.dtype, namings));
    }
    return page;
}

}  // namespace dca::cli
