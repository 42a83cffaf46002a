// All rows of a problem, or some of them, by the row kernel.
#pragma once

#include "verify/peer/merge.hpp"
#include "verify/peer/rotary.hpp"

namespace dca::peer {

template <class Real, class Wide>
class Kernel {
public:
    Kernel(const Problem& problem, const Inputs& inputs, const PeerTypes& types, const Method& method,
           const Selection* selection, const Outputs* right)
        : p_(problem),
          in_(inputs),
          types_(types),
          method_(method),
          selection_(selection),
          right_(right),
          d_(problem.shape.head_dim),
          dv_(problem.shape.head_dim_v),
          scale_(static_cast<Real>(problem.resolved_softmax_scale())),
          input_(types.input),
          row_(problem.shape, types, method) {
        if (inputs.dout) dout_ = method.dout ? method.dout(problem, *inputs.dout) : *inputs.dout;
    }

    PeerResult run() {
        const Shape& s = p_.shape;
        PeerResult result{{Tensor4(out_extents(s)), Tensor3(lse_extents(s))}, {}};
        std::ranges::fill(result.outputs.lse.values(), -std::numeric_limits<double>::infinity());
        if (dout_) result.gradients = Gradients{Tensor4(q_extents(s)), Tensor4(k_extents(s)), Tensor4(v_extents(s))};
        if (selection_) blank(result);
        for (const Part& part : method_.parts(p_)) {
            if (selection_ && selection_->batch != part.batch) continue;
            const Rotary<Wide> rotary(p_, part.keys(), types_.float32_angles, method_);
            for (std::int64_t head = 0; head < s.heads_kv; ++head) kv_head(part, rotary, head, result);
        }
        if (method_.store) method_.store(p_, result.outputs, result.gradients ? &*result.gradients : nullptr);
        return result;
    }

private:
    using Row = Values<Real>;

    /// Whether rows and keys of one part are wanted, and which.
    struct Wanted {
        std::vector<char> queries, keys;  ///< by row of the part; empty: all
        bool any_key = true;
    };

    void blank(PeerResult& result) const {
        const auto fill = [](auto& tensor) {
            std::ranges::fill(tensor.values(), std::numeric_limits<double>::quiet_NaN());
        };
        fill(result.outputs.out);
        fill(result.outputs.lse);
        if (!result.gradients) return;
        fill(result.gradients->dq);
        fill(result.gradients->dk);
        fill(result.gradients->dv);
    }

    static std::vector<char> marks(const std::vector<std::int64_t>& rows, std::int64_t begin, std::int64_t end) {
        std::vector<char> marked(static_cast<std::size_t>(end - begin));
        for (std::int64_t row : rows) {
            if (row >= begin && row < end) marked[static_cast<std::size_t>(row - begin)] = 1;
        }
        return marked;
    }

    Wanted wanted_of(const Part& part) const {
        if (!selection_) return {};
        Wanted wanted{marks(selection_->queries, part.query_begin, part.query_end),
                      marks(selection_->keys, part.key_begin, part.key_end), false};
        wanted.any_key = std::ranges::find(wanted.keys, 1) != wanted.keys.end();
        return wanted;
    }

    Row rotated(const Rotary<Wide>& rotary, const double* x, std::int64_t position) const {
        std::vector<Wide> wide(x, x + d_), turned(wide.size());
        rotary.rotate(wide.data(), position, turned.data());
        Row out;
        for (Wide y : turned) out.push_back(static_cast<Real>(input_(static_cast<double>(y))));
        return out;
    }

    static Row row_of(const Tensor4& t, std::int64_t b, std::int64_t row, std::int64_t head) {
        const double* x = &t(b, row, head, 0);
        return Row(x, x + t.extent(3));
    }

    void load_keys(const Part& part, const Rotary<Wide>& rotary, std::int64_t head) {
        const std::int64_t count = part.keys();
        keys_ = {count, zeros<Real>(count * d_), zeros<Real>(count * dv_), zeros<Real>(count * d_),
                 zeros<Real>(count * dv_)};
        for (std::int64_t j = 0; j < count; ++j) {
            const std::int64_t from = method_.key_source ? method_.key_source(part, j) : j;
            if (from < 0) continue;
            const Row k = rotated(rotary, &in_.k(part.batch, part.key_begin + from, head, 0),
                                  method_.key_position(p_, part, method_.source_rotated ? from : j));
            const Row v = row_of(in_.v, part.batch, part.key_begin + from, head);
            for (std::int64_t e = 0; e < d_; ++e)
                at(keys_.k_columns, e * count + j) = at(keys_.k, j * d_ + e) = at(k, e);
            for (std::int64_t e = 0; e < dv_; ++e)
                at(keys_.v_columns, e * count + j) = at(keys_.v, j * dv_ + e) = at(v, e);
        }
    }

    template <class V>
    static auto& at(V& values, std::int64_t n) {
        return values[static_cast<std::size_t>(n)];
    }

    Query<Real> query_of(const Part& part, const Rotary<Wide>& rotary, std::int64_t head, std::int64_t row) const {
        const At where{p_, part, row, part.offset + row};
        Query<Real> query;
        if (where.i < 0) return query;
        query.plan = method_.plan(where);
        const std::int64_t from = method_.query_source ? method_.query_source(part, row) : row;
        for (const Segment& segment : query.plan) {
            const double factor = method_.scale ? method_.scale(where, segment.mode) : 1;
            query.factor.push_back(static_cast<Real>(factor));
            query.scale.push_back(factor == 1 ? scale_ : static_cast<Real>(p_.resolved_softmax_scale() * factor));
            query.rotated.push_back(
                rotated(rotary, &in_.q(part.batch, part.query_begin + from, head, 0), segment.position));
        }
        return query;
    }

    /// y += R(position)^T (softmax scale * factor * x), or without the rotation
    void add_back(const Rotary<Wide>& rotary, const Real* x, double factor, std::int64_t position, bool rotate,
                  std::vector<Wide>& y) const {
        std::vector<Wide> scaled;
        for (std::int64_t e = 0; e < d_; ++e)
            scaled.push_back(factor == 1 ? Wide{x[e]} * Wide{scale_} : Wide{x[e]} * Wide{scale_} * Wide{factor});
        if (rotate) return rotary.add_back(scaled.data(), position, y.data());
        for (std::int64_t e = 0; e < d_; ++e) at(y, e) += at(scaled, e);
    }

    void store(const std::vector<Wide>& values, double* out) const {
        std::transform(values.begin(), values.end(), out,
                       [&](Wide x) { return row_.rounded_output(static_cast<double>(x)); });
    }

    static Real dot(const Row& a, const Row& b) {
        Real sum = 0;
        for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
        return sum;
    }

    /// The row's partial results by mode (empty where the modes run together) and its result.
    struct Forward {
        Partials<Real> partials;
        Softmaxed<Real> row;
        Real written_lse = 0;
    };

    /// The lse of the modes that are counted in what is written.
    Real written_lse(const Forward& done) const {
        const auto& counted = method_.lse_modes;
        if (std::ranges::find(counted, false) == counted.end()) return done.row.lse;
        Real sum = 0;
        for (std::size_t m = 0; m < mode_count; ++m) {
            if (counted[m] && done.partials[m].present)
                sum += RowKernel<Real, Wide>::exp_of(done.partials[m].lse - done.row.lse);
        }
        return done.row.lse + static_cast<Real>(std::log(Wide{sum}));
    }

    Forward forward(const Part& part, const Rotary<Wide>& rotary, std::int64_t head, std::int64_t row,
                    const Query<Real>& query) const {
        Forward result;
        const bool known = right_ != nullptr;
        if (method_.apart || method_.statistics != Statistics::whole) {
            const bool parts_wanted = !known || (dout_ && method_.statistics != Statistics::whole);
            for (int m = 0; parts_wanted && m < mode_count; ++m) at(result.partials, m) = row_.softmax(query, keys_, m);
        }
        if (known) {
            const std::int64_t b = part.batch, i = part.query_begin + row;
            result.row = {row_of(right_->out, b, i, head), static_cast<Real>(right_->lse(b, head, i)), true};
            for (Real& x : result.row.out) x = static_cast<Real>(row_.rounded_output(double{x}));
            result.written_lse = result.row.lse;
            return result;
        }
        if (!method_.apart) {
            result.row = row_.softmax(query, keys_, -1);
        } else {
            Real stale = -std::numeric_limits<Real>::infinity();
            if (method_.merge == Merge::stale_lse && row > 0)
                stale = row_.softmax(query_of(part, rotary, head, row - 1), keys_, 2).lse;
            result.row =
                merge(result.partials, method_.merge, stale, [](Real x) { return RowKernel<Real, Wide>::exp_of(x); });
            for (Real& x : result.row.out) x = static_cast<Real>(row_.rounded_output(double{x}));
        }
        result.written_lse = written_lse(result);
        if (method_.out_factor != 1) {
            for (Real& x : result.row.out) x = static_cast<Real>(row_.rounded_output(double{x} * method_.out_factor));
        }
        return result;
    }

    RowStatistics<Real> statistics(const Forward& forward, const Row& dout) const {
        RowStatistics<Real> all;
        for (std::size_t m = 0; m < mode_count; ++m) {
            const Statistics rule = method_.statistics;
            const bool own_lse = rule == Statistics::mode_lse || rule == Statistics::mode_both;
            const bool own_out = rule == Statistics::mode_out || rule == Statistics::mode_both;
            all.lse[m] = own_lse ? forward.partials[m].lse : forward.row.lse;
            const Row& out = own_out ? forward.partials[m].out : forward.row.out;
            all.delta[m] = out.empty() ? Real{0} : dot(dout, out);
            if (method_.delta_factor != 1) all.delta[m] *= static_cast<Real>(method_.delta_factor);
        }
        return all;
    }

    void kv_head(const Part& part, const Rotary<Wide>& rotary, std::int64_t head, PeerResult& result) {
        const std::int64_t group = p_.shape.heads_q / p_.shape.heads_kv;
        const Wanted wanted = wanted_of(part);
        const bool keys_wanted = result.gradients && wanted.any_key && (!selection_ || selection_->kv_head == head);
        const std::int64_t count = part.keys();
        Row dk = zeros<Real>(keys_wanted ? count * d_ : 0), dv = zeros<Real>(keys_wanted ? count * dv_ : 0);
        bool loaded = false;
        for (std::int64_t h = 0; h < p_.shape.heads_q; ++h) {
            if (method_.kv_head(p_.shape, h) != head) continue;
            const bool queries_wanted = !selection_ || selection_->kv_head == h / group;
            if (!queries_wanted && !keys_wanted) continue;
            if (!method_.group_sum) {
                std::ranges::fill(dk, Real{0});
                std::ranges::fill(dv, Real{0});
            }
            for (std::int64_t row = 0; row < part.query_end - part.query_begin; ++row) {
                const bool own = queries_wanted && (wanted.queries.empty() || at(wanted.queries, row) != 0);
                if (!own && !keys_wanted) continue;
                if (!loaded) load_keys(part, rotary, head);
                loaded = true;
                query_row(part, rotary, h, row, own, keys_wanted, wanted, result, dk, dv);
            }
        }
        for (std::int64_t j = 0; keys_wanted && j < count; ++j) {
            if (!wanted.keys.empty() && at(wanted.keys, j) == 0) continue;
            std::vector<Wide> total(static_cast<std::size_t>(d_));
            add_back(rotary, &at(dk, j * d_), method_.dk_factor, method_.key_position(p_, part, j),
                     method_.rotate_keys_back, total);
            store(total, &result.gradients->dk(part.batch, part.key_begin + j, head, 0));
            store({&at(dv, j * dv_), &at(dv, j * dv_) + dv_},
                  &result.gradients->dv(part.batch, part.key_begin + j, head, 0));
        }
    }

    void query_row(const Part& part, const Rotary<Wide>& rotary, std::int64_t head, std::int64_t row, bool own,
                   bool keys_wanted, const Wanted& wanted, PeerResult& result, Row& dk, Row& dv) const {
        const std::int64_t b = part.batch, i = part.query_begin + row;
        const Query<Real> query = query_of(part, rotary, head, row);
        if (query.plan.empty()) {
            if (own && selection_) empty_row(b, i, head, result);
            return;
        }
        const Forward done = forward(part, rotary, head, row, query);
        if (own) {
            std::copy(done.row.out.begin(), done.row.out.end(), &result.outputs.out(b, i, head, 0));
            result.outputs.lse(b, head, i) = static_cast<double>(done.written_lse);
        }
        if (!result.gradients) return;
        const Row dout = row_of(*dout_, b, i, head);
        std::vector<Row> dq(query.plan.size(), zeros<Real>(d_));
        // An 8-bit dS is scaled by the largest of its tile, so that all of it has to be there.
        const bool all = own || traits(types_.p).storage_bits == 8;
        const bool owes = keys_wanted && (!method_.owes || method_.owes(part, row));
        row_.backward(query, keys_, statistics(done, dout), dout, owes, all, wanted.keys, dq, dk, dv);
        if (!own) return;
        std::vector<Wide> total(static_cast<std::size_t>(d_));
        for (int mode = 0; mode < mode_count; ++mode) {
            for (std::size_t n = 0; n < dq.size(); ++n) {
                if (query.plan[n].mode != mode) continue;
                add_back(rotary, dq[n].data(), method_.dq_factor * static_cast<double>(query.factor[n]),
                         query.plan[n].position, at(method_.rotate_back, mode), total);
            }
        }
        store(total, &result.gradients->dq(b, i, head, 0));
    }

    void empty_row(std::int64_t b, std::int64_t i, std::int64_t head, PeerResult& result) const {
        std::fill_n(&result.outputs.out(b, i, head, 0), dv_, 0.0);
        result.outputs.lse(b, head, i) = -std::numeric_limits<double>::infinity();
        if (result.gradients) std::fill_n(&result.gradients->dq(b, i, head, 0), d_, 0.0);
    }

    const Problem& p_;
    const Inputs& in_;
    PeerTypes types_;
    const Method& method_;
    const Selection* selection_;
    const Outputs* right_;
    std::int64_t d_, dv_;
    Real scale_;
    Rounder input_;
    RowKernel<Real, Wide> row_;
    std::optional<Tensor4> dout_;
    Keys<Real> keys_;
};

}  // namespace dca::peer
