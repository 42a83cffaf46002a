// Planning: what an implementation will need, from formulas, before anything is run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "verify/measure/series.hpp"

namespace dca::measure {

/// A model and a call.
struct PlanRequest {
    Size size;  ///< n, C, w
    std::int64_t batch = 1, layers = 1, heads_q = 32, heads_kv = 8, head_dim = 128;
    std::int64_t element_bytes = 2;
    double other_bytes = 0;       ///< weights, optimizer state and what else shares the card
    double flops_per_second = 0;  ///< that attention runs at; 0: no times are given
};

/// One implementation's formulas, per layer, as functions of a request. Bytes are of the whole batch.
struct Implementation {
    std::string name, what;
    std::string source;                           ///< where the formula is from, or the code it was read in
    double (*saved_bytes)(const PlanRequest&);    ///< kept for the backward pass; null: no backward
    double (*forward_bytes)(const PlanRequest&);  ///< q, k, v, out and all else that is held at once
    std::int64_t (*calls)(const PlanRequest&);    ///< attention kernels launched in a forward pass
    bool on_gpu = true;                           ///< else no card and no K and V of other layers are counted
};

[[nodiscard]] const std::vector<Implementation>& implementations();

struct Card {
    std::string name;
    double bytes = 0;  ///< decimal gigabytes of the data sheet
    std::string source;
};

[[nodiscard]] const std::vector<Card>& cards();

struct Prediction {
    std::string implementation, what, source;
    double saved_per_token = 0;                    ///< bytes per token and layer; 0 where there is no backward
    double training_bytes = 0;                     ///< saved for backward in all layers, and other_bytes
    double inference_bytes = 0;                    ///< K and V of all layers, one layer's forward pass, and other_bytes
    double flops_forward = 0, flops_backward = 0;  ///< of all layers
    double seconds_forward = 0, seconds_backward = 0;  ///< at flops_per_second; 0 without
    std::int64_t calls = 0;                            ///< per layer
    std::vector<std::string> trains_on, infers_on;     ///< cards that hold it
};

/// Throws InvalidProblem for sizes out of range, heads that do not divide and C, w without L >= 1.
[[nodiscard]] std::vector<Prediction> predict(const PlanRequest& request);

/// phi: how many Q-sized partial results a three-call recipe has per query, 1 + (1 - L / n) + max(0, 1 - 2 L / n).
[[nodiscard]] double partial_results(const PlanRequest& request);

/// The table of `dca measure --predict`, in Markdown.
[[nodiscard]] std::string prediction_text(const PlanRequest& request, const std::vector<Prediction>& predictions);

}  // namespace dca::measure
