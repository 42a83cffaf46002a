// Linearity in v: three batch entries with the same q, k and dout, and v[2] = v[0] + v[1] exactly. out, dq and dk are
// linear in v at fixed weights; lse and dv do not depend on it.
#include <algorithm>
#include <cmath>

#include "verify/laws/laws_of_case.hpp"
#include "verify/laws/row_noise.hpp"
#include "verify/laws/tally.hpp"

namespace dca::verify {
namespace {

constexpr const char* how_to_make =
    "it needs a batch of 3 with equal q, k, dout and v[2] = v[0] + v[1], made by `dca "
    "generate --case '... batch=3 linear_v=1'`";

bool equal_entries(const Tensor4& tensor) {
    const auto values = tensor.values();
    const std::size_t size = values.size() / 3;
    for (std::size_t e = 0; e < size; ++e) {
        if (values[e] != values[size + e] || values[e] != values[2 * size + e]) return false;
    }
    return true;
}

bool is_triple(const Problem& problem, const Inputs& inputs) {
    if (problem.packed() || problem.shape.batch != 3) return false;
    if (!equal_entries(inputs.q) || !equal_entries(inputs.k)) return false;
    if (inputs.dout && !equal_entries(*inputs.dout)) return false;
    const auto v = inputs.v.values();
    const std::size_t size = v.size() / 3;
    for (std::size_t e = 0; e < size; ++e) {
        if (v[2 * size + e] != v[e] + v[size + e]) return false;
    }
    return true;
}

/// The groups of one key head in the three entries.
struct Triple {
    const LawInputs& in;
    std::array<const Group*, 3> groups;
    std::array<GroupNoise, 3> noise;
    Triple(const LawInputs& inputs, const Group& a, const Group& b, const Group& c)
        : in(inputs),
          groups{&a, &b, &c},
          noise{GroupNoise(in.problem, in.inputs, in.results, a), GroupNoise(in.problem, in.inputs, in.results, b),
                GroupNoise(in.problem, in.inputs, in.results, c)} {}

    /// Adds the residual [2] - [0] - [1] of each element of a row. variance: of the three together, beyond relative
    /// times the squares of the elements.
    void add_sum(Tally& tally, const char* name, const Tensor4& tensor, std::int64_t row, std::int64_t head,
                 double relative, double variance) const {
        const auto a = groups[0]->row(tensor, row, head), b = groups[1]->row(tensor, row, head),
                   c = groups[2]->row(tensor, row, head);
        for (std::size_t e = 0; e < a.size(); ++e) {
            const double squares = a[e] * a[e] + b[e] * b[e] + c[e] * c[e];
            tally.add(c[e] - a[e] - b[e], relative * squares + variance, [&] {
                return std::string(name) + ", row " + std::to_string(row) + ", head " + std::to_string(head) +
                       ", channel " + std::to_string(e);
            });
        }
    }
    /// Adds [1] - [0] and [2] - [0].
    void add_same(Tally& tally, const char* name, const Tensor4& tensor, std::int64_t row, std::int64_t head,
                  double relative, double variance) const {
        const auto a = groups[0]->row(tensor, row, head);
        for (const Group* other : {groups[1], groups[2]}) {
            const auto b = other->row(tensor, row, head);
            for (std::size_t e = 0; e < a.size(); ++e) {
                tally.add(b[e] - a[e], relative * (a[e] * a[e] + b[e] * b[e]) + variance, [&] {
                    return std::string(name) + ", key " + std::to_string(row) + ", kv head " + std::to_string(head) +
                           ", channel " + std::to_string(e);
                });
            }
        }
    }
};

/// What a key gathers from the rows: at most the sums over all of them, as no weight exceeds 1.
struct Gathered {
    double dk = 0, dv = 0;
};

Gathered check_rows(const Triple& triple, Tally& tally) {
    const LawInputs& in = triple.in;
    const Group& group = *triple.groups[0];
    const auto& s = group.sequence();
    const Roundings& u = triple.noise[0].roundings();
    const auto d = static_cast<double>(in.problem.shape.head_dim),
               dv = static_cast<double>(in.problem.shape.head_dim_v);
    Gathered gathered;
    for (std::int64_t i = s.query_begin; i < s.query_end; ++i) {
        if (group.visible(i) == 0) continue;
        const Prefix& keys = group.prefix(group.visible(i));
        for (std::int64_t head = group.first_head(); head < group.first_head() + group.heads(); ++head) {
            double out = 3 * 3 * u.output_floor, dq = 3 * 13 * u.output_floor, dk = 0;
            const double tau_q = group.query_norm(i, head), tau = in.problem.resolved_softmax_scale();
            double relative_out = 3 * u.output, relative_dq = 5 * u.output;
            RowNoise row{};
            for (int b = 0; b < 3; ++b) {
                row = triple.noise[static_cast<std::size_t>(b)].row(i, head);
                const double values = triple.groups[static_cast<std::size_t>(b)]->prefix(group.visible(i)).value_square;
                // Parts of the modes are rounded apart and may cancel.
                out += ((u.operand + 3 * u.output) * row.energy + row.row_sum + row.n * u.operand_floor) * values / dv;
                // D's error moves dq along the mean key, whose every element is at most the longest key.
                dq += u.operand * row.dq_square / d + row.d * tau * tau * keys.largest_key * keys.largest_key;
                dk += tau_q * tau_q / d * (row.d + (u.operand + row.row_sum) * row.squares);
            }
            relative_out += u.accumulator * row.n / 2 + row.row_sum;
            relative_dq += u.accumulator * row.n / 2 + u.rotated + row.row_sum;
            if (in.results.out) triple.add_sum(tally, "out", *in.results.out, i, head, relative_out, out);
            if (in.results.dq) triple.add_sum(tally, "dq", *in.results.dq, i, head, relative_dq, dq);
            gathered.dk += dk;
            if (in.inputs.dout) {
                const double dout = square(group.row(*in.inputs.dout, i, head)) / dv;
                gathered.dv += 2 * (u.operand * row.energy + row.row_sum + row.n * u.operand_floor) * dout;
            }
            if (!in.results.lse) continue;
            const double first = group.lse(*in.results.lse, i, head);
            for (const Group* other : {triple.groups[1], triple.groups[2]}) {
                tally.add(other->lse(*in.results.lse, i, head) - first, 2 * row.lse,
                          [&] { return "lse, row " + std::to_string(i) + ", head " + std::to_string(head); });
            }
        }
    }
    return gathered;
}

void check_keys(const Triple& triple, const Gathered& gathered, Tally& tally) {
    const LawInputs& in = triple.in;
    const Group& group = *triple.groups[0];
    const auto& s = group.sequence();
    const Roundings& u = triple.noise[0].roundings();
    const double rows = static_cast<double>(s.query_count() * group.heads());
    const double relative = 5 * u.output + u.rotated + u.accumulator * rows / 2;
    const double floors = 3 * static_cast<double>(3 * group.heads() + 4) * u.output_floor;
    for (std::int64_t j = s.key_begin; j < s.key_end; ++j) {
        if (!group.seen(j)) continue;
        if (in.results.dk) {
            triple.add_sum(tally, "dk", *in.results.dk, j, group.kv_head(), relative, gathered.dk + floors);
        }
        if (in.results.dv) {
            triple.add_same(tally, "dv", *in.results.dv, j, group.kv_head(), relative, gathered.dv + floors);
        }
    }
}

}  // namespace

LawResult check_linear_in_v(const LawInputs& in) {
    if (!is_triple(in.problem, in.inputs)) return not_checked(Law::linear_in_v, how_to_make);
    Tally tally(Law::linear_in_v);
    const std::size_t heads = in.groups.size() / 3;
    for (std::size_t g = 0; g < heads; ++g) {
        const Triple triple(in, in.groups[g], in.groups[heads + g], in.groups[2 * heads + g]);
        check_keys(triple, check_rows(triple, tally), tally);
    }
    return std::move(tally).result("no row sees a key");
}

}  // namespace dca::verify
