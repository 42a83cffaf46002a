#include "reference/certified/recompute.hpp"

#include <algorithm>
#include <map>

#include "reference/certified/exact_head.hpp"

namespace dca::certified {
namespace {

struct At {
    std::int64_t batch, row, head;
    int channel;
};
At at(const Tensor4& tensor, std::int64_t index) {
    const auto& n = tensor.extents();
    return {index / (n[1] * n[2] * n[3]), index / (n[2] * n[3]) % n[1], index / n[3] % n[2],
            static_cast<int>(index % n[3])};
}
/// lse is (batch, heads, seq).
At at(const Tensor3& tensor, std::int64_t index) {
    const auto& n = tensor.extents();
    return {index / (n[1] * n[2]), index % n[2], index / n[2] % n[1], 0};
}

/// What is undecided in one row or key, as positions in the list of a tensor.
struct Wanted {
    std::vector<std::size_t> out, lse, dq, dk, dv;
};
using RowKey = std::pair<std::int64_t, std::int64_t>;  ///< head, row of the sequence

/// What is undecided in one kv head of one sequence.
struct WantedHead {
    std::map<RowKey, Wanted> rows;
    std::map<std::int64_t, Wanted> keys;
};

WantedHead wanted(const Context& context, std::int64_t kv_head, const Undecided& undecided) {
    WantedHead found;
    const Sequence& seq = context.sequence;
    const auto visit = [&](const auto& pending, const auto& add) {
        if (pending.empty()) return;
        for (std::size_t n = 0; n < pending.indices->size(); ++n) {
            add(at(*pending.values, (*pending.indices)[n]), n);
        }
    };
    const auto rows = [&](const auto& pending, std::vector<std::size_t> Wanted::*list) {
        visit(pending, [&](const At& element, std::size_t n) {
            const bool inside = element.batch == seq.batch && element.row >= seq.query_begin &&
                                element.row < seq.query_end && element.head / context.group == kv_head;
            if (inside) (found.rows[{element.head, element.row - seq.query_begin}].*list).push_back(n);
        });
    };
    const auto keys = [&](const auto& pending, std::vector<std::size_t> Wanted::*list) {
        visit(pending, [&](const At& element, std::size_t n) {
            const bool inside = element.batch == seq.batch && element.row >= seq.key_begin &&
                                element.row < seq.key_end && element.head == kv_head;
            if (inside) (found.keys[element.row - seq.key_begin].*list).push_back(n);
        });
    };
    rows(undecided.out, &Wanted::out);
    rows(undecided.lse, &Wanted::lse);
    rows(undecided.dq, &Wanted::dq);
    keys(undecided.dk, &Wanted::dk);
    keys(undecided.dv, &Wanted::dv);
    return found;
}

/// Multiply-adds, about.
double cost(const Context& context, const WantedHead& wanted) {
    constexpr double cos_sin = 100;
    const Sequence& seq = context.sequence;
    const auto keys = static_cast<double>(context.key_count), d = static_cast<double>(context.dim + context.dim_v);
    double rows = 0, pairs = 0;
    for (std::int64_t row = 0; row < seq.query_count(); ++row) {
        const std::int64_t seen = std::clamp<std::int64_t>(seq.offset + row + 1, 0, context.key_count);
        rows += seen > 0 ? 1 : 0;
        pairs += static_cast<double>(seen);
    }
    double total = cos_sin * static_cast<double>(context.positions().size()) * context.dim / 2 + 4 * keys * d;
    total += static_cast<double>(wanted.rows.size()) * 3 * keys * d;
    if (!wanted.keys.empty()) {
        total +=
            static_cast<double>(context.group) * (pairs * d + static_cast<double>(wanted.keys.size()) * rows * 3 * d);
    }
    return total;
}

/// Writes an element if it is decided now; marks its place in the list by -1.
template <int Rank, class X>
void write(const Pending<Rank>& pending, std::size_t n, const X& value) {
    const auto rounded = value.rounds_to();
    if (!rounded) return;
    std::int64_t& index = (*pending.indices)[n];
    pending.values->values()[static_cast<std::size_t>(index)] = *rounded;
    index = -1;
}

template <unsigned Bits>
void recompute_rows(const ExactHead<Bits>& head, const WantedHead& wanted, const Undecided& undecided) {
    using Exact = ExactHead<Bits>;
    const std::vector<std::pair<RowKey, Wanted>> rows(wanted.rows.begin(), wanted.rows.end());
    reference::parallel_for(static_cast<std::int64_t>(rows.size()), 1e9, [&](std::int64_t n) {
        const auto& [key, elements] = rows[static_cast<std::size_t>(n)];
        const auto [query_head, row] = key;
        if (head.visible(row) == 0) return;
        typename Exact::Row weights;
        const auto softmax = head.softmax(query_head, row, !elements.dq.empty(), weights);
        for (const std::size_t e : elements.lse) write(undecided.lse, e, head.lse(softmax, row));
        for (const std::size_t e : elements.out) {
            const int channel = at(*undecided.out.values, (*undecided.out.indices)[e]).channel;
            write(undecided.out, e, head.out(softmax, weights, channel));
        }
        if (elements.dq.empty()) return;
        const auto dq = head.query_gradient(query_head, row, softmax, weights);
        for (const std::size_t e : elements.dq) {
            const int channel = at(*undecided.dq.values, (*undecided.dq.indices)[e]).channel;
            write(undecided.dq, e, dq[static_cast<std::size_t>(channel)]);
        }
    });
}

template <unsigned Bits>
void recompute_keys(const Context& context, std::int64_t kv_head, const ExactHead<Bits>& head, const WantedHead& wanted,
                    const Undecided& undecided) {
    using Exact = ExactHead<Bits>;
    if (wanted.keys.empty()) return;
    const std::int64_t rows = context.sequence.query_count();
    std::vector<std::vector<typename Exact::RowSoftmax>> softmaxes(
        static_cast<std::size_t>(context.group),
        std::vector<typename Exact::RowSoftmax>(static_cast<std::size_t>(rows)));
    reference::parallel_for(rows * context.group, 1e9, [&](std::int64_t n) {
        typename Exact::Row weights;
        const std::int64_t member = n / rows, row = n % rows;
        if (head.visible(row) == 0) return;
        softmaxes[static_cast<std::size_t>(member)][static_cast<std::size_t>(row)] =
            head.softmax(kv_head * context.group + member, row, true, weights);
    });
    const std::vector<std::pair<std::int64_t, Wanted>> keys(wanted.keys.begin(), wanted.keys.end());
    reference::parallel_for(static_cast<std::int64_t>(keys.size()), 1e9, [&](std::int64_t n) {
        const auto& [key, elements] = keys[static_cast<std::size_t>(n)];
        const auto [dk, dv] = head.key_gradients(key, softmaxes);
        const auto write_all = [&](const Pending<4>& pending, const std::vector<std::size_t>& list,
                                   const auto& values) {
            for (const std::size_t e : list) {
                write(pending, e, values[static_cast<std::size_t>(at(*pending.values, (*pending.indices)[e]).channel)]);
            }
        };
        write_all(undecided.dk, elements.dk, dk);
        write_all(undecided.dv, elements.dv, dv);
    });
}

template <unsigned Bits>
void recompute_with(const Problem& problem, const Inputs& inputs, const Undecided& undecided, double& budget) {
    const bool nothing = undecided.out.empty() && undecided.lse.empty() && undecided.dq.empty() &&
                         undecided.dk.empty() && undecided.dv.empty();
    if (nothing) return;
    for (const Sequence& sequence : reference::sequences(problem)) {
        const Context context(problem, inputs, sequence);
        for (std::int64_t kv_head = 0; kv_head < problem.shape.heads_kv; ++kv_head) {
            const WantedHead elements = wanted(context, kv_head, undecided);
            if (elements.rows.empty() && elements.keys.empty()) continue;
            const double operations = cost(context, elements) * Bits / 192;
            if (operations > budget) continue;
            budget -= operations;
            const ExactHead<Bits> head(context, kv_head);
            recompute_rows(head, elements, undecided);
            recompute_keys(context, kv_head, head, elements, undecided);
        }
    }
    const auto drop_decided = [](const auto& pending) {
        if (pending.indices != nullptr) std::erase(*pending.indices, -1);
    };
    drop_decided(undecided.out);
    drop_decided(undecided.lse);
    drop_decided(undecided.dq);
    drop_decided(undecided.dk);
    drop_decided(undecided.dv);
}

}  // namespace

void recompute(const Problem& problem, const Inputs& inputs, const Undecided& undecided, double budget) {
    recompute_with<192>(problem, inputs, undecided, budget);
    recompute_with<1024>(problem, inputs, undecided, budget);
}

}  // namespace dca::certified
