#include "tests/verify/judge/kernels.hpp"

#include "golden/case_text.hpp"
#include "verify/peer/peer.hpp"

namespace dca::test {
namespace {

dca::Dtype internal(judge::Dtype dtype) {
    return *parse_dtype(judge::name(dtype));
}

}  // namespace

double read(const judge::InputTensor& tensor, std::int64_t i) {
    switch (storage_bytes(tensor.dtype)) {
        case 8: return tensor.as<double>()[i];
        case 4: return tensor.as<float>()[i];
        case 2: return decode(internal(tensor.dtype), tensor.as<std::uint16_t>()[i]);
        default: return decode(internal(tensor.dtype), tensor.as<std::uint8_t>()[i]);
    }
}

namespace {

void write(const judge::OutputTensor& tensor, std::int64_t i, double value) {
    switch (storage_bytes(tensor.dtype)) {
        case 8: tensor.as<double>()[i] = value; break;
        case 4: tensor.as<float>()[i] = static_cast<float>(value); break;
        case 2: tensor.as<std::uint16_t>()[i] = encode(internal(tensor.dtype), value); break;
        default: tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(encode(internal(tensor.dtype), value));
    }
}

Tensor4 tensor_of(const judge::InputTensor& from) {
    Tensor4 tensor(Extents<4>(from.shape));
    for (std::int64_t i = 0; i < from.size(); ++i) tensor.values()[static_cast<std::size_t>(i)] = read(from, i);
    return tensor;
}

void copy(std::span<const double> values, const judge::OutputTensor& to) {
    if (!to) return;
    if (to.size() != static_cast<std::int64_t>(values.size())) throw std::logic_error("another size");
    for (std::int64_t i = 0; i < to.size(); ++i) write(to, i, values[static_cast<std::size_t>(i)]);
}

}  // namespace

judge::Support PeerKernel::supports(const judge::Problem&) const {
    return support;
}

void PeerKernel::run(const judge::Problem& problem, const judge::Inputs& in, const judge::Outputs& to) {
    ++runs;
    seen = problem;
    if (beforehand) beforehand(in, to);
    const golden::CaseSpec spec = golden::parse_case(text_);
    dca::Inputs inputs{tensor_of(in.q), tensor_of(in.k), tensor_of(in.v), {}};
    if (in.dout) inputs.dout = tensor_of(in.dout);
    const peer::PeerResult result = peer::run_peer(spec.problem, inputs);
    copy(result.outputs.out.values(), to.out);
    copy(result.outputs.lse.values(), to.lse);
    if (result.gradients) {
        copy(result.gradients->dq.values(), to.dq);
        copy(result.gradients->dk.values(), to.dk);
        copy(result.gradients->dv.values(), to.dv);
    }
    if (afterwards) afterwards(in, to);
}

}  // namespace dca::test
