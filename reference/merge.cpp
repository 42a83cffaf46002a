// The LSE merge of partial results (Def.8), row by row, with Eigen on the channels.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/forward.hpp"
#include "reference/math/parallel.hpp"
#include "reference/spec/error.hpp"

namespace dca::reference {
namespace {

using Row = Eigen::Map<Eigen::RowVectorXd>;
using ConstRow = Eigen::Map<const Eigen::RowVectorXd>;

}  // namespace

Outputs merge(std::span<const Outputs> parts) {
    expects(!parts.empty(), "merge: at least one part");
    for (const Outputs& part : parts) {
        expects(part.out.extents() == parts[0].out.extents() && part.lse.extents() == parts[0].lse.extents(),
                "merge: parts of different shapes");
    }
    Outputs merged{Tensor4(parts[0].out.extents()), Tensor3(parts[0].lse.extents())};
    const auto [batch, rows, heads, dim] = merged.out.extents();
    const double work = static_cast<double>(merged.out.size()) * static_cast<double>(parts.size());
    parallel_for(batch * rows, work, [&, rows = rows, heads = heads, dim = dim](std::int64_t item) {
        const std::int64_t b = item / rows, row = item % rows;
        for (std::int64_t head = 0; head < heads; ++head) {
            double largest = -std::numeric_limits<double>::infinity();
            for (const Outputs& part : parts) largest = std::max(largest, part.lse(b, head, row));
            double& lse = merged.lse(b, head, row);
            lse = largest;
            if (largest == -std::numeric_limits<double>::infinity()) continue;  // a merge of empties is empty
            double total = 0;
            Row out(&merged.out(b, row, head, 0), dim);
            for (const Outputs& part : parts) {
                const double weight = std::exp(part.lse(b, head, row) - largest);
                total += weight;
                out += weight * ConstRow(&part.out(b, row, head, 0), dim);
            }
            out /= total;
            lse += std::log(total);
        }
    });
    return merged;
}

}  // namespace dca::reference
