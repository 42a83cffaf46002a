#include "reference/chunk_summary/oracle/network.hpp"

namespace dca::chunk_summary::oracle {

template std::vector<double> forward(const Problem&, const Bundle<double>&);
template std::vector<Quad> forward(const Problem&, const Bundle<Quad>&);
template std::vector<Dual<Quad>> forward(const Problem&, const Bundle<Dual<Quad>>&);
template Bundle<Quad> backward(const Problem&, const Bundle<Quad>&, const std::vector<Quad>&);

}  // namespace dca::chunk_summary::oracle
