#include "chunked_attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace longctx {
namespace {

constexpr int calls = 3;  // keys of the same chunk, of the chunk before, of all earlier chunks

float dot(const float* a, const float* b, std::int64_t n) {
    float sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

void add(float* to, float factor, const float* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) to[i] += factor * x[i];
}

/// Turns one row by position; direction -1 turns it back.
void rotate(const Call& call, std::int64_t position, int direction, const float* from, float* to) {
    const std::int64_t half = call.rotary_dim / 2;
    std::copy(from, from + call.dim, to);
    for (std::int64_t i = 0; i < half; ++i) {
        const double frequency =
            std::pow(call.rope_base, -2.0 * static_cast<double>(i) / static_cast<double>(call.rotary_dim));
        const double angle = static_cast<double>(position) * frequency * direction;
        const float cosine = static_cast<float>(std::cos(angle)), sine = static_cast<float>(std::sin(angle));
        const float a = from[i], b = from[i + half];
        to[i] = a * cosine - b * sine;
        to[i + half] = b * cosine + a * sine;
    }
}

/// What one query sees in each of the three calls: keys [begin, end), and its position there.
struct View {
    std::int64_t begin, end, position;
};

std::array<View, calls> views(const Call& call, std::int64_t row) {
    const std::int64_t length = call.chunk_size - call.local_size, index = row + call.first_query;
    if (index < 0) return {};
    const std::int64_t start = index / length * length, before = std::max<std::int64_t>(start - length, 0);
    const auto keys = [&](std::int64_t begin, std::int64_t end, std::int64_t position) {
        return View{std::min(begin, call.seq_k), std::min(end, call.seq_k), position};
    };
    return {keys(start, index + 1, index - start),
            keys(before, start, std::min(index - start + length, call.chunk_size)),
            keys(0, before, std::min(2 * length - 1, call.chunk_size))};
}

/// One head of q and the keys and values it reads; rows are `*_step` apart.
class Head {
public:
    Head(const Call& call, const float* q, const float* k, const float* v, std::int64_t batch, std::int64_t head)
        : call_(call), rotated_(static_cast<std::size_t>(call.seq_k * call.dim)) {
        const std::int64_t shared = head / (call.heads_q / call.heads_kv);
        q_ = q + (batch * call.seq_q * call.heads_q + head) * call.dim;
        v_ = v + (batch * call.seq_k * call.heads_kv + shared) * call.dim_v;
        const float* keys = k + (batch * call.seq_k * call.heads_kv + shared) * call.dim;
        const std::int64_t length = call.chunk_size - call.local_size;
        for (std::int64_t j = 0; j < call.seq_k; ++j) {
            rotate(call, j % length, 1, keys + j * call.heads_kv * call.dim, rotated_.data() + j * call.dim);
        }
    }

    [[nodiscard]] const float* query(std::int64_t row) const { return q_ + row * call_.heads_q * call_.dim; }
    [[nodiscard]] const float* key(std::int64_t j) const { return rotated_.data() + j * call_.dim; }
    [[nodiscard]] const float* value(std::int64_t j) const { return v_ + j * call_.heads_kv * call_.dim_v; }

    /// One call for one query, softmax in one sweep with a running maximum. `out` gets dim_v values; returns the lse.
    float attend(const View& view, const float* query, float* out) const {
        float largest = -std::numeric_limits<float>::infinity(), sum = 0;
        std::fill(out, out + call_.dim_v, 0.0F);
        for (std::int64_t j = view.begin; j < view.end; ++j) {
            const float logit = call_.scale * dot(query, key(j), call_.dim);
            if (logit > largest) {
                const float shrink = std::exp(largest - logit);
                sum *= shrink;
                for (std::int64_t c = 0; c < call_.dim_v; ++c) out[c] *= shrink;
                largest = logit;
            }
            const float weight = std::exp(logit - largest);
            sum += weight;
            add(out, weight, value(j), call_.dim_v);
        }
        if (sum == 0) return largest;
        for (std::int64_t c = 0; c < call_.dim_v; ++c) out[c] /= sum;
        return largest + std::log(sum);
    }

private:
    const Call& call_;
    const float* q_;
    const float* v_;
    std::vector<float> rotated_;
};

}  // namespace

void forward(const Call& call, const float* q, const float* k, const float* v, float* out, float* lse) {
    std::vector<float> query(static_cast<std::size_t>(call.dim)), part(static_cast<std::size_t>(calls * call.dim_v));
    for (std::int64_t b = 0; b < call.batch; ++b) {
        for (std::int64_t h = 0; h < call.heads_q; ++h) {
            const Head head(call, q, k, v, b, h);
            for (std::int64_t row = 0; row < call.seq_q; ++row) {
                const auto seen = views(call, row);
                std::array<float, calls> part_lse{};
                for (int m = 0; m < calls; ++m) {
                    rotate(call, seen[m].position, 1, head.query(row), query.data());
                    part_lse[m] = head.attend(seen[m], query.data(), part.data() + m * call.dim_v);
                }
                float* to = out + ((b * call.seq_q + row) * call.heads_q + h) * call.dim_v;
                std::fill(to, to + call.dim_v, 0.0F);
                const float largest = *std::max_element(part_lse.begin(), part_lse.end());
                float& total = lse[(b * call.heads_q + h) * call.seq_q + row];
                total = largest;
                if (std::isinf(largest)) continue;  // no key at all
                float sum = 0;
                for (float one : part_lse) sum += std::exp(one - largest);
                total += std::log(sum);
                for (int m = 0; m < calls; ++m) {
                    add(to, std::exp(part_lse[m] - largest) / sum, part.data() + m * call.dim_v, call.dim_v);
                }
            }
        }
    }
}

void backward(const Call& call, const float* q, const float* k, const float* v, const float* dout, const float* out,
              const float* lse, Delta delta, float* dq, float* dk, float* dv) {
    const std::int64_t dim = call.dim, dim_v = call.dim_v, length = call.chunk_size - call.local_size;
    std::fill(dq, dq + call.batch * call.seq_q * call.heads_q * dim, 0.0F);
    std::fill(dk, dk + call.batch * call.seq_k * call.heads_kv * dim, 0.0F);
    std::fill(dv, dv + call.batch * call.seq_k * call.heads_kv * dim_v, 0.0F);
    std::vector<float> query(static_cast<std::size_t>(dim)), turned(static_cast<std::size_t>(dim)),
        part(static_cast<std::size_t>(dim_v));
    for (std::int64_t b = 0; b < call.batch; ++b) {
        for (std::int64_t h = 0; h < call.heads_q; ++h) {
            const Head head(call, q, k, v, b, h);
            const std::int64_t shared = h / (call.heads_q / call.heads_kv);
            for (std::int64_t row = 0; row < call.seq_q; ++row) {
                const std::int64_t at = (b * call.seq_q + row) * call.heads_q + h;
                const float* upstream = dout + at * dim_v;
                const float row_lse = lse[(b * call.heads_q + h) * call.seq_q + row];
                for (const View& view : views(call, row)) {
                    if (view.begin >= view.end) continue;
                    rotate(call, view.position, 1, head.query(row), query.data());
                    const float* result = out + at * dim_v;
                    if (delta == Delta::of_each_call) {
                        head.attend(view, query.data(), part.data());
                        result = part.data();
                    }
                    const float d = dot(upstream, result, dim_v);
                    std::vector<float> dquery(static_cast<std::size_t>(dim));
                    for (std::int64_t j = view.begin; j < view.end; ++j) {
                        const std::int64_t key_at = (b * call.seq_k + j) * call.heads_kv + shared;
                        const float p = std::exp(call.scale * dot(query.data(), head.key(j), dim) - row_lse);
                        const float ds = call.scale * p * (dot(upstream, head.value(j), dim_v) - d);
                        add(dv + key_at * dim_v, p, upstream, dim_v);
                        add(dquery.data(), ds, head.key(j), dim);
                        add(dk + key_at * dim, ds, query.data(), dim);
                    }
                    rotate(call, view.position, -1, dquery.data(), turned.data());
                    add(dq + at * dim, 1, turned.data(), dim);
                }
            }
        }
    }
    for (std::int64_t at = 0; at < call.batch * call.seq_k * call.heads_kv; ++at) {
        const std::int64_t j = at / call.heads_kv % call.seq_k;
        rotate(call, j % length, -1, dk + at * dim, turned.data());
        std::copy(turned.begin(), turned.end(), dk + at * dim);
    }
}

}  // namespace longctx
