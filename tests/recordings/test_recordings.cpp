// Outside witnesses: what public code computed, against the reference in the dialect each file names, at the agreement
// the recordings' README states (expected_max_abs: four times the difference from an independent float64 program).
#include <array>
#include <cstdio>
#include <map>

#include "golden/store.hpp"
#include "reference/backward.hpp"
#include "reference/forward.hpp"
#include "reference/math/temperature.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "verify/hazards/document.hpp"

using namespace dca;

namespace {

struct Recording {
    const char* file;
    int cases, with_gradients;
};

constexpr Recording recordings[] = {
    {"megatron_pr4048", 23, 23},
    {"megatron_bridge_pr4185", 20, 20},
    {"chunkllama", 12, 10},
    {"chunkqwen", 4, 3},
    {"vllm", 12, 0},
    {"chunkllama_flash_decoding", 4, 0},
    {"vllm_fork", 13, 0},
    {"sglang", 12, 0},
};

double fact(const golden::CaseData& data, const char* name) {
    return std::get<double>(data.provenance.at(name));
}

golden::FileReader open(const std::string& name) {
    return golden::FileReader(DCA_SOURCE_DIR "/tests/recordings/" + name + ".h5");
}

double relative_l2(const Tensor4& got, const Tensor4& wanted) {
    double error = 0, norm = 0;
    for (std::size_t n = 0; n < got.values().size(); ++n) {
        error += std::pow(got.values()[n] - wanted.values()[n], 2);
        norm += std::pow(wanted.values()[n], 2);
    }
    return std::sqrt(error / norm);
}

/// Largest relative L2 error of a recorded output by the type it was computed in. f32: a few float32 roundings, each
/// 2^-24 = 6e-8 of a term; f64: 1e-12 where the code is double throughout, the float32 noise where its tables or its
/// softmax are float32 (H33); bf16: two roundings to bf16, 2^-9 = 2e-3 each, three in meg_bf16 and a matrix product
/// whose sum was kept in bf16 by the machine it ran on (docs/dialects.md).
double allowed(const golden::CaseData& data) {
    const bool float32_inside = data.problem.dialect != "megatron_bridge_pr4185";
    if (data.problem.dtype == Dtype::bf16) return data.id == "meg_bf16" ? 6e-3 : 2.5e-3;
    return data.problem.dtype == Dtype::f64 && !float32_inside ? 1e-12 : 1e-6;
}

}  // namespace

TEST_CASE("every recording is reproduced by its dialect") {
    for (const Recording& recording : recordings) {
        const golden::FileReader reader = open(recording.file);
        int cases = 0, with_gradients = 0;
        for (const std::string& id : reader.case_ids()) {
            CAPTURE(recording.file, id);
            const golden::CaseData data = reader.read(id);
            REQUIRE(data.problem.dialect == recording.file);
            const Outputs outputs = reference::forward(data.problem, data.inputs);
            CHECK(test::max_abs_difference(*data.results.out, outputs.out) <= fact(data, "expected_max_abs"));
            CHECK(relative_l2(outputs.out, *data.results.out) <= allowed(data));
            ++cases;
            if (!data.results.dq) continue;
            const Gradients gradients = reference::backward(data.problem, data.inputs, outputs);
            const double bound = fact(data, "expected_max_abs_grad");
            CHECK(test::max_abs_difference(*data.results.dq, gradients.dq) <= bound);
            CHECK(test::max_abs_difference(*data.results.dk, gradients.dk) <= bound);
            CHECK(test::max_abs_difference(*data.results.dv, gradients.dv) <= bound);
            ++with_gradients;
        }
        CHECK(cases == recording.cases);
        CHECK(with_gradients == recording.with_gradients);
    }
}

TEST_CASE("rounded to bf16, the reference has every bit of the recorded bf16 outputs") {
    const auto differing = [](const char* file, const char* id) {
        const golden::CaseData data = open(file).read(id);
        const Outputs outputs = reference::forward(data.problem, data.inputs);
        int count = 0;
        for (std::size_t n = 0; n < outputs.out.values().size(); ++n) {
            count += round_to(Dtype::bf16, outputs.out.values()[n]) != data.results.out->values()[n];
        }
        return count;
    };
    CHECK(differing("chunkllama", "cl_bf16") == 0);
    CHECK(differing("megatron_bridge_pr4185", "bridge_bf16") == 0);
}

TEST_CASE("the temperature laws give the factors that were read from the running code") {
    int cases = 0;
    for (const Recording& recording : recordings) {
        const golden::FileReader reader = open(recording.file);
        for (const std::string& id : reader.case_ids()) {
            const golden::CaseData data = reader.read(id);
            CAPTURE(recording.file, id);
            // One number stands for a factor that all rows share.
            const auto check = [&](const char* name, const auto& factor_of, std::int64_t count) {
                const auto found = data.dialect_facts.find(name);
                if (found == data.dialect_facts.end()) return;
                const auto* list = std::get_if<std::vector<double>>(&found->second);
                const auto* one = std::get_if<double>(&found->second);
                REQUIRE((list != nullptr || one != nullptr));
                if (list != nullptr) REQUIRE(static_cast<std::int64_t>(list->size()) == count);
                for (std::int64_t n = 0; n < count; ++n) {
                    CAPTURE(name, n);
                    const double recorded = list != nullptr ? (*list)[static_cast<std::size_t>(n)] : *one;
                    // k_factor of the vllm family was measured as a ratio of float32 norms.
                    CHECK(std::abs(factor_of(n) - recorded) <= 2e-6);
                }
                ++cases;
            };
            const auto all = reference::sequences(data.problem);
            const auto at = [&](std::int64_t n, std::int64_t reference::Sequence::*begin) {
                std::size_t s = 0;
                while (s + 1 < all.size() && data.problem.packed() && all[s + 1].*begin <= n) ++s;
                return all[s];
            };
            check(
                "dialect_q_factor",
                [&](std::int64_t n) {
                    const auto s = at(n, &reference::Sequence::query_begin);
                    return reference::TemperatureLaw(data.problem, s).query(QueryIndex(s.offset + n - s.query_begin));
                },
                data.problem.shape.seq_q);
            check(
                "dialect_k_factor",
                [&](std::int64_t n) {
                    const auto s = at(n, &reference::Sequence::key_begin);
                    return reference::TemperatureLaw(data.problem, s).key(KeyIndex(n - s.key_begin));
                },
                data.problem.shape.seq_k);
        }
    }
    CHECK(cases >= 40);
}

TEST_CASE("docs/dialects.md states the largest differences from the recordings") {
    std::size_t row = 0;
    for (const Recording& recording : recordings) {
        const golden::FileReader reader = open(recording.file);
        struct Worst {
            int cases = 0;
            double out = 0, gradient = 0, l2 = 0;
        };
        std::map<Dtype, Worst> by_dtype;
        for (const std::string& id : reader.case_ids()) {
            const golden::CaseData data = reader.read(id);
            const Outputs outputs = reference::forward(data.problem, data.inputs);
            Worst& worst = by_dtype[data.problem.dtype];
            ++worst.cases;
            worst.out = std::max(worst.out, test::max_abs_difference(*data.results.out, outputs.out));
            worst.l2 = std::max(worst.l2, relative_l2(outputs.out, *data.results.out));
            if (!data.results.dq) continue;
            const Gradients gradients = reference::backward(data.problem, data.inputs, outputs);
            worst.gradient = std::max({worst.gradient, test::max_abs_difference(*data.results.dq, gradients.dq),
                                       test::max_abs_difference(*data.results.dk, gradients.dk),
                                       test::max_abs_difference(*data.results.dv, gradients.dv)});
        }
        for (const auto& [dtype, worst] : by_dtype) {
            std::array<char, 200> largest{};
            std::snprintf(largest.data(), largest.size(), "out %.1e (relative L2 %.1e)", worst.out, worst.l2);
            std::string text = largest.data();
            if (worst.gradient > 0) {
                std::snprintf(largest.data(), largest.size(), ", gradients %.1e", worst.gradient);
                text += largest.data();
            }
            CAPTURE(recording.file, text);
            REQUIRE(row < hazards::agreements().size());
            const hazards::Agreement& stated = hazards::agreements()[row++];
            CHECK(stated.dialect == recording.file);
            CHECK(stated.what == name(dtype));
            CHECK(stated.cases == worst.cases);
            CHECK(stated.largest == text);
        }
    }
    CHECK(row == hazards::agreements().size());
}
