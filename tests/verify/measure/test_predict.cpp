#include <algorithm>
#include <cmath>
#include <string>

#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"
#include "tests/support/catch.hpp"
#include "verify/measure/predict.hpp"
#include "verify/measure/score_elements.hpp"

using namespace dca::measure;

namespace {

/// Def.3, pair by pair.
ScoreElements counted(std::int64_t n, std::int64_t chunk_len) {
    ScoreElements counts;
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            const std::int64_t apart = i / chunk_len - j / chunk_len;
            ++(apart == 0 ? counts.intra : apart == 1 ? counts.succ : counts.inter);
        }
    }
    return counts;
}

const Prediction& of(const std::vector<Prediction>& all, const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Prediction& p) { return p.implementation == name; });
    REQUIRE(found != all.end());
    return *found;
}

/// 32 query heads and 8 key heads of 128 channels in two bytes; C = 8192, w = 1024, L = 7168.
PlanRequest request(std::int64_t n) {
    PlanRequest made;
    made.size = {n, 8192, 1024};
    return made;
}

}  // namespace

TEST_CASE("pairs per mode in closed form are those of counting") {
    for (std::int64_t n = 0; n <= 40; ++n) {
        for (std::int64_t chunk_len = 1; chunk_len <= 42; ++chunk_len) {
            INFO("n = " << n << ", L = " << chunk_len);
            REQUIRE(score_elements(n, chunk_len) == counted(n, chunk_len));
        }
    }
    CHECK(score_elements(13, 4) == ScoreElements{31, 36, 24});
    CHECK(score_elements(100, 7) == ScoreElements{395, 651, 4004});
    // The largest sizes there are: nothing overflows, nothing is lost.
    for (const std::int64_t chunk_len : {std::int64_t{1}, std::int64_t{7168}, dca::max_position}) {
        const std::int64_t n = dca::max_position;
        CHECK(score_elements(n, chunk_len).total() == n / 2 * (n + 1));
    }
    CHECK_THROWS(score_elements(10, 0));
}

TEST_CASE("shares of the modes at known sizes") {
    const ScoreElements at = score_elements(131072, 7168);
    const double all = static_cast<double>(at.total());
    // 18 chunks of 7168 and one of 2048: intra 18 * 7168 * 7169 / 2 + 2048 * 2049 / 2 = 464584704.
    CHECK(at.intra == 464584704);
    CHECK(static_cast<double>(at.succ) / all == Approx(0.103).margin(5e-4));
    CHECK(static_cast<double>(at.inter) / all == Approx(0.843).margin(5e-4));
}

TEST_CASE("bytes saved for backward, by hand") {
    // phi = 1 + (1 - L/n) + (1 - 2 L/n): 3 - 3 * 7168 / 131072 = 2.8359375.
    CHECK(partial_results(request(131072)) == 2.8359375);
    CHECK(partial_results(request(7168)) == 1);
    CHECK(partial_results(request(100)) == 1);
    const auto at = predict(request(131072));
    // 2 * 128 * (2 * 32 + 2 * 8) + 4 * 32
    CHECK(of(at, "plain flash attention").saved_per_token == 20608);
    CHECK(of(at, "fused DCA").saved_per_token == 20608);
    CHECK(of(at, "three-call DCA").saved_per_token == 20608);
    // 256 * 112 + 16384 + (8192 + 256) phi
    CHECK(of(at, "Megatron-LM #4048").saved_per_token == Approx(28672 + 16384 + 8448 * 2.8359375));
    // 256 * 160 + 8192 + (8192 + 192) phi
    CHECK(of(at, "ChunkLlama").saved_per_token == Approx(40960 + 8192 + 8384 * 2.8359375));
    // d' = 136; 28672 + 8192 + (8704 + 8192 + 16384 + 8704 + 384) phi + 4352 (131072 + 18 * 7168 + 153 * 7168) / 131072
    CHECK(of(at, "Megatron-Bridge #4185").saved_per_token ==
          Approx(36864 + 42368 * 2.8359375 + 4352 * (131072 + 171.0 * 7168) / 131072));
    // + 2 * 32 * (131072 + 7168) / 2
    CHECK(of(at, "unfused").saved_per_token == 20608 + 4423680);
    // In KiB, as they are quoted.
    CHECK(of(at, "plain flash attention").saved_per_token / 1024 == Approx(20.1).margin(0.05));
    CHECK(of(at, "Megatron-LM #4048").saved_per_token / 1024 == Approx(67.4).margin(0.05));
    CHECK(of(at, "ChunkLlama").saved_per_token / 1024 == Approx(71.2).margin(0.05));
    CHECK(of(at, "Megatron-Bridge #4185").saved_per_token / 1024 == Approx(197.3).margin(0.05));
    const auto shorter = predict(request(32768));
    CHECK(of(shorter, "Megatron-LM #4048").saved_per_token / 1024 == Approx(63.3).margin(0.05));
    CHECK(of(shorter, "ChunkLlama").saved_per_token / 1024 == Approx(67.2).margin(0.05));
    CHECK(of(shorter, "Megatron-Bridge #4185").saved_per_token / 1024 == Approx(146.5).margin(0.05));
}

TEST_CASE("what a forward pass holds, calls and operations") {
    const auto at = predict(request(32768));
    // Visible pairs 32768 * 32769 / 2, times 4 * 128 * 32; backward 2.5 times that.
    CHECK(of(at, "fused DCA").flops_forward == 4.0 * 128 * 32 * 16384 * 32769);
    CHECK(of(at, "fused DCA").flops_backward == 10.0 * 128 * 32 * 16384 * 32769);
    CHECK(of(at, "fused DCA").calls == 1);
    CHECK(of(at, "ChunkLlama").calls == 12);
    CHECK(of(at, "Megatron-Bridge #4185").calls == 24);
    CHECK(of(predict(request(131072)), "three-call DCA").calls == 54);
    CHECK(of(predict(request(1048576)), "three-call DCA").calls == 438);
    CHECK(of(predict(request(7168)), "three-call DCA").calls == 1);
    // K and V of one layer 4096 bytes a token; flash 20608; K rotated 2048, 8193 rows of 64 pairs of floats, 44 / 64.
    const double cache = 4096.0 * 32768;
    CHECK(of(at, "plain flash attention").inference_bytes == cache + 20608.0 * 32768);
    CHECK(of(at, "fused DCA").inference_bytes == cache + 22656.0 * 32768 + 8193 * 512 + 32768 * 44 / 64);
    // q, k, v 12288, rotated 26624, partials (8192 + 128) phi, out and lse 8320.
    CHECK(of(at, "three-call DCA").inference_bytes == Approx(cache + 32768 * (47232 + 8320 * 2.34375)));
    // One head in double, 128 channels: q, k, v, out 4096 bytes, lse 8, K and V once more 2048; 8193 rows of angles.
    PlanRequest one = request(131072);
    one.heads_q = one.heads_kv = 1;
    CHECK(of(predict(one), "reference").inference_bytes == 131072.0 * (4096 + 8 + 2048) + 8193 * 1024);
    CHECK(of(predict(one), "reference").infers_on.empty());
}

TEST_CASE("layers, batch, other bytes, cards and rates") {
    PlanRequest model = request(131072);
    model.layers = 32;
    model.other_bytes = 16e9;
    model.flops_per_second = 5e14;
    const auto at = predict(model);
    const Prediction& fused = of(at, "fused DCA");
    // 20608 * 131072 * 32 = 86.4e9, and 16e9 more.
    CHECK(fused.training_bytes == 20608.0 * 131072 * 32 + 16e9);
    CHECK(fused.trains_on.front() == "H200");
    CHECK(fused.seconds_forward == Approx(fused.flops_forward / 5e14));
    CHECK(of(at, "unfused").trains_on.empty());
    PlanRequest batched = model;
    batched.batch = 2;
    CHECK(of(predict(batched), "fused DCA").training_bytes == 2 * 20608.0 * 131072 * 32 + 16e9);
    const auto& all = cards();
    CHECK(std::is_sorted(all.begin(), all.end(), [](const Card& a, const Card& b) { return a.bytes < b.bytes; }));
    const std::string text = prediction_text(model, at);
    CHECK(text.find("| fused DCA | 20.1 KiB | 95.4 GiB | H200 |") != std::string::npos);
    // A row each, the two of the head, a blank line and three that say what is counted.
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(at.size()) + 2 + 4);
}

TEST_CASE("plans that make no sense are refused") {
    const auto refused = [](auto change) {
        PlanRequest one = request(1024);
        change(one);
        CHECK_THROWS_AS(predict(one), dca::InvalidProblem);
    };
    refused([](PlanRequest& r) { r.size.n = 0; });
    refused([](PlanRequest& r) { r.size.local_size = r.size.chunk_size; });
    refused([](PlanRequest& r) { r.heads_kv = 5; });
    refused([](PlanRequest& r) { r.layers = 0; });
    refused([](PlanRequest& r) { r.other_bytes = NAN; });
    refused([](PlanRequest& r) { r.flops_per_second = -1; });
    CHECK_NOTHROW(predict(request(dca::max_position)));
}
