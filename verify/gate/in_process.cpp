#include "verify/gate/in_process.hpp"

#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "golden/text.hpp"
#include "verify/candidate/poisoned_buffer.hpp"

namespace dca::verify {
namespace {

template <std::size_t Rank>
std::string shape_text(const std::array<std::int64_t, Rank>& extents) {
    return golden::shape_text(extents);
}

/// Why a result cannot be looked at, empty when it can.
template <int Rank>
std::string wrong_shape(const char* name, const std::optional<Tensor<double, Rank>>& tensor,
                        const std::type_identity_t<Extents<Rank>>& extents) {
    if (!tensor || tensor->extents() == extents) return {};
    return std::string(name) + " has shape " + shape_text(tensor->extents()) + ", the problem has " +
           shape_text(extents);
}

std::string wrong_shape(const golden::Results& results, const Shape& shape) {
    for (const std::string& wrong :
         {wrong_shape("out", results.out, out_extents(shape)), wrong_shape("lse", results.lse, lse_extents(shape)),
          wrong_shape("dq", results.dq, q_extents(shape)), wrong_shape("dk", results.dk, k_extents(shape)),
          wrong_shape("dv", results.dv, v_extents(shape))}) {
        if (!wrong.empty()) return wrong;
    }
    return {};
}

/// The first row of a tensor whose bits differ, -1 if none does. Tensors of other extents differ in row 0.
std::int64_t changed_row(const Tensor4& before, const Tensor4& after) {
    if (before.extents() != after.extents()) return 0;
    const auto was = before.values(), is = after.values();
    for (std::size_t i = 0; i < was.size(); ++i) {
        if (std::bit_cast<std::uint64_t>(was[i]) == std::bit_cast<std::uint64_t>(is[i])) continue;
        const std::int64_t row_size = before.extent(2) * before.extent(3);
        return static_cast<std::int64_t>(i) / row_size % before.extent(1);
    }
    return -1;
}

std::string changed(const Inputs& before, const Inputs& after) {
    const auto one = [](const char* name, const Tensor4& was, const Tensor4& is) {
        const std::int64_t row = changed_row(was, is);
        return row < 0 ? std::string()
                       : std::string("it changed its input ") + name + ", first in row " + std::to_string(row);
    };
    for (const std::string& what :
         {one("q", before.q, after.q), one("k", before.k, after.k), one("v", before.v, after.v)}) {
        if (!what.empty()) return what;
    }
    if (before.dout.has_value() != after.dout.has_value()) return "it changed its input dout";
    return before.dout ? one("dout", *before.dout, *after.dout) : std::string();
}

}  // namespace

Attempt InProcess::attempt(const golden::CaseSpec&, const golden::CaseData& data) {
    Attempt attempt;
    if (data.chunk_summary) {
        return {Attempt::End::unsupported, "chunk-summary cases are not for candidates of this kind", {}, 0};
    }
    try {
        const Support support = candidate_.supports(data.problem);
        if (!support.yes) return {Attempt::End::unsupported, support.reason, {}, 0};
        Inputs lent = data.inputs;  // a kernel may write where it must not
        const auto begin = std::chrono::steady_clock::now();
        attempt.results = candidate_.run(data.problem, lent);
        attempt.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        const golden::Results& got = attempt.results;
        attempt.reason = got.out || got.lse || got.dq || got.dk || got.dv ? wrong_shape(got, data.problem.shape)
                                                                          : "it returned no tensor";
        if (attempt.reason.empty()) attempt.reason = changed(data.inputs, lent);
    } catch (const BufferFault& fault) {
        attempt.reason = std::string("it ") + fault.what();
    } catch (const std::bad_alloc&) {
        attempt.reason = "it ran out of memory";
    } catch (const std::exception& error) {
        attempt.reason = std::string("it threw: ") + error.what();
    } catch (...) {
        attempt.reason = "it threw something that is no std::exception";
    }
    if (attempt.reason.empty()) attempt.end = Attempt::End::computed;
    return attempt;
}

}  // namespace dca::verify
