// Probes against the dense reference and against the oracle in binary128, over every feature and dialect.
#include <quadmath.h>

#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/rope_frequencies.hpp"
#include "reference/oracle/attention.hpp"
#include "tests/reference/probe/probe_problem.hpp"
#include "tests/support/agreement.hpp"
#include "tests/support/random_problem.hpp"

using namespace dca;

namespace {

/// Shaped as the oracle's results, for check_agreement.
void check_gradients(const reference::probe::ProbeResults& got, const auto& exact, const test::TermNorms& terms) {
    test::check_agreement("dq", *got.dq, exact.dq, terms.dq);
    test::check_agreement("dk", *got.dk, exact.dk, terms.dk);
    CHECK(test::relative_l2(*got.dv, exact.dv) <= test::reference_agreement);
}

/// Largest |got - exact|; infinite where one of them is and the other is not.
template <class T>
double farthest(std::span<const double> got, std::span<const T> exact) {
    double worst = 0;
    for (std::size_t e = 0; e < got.size(); ++e) {
        if (got[e] == exact[e]) continue;
        const auto error = static_cast<double>(fabsq(static_cast<oracle::Quad>(got[e]) - exact[e]));
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

reference::probe::ProbeResults values_of(const test::ProbeCase& probe) {
    return reference::probe::probe(probe.problem, probe.inputs, {.scales = false});
}

}  // namespace

TEST_CASE("probes agree with the oracle in binary128 on random problems") {
    int checked = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const auto probe = test::random_probe("exact", seed);
        REQUIRE(probe);
        INFO("seed " << seed << ": " << test::describe(probe->problem));
        const auto got = values_of(*probe);
        const auto exact = oracle::forward<oracle::Quad>(probe->problem, probe->dense);
        CHECK(test::relative_l2(*got.out, exact.out) <= test::reference_agreement);
        CHECK(test::relative_l2(*got.lse, exact.lse) <= test::reference_agreement);
        const auto terms = test::term_norms(probe->problem, probe->dense, reference::mscale(probe->problem.rope));
        const auto gradients = oracle::backward<oracle::Quad>(probe->problem, probe->dense);
        check_gradients(got, gradients, terms);
        const auto radii = reference::probe::error_radii(probe->problem, probe->inputs, got.largest_key_sum);
        CHECK(radii.proven);
        CHECK(farthest(got.out->values(), exact.out.values()) <= radii.out);
        CHECK(farthest(got.lse->values(), exact.lse.values()) <= radii.lse);
        CHECK(farthest(got.dq->values(), gradients.dq.values()) <= radii.dq);
        CHECK(farthest(got.dk->values(), gradients.dk.values()) <= radii.dk);
        CHECK(farthest(got.dv->values(), gradients.dv.values()) <= radii.dv);
        ++checked;
    }
    CHECK(checked == 200);
}

TEST_CASE("probes agree with the dense reference in every dialect") {
    for (const Dialect& dialect : dialects()) {
        int checked = 0;
        for (std::uint64_t seed = 1; seed <= 120; ++seed) {
            const auto probe = test::random_probe(std::string(dialect.name), seed);
            if (!probe) continue;
            INFO(dialect.name << " seed " << seed << " " << name(probe->problem.dtype) << ": "
                              << test::describe(probe->problem));
            const auto got = values_of(*probe);
            const Outputs dense = reference::forward(probe->problem, probe->dense);
            CHECK(test::relative_l2(*got.out, dense.out) <= test::reference_agreement);
            CHECK(test::relative_l2(*got.lse, dense.lse) <= test::reference_agreement);
            const auto terms = test::term_norms(probe->problem, probe->dense, 1.5);
            check_gradients(got, reference::backward(probe->problem, probe->dense, dense), terms);
            ++checked;
        }
        INFO(dialect.name);
        CHECK(checked >= 15);
    }
}
