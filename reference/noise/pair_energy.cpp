#include "reference/noise/pair_energy.hpp"

namespace dca::reference::noise {

PairEnergy::PairEnergy(RopeLayout layout, std::int64_t head_dim, std::int64_t rotary_dim)
    : layout_(layout),
      head_dim_(static_cast<int>(head_dim)),
      pairs_(static_cast<int>(rotary_dim / 2)),
      column_(static_cast<std::size_t>(head_dim)) {
    for (int k = 0; k < pairs_; ++k) {
        column_[static_cast<std::size_t>(first(k))] = k;
        column_[static_cast<std::size_t>(second(k))] = k;
    }
    for (int e = 2 * pairs_; e < head_dim_; ++e) column_[static_cast<std::size_t>(e)] = e - pairs_;
}

void PairEnergy::measure(const double* row, double* energy) const {
    for (int k = 0; k < pairs_; ++k) {
        const double a = row[first(k)], b = row[second(k)];
        energy[k] = (a * a + b * b) / 2;
    }
    for (int e = 2 * pairs_; e < head_dim_; ++e) energy[e - pairs_] = row[e] * row[e];
}

void PairEnergy::average(const double* row, double* mean) const {
    for (int k = 0; k < pairs_; ++k) mean[k] = (row[first(k)] + row[second(k)]) / 2;
    for (int e = 2 * pairs_; e < head_dim_; ++e) mean[e - pairs_] = row[e];
}

}  // namespace dca::reference::noise
