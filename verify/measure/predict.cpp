#include "verify/measure/predict.hpp"

#include <cmath>
#include <cstdio>

#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"
#include "verify/measure/score_elements.hpp"

namespace dca::measure {

namespace {

void check(bool valid, const std::string& message) {
    if (!valid) throw InvalidProblem("predict: " + message);
}

void check(const PlanRequest& request) {
    constexpr std::int64_t most = 65536;
    const Size& size = request.size;
    check(size.n >= 1 && size.n <= max_position, "n is from 1 to 2^31");
    check(size.chunk_size >= 1 && size.chunk_size <= max_position, "chunk_size is from 1 to 2^31");
    check(size.local_size >= 0 && size.local_size < size.chunk_size, "local_size is from 0 to chunk_size - 1");
    for (const std::int64_t value :
         {request.batch, request.layers, request.heads_q, request.heads_kv, request.head_dim}) {
        check(value >= 1 && value <= most, "batch, layers, heads and head_dim are from 1 to 65536");
    }
    check(request.heads_q % request.heads_kv == 0, "heads_q is not a multiple of heads_kv");
    check(request.element_bytes >= 1 && request.element_bytes <= 8, "an element has 1 to 8 bytes");
    check(request.other_bytes >= 0 && std::isfinite(request.other_bytes), "other bytes are not negative");
    check(request.flops_per_second >= 0 && std::isfinite(request.flops_per_second), "FLOP/s are not negative");
}

std::vector<std::string> holding(double bytes) {
    std::vector<std::string> names;
    for (const Card& card : cards()) {
        if (bytes <= card.bytes) names.push_back(card.name);
    }
    return names;
}

std::string amount(double bytes) {
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int unit = 0;
    for (; unit < 5 && bytes >= 1024; ++unit) bytes /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

/// The cards are ordered by memory: the first that holds it says all.
std::string smallest(const std::vector<std::string>& names) {
    return names.empty() ? "none listed" : names.front();
}

}  // namespace

std::vector<Prediction> predict(const PlanRequest& request) {
    check(request);
    const double tokens = static_cast<double>(request.size.n) * static_cast<double>(request.batch);
    const double layers = static_cast<double>(request.layers);
    const std::int64_t chunk_len = request.size.chunk_size - request.size.local_size;
    const double elements = static_cast<double>(score_elements(request.size.n, chunk_len).total());
    // 4 d per visible pair forward, 10 d backward, whatever the order of the pairs.
    const double forward = 4 * static_cast<double>(request.head_dim * request.heads_q) *
                           static_cast<double>(request.batch) * layers * elements;
    const double cache =
        2 * tokens * layers * static_cast<double>(request.element_bytes * request.head_dim * request.heads_kv);
    std::vector<Prediction> predictions;
    for (const Implementation& one : implementations()) {
        Prediction made;
        made.implementation = one.name;
        made.what = one.what;
        made.source = one.source;
        made.inference_bytes = one.forward_bytes(request) + (one.on_gpu ? cache + request.other_bytes : 0);
        if (one.on_gpu) made.infers_on = holding(made.inference_bytes);
        made.flops_forward = forward;
        made.calls = one.calls(request);
        if (one.saved_bytes != nullptr) {
            made.saved_per_token = one.saved_bytes(request) / tokens;
            made.training_bytes = one.saved_bytes(request) * layers + request.other_bytes;
            made.trains_on = holding(made.training_bytes);
            made.flops_backward = 2.5 * forward;
        }
        if (request.flops_per_second > 0) {
            made.seconds_forward = made.flops_forward / request.flops_per_second;
            made.seconds_backward = made.flops_backward / request.flops_per_second;
        }
        predictions.push_back(std::move(made));
    }
    return predictions;
}

std::string prediction_text(const PlanRequest& request, const std::vector<Prediction>& predictions) {
    const bool times = request.flops_per_second > 0;
    std::string text =
        "| implementation | saved per token and layer | training | fits | inference | fits | calls per layer | "
        "FLOPs forward | backward |";
    text += times ? " s forward | backward |\n" : "\n";
    text += times ? "|---|---|---|---|---|---|---|---|---|---|---|\n" : "|---|---|---|---|---|---|---|---|---|\n";
    for (const Prediction& one : predictions) {
        const bool trains = one.saved_per_token > 0;
        text += "| " + one.implementation + " | " + (trains ? amount(one.saved_per_token) : "-") + " | " +
                (trains ? amount(one.training_bytes) : "-") + " | " + (trains ? smallest(one.trains_on) : "-") + " | " +
                amount(one.inference_bytes) + " | " + (trains ? smallest(one.infers_on) : "-") + " | " +
                std::to_string(one.calls) + " | " + number(one.flops_forward) + " | " +
                (trains ? number(one.flops_backward) : "-") + " |";
        if (times) {
            text += " " + number(one.seconds_forward) + " | " + (trains ? number(one.seconds_backward) : "-") + " |";
        }
        text += "\n";
    }
    text +=
        "\nBy formula (docs/measure.md, Planning); nothing was run. training: what all layers save for the backward "
        "pass. inference: K "
        "and V of all layers and\none layer's forward pass. Both leave out weights, optimizer state and other "
        "activations" +
        std::string(request.other_bytes > 0 ? " but for the bytes given." : ".") +
        " fits: the smallest card of the list whose\nmemory by data sheet holds it.\n";
    return text;
}

}  // namespace dca::measure
