// Rows turned by rotary positions (Def.4): x and its partner times a row of (mscale cos, mscale sin), in Real, rounded
// to an element once. Channels that are not rotary pass through, channels from head_dim on are zero.
#pragma once

#include "gpu/api/kernel_params.hpp"
#include "gpu/tile/number_format.hpp"

namespace dca::gpu {

template <class M, class Element>
class Rotation {
public:
    using S = Storage<Element>;
    using R = Real<Element>;

    DCA_DEVICE Rotation(Global<const S> in, Strides stride, Global<const R> angles, int head_dim, int rotary_dim,
                        Pairing pairing, R sign)
        : in_(in),
          angles_(angles),
          head_dim_(head_dim),
          turned_(pairing == Pairing::none ? 0 : rotary_dim),
          half_(pairing == Pairing::neox ? turned_ / 2 : 0),
          sign_(sign) {
        const int granule = pairing == Pairing::neox ? 16 : 8;
        vectors_ = whole_vectors(in, stride.batch, stride.row, stride.head) && whole_vectors(angles, 0, 0, 0) &&
                   head_dim % 8 == 0 && turned_ % granule == 0;
    }

    /// Channel c of the row that begins at element `row`, turned by row `angle` of the table.
    DCA_DEVICE R channel(std::int64_t row, std::int64_t angle, int c) const {
        if (c >= head_dim_) return 0;
        const R x = widen<M, Element>(M::load(in_, row + c));
        if (c >= turned_) return sign_ * x;
        const bool first = half_ > 0 ? c < half_ : c % 2 == 0;
        const int step = half_ > 0 ? half_ : 1;
        const int pair = half_ > 0 ? (first ? c : c - half_) : c / 2;
        const R y = widen<M, Element>(M::load(in_, row + (first ? c + step : c - step)));
        const std::int64_t at = angle * turned_ + 2 * pair;
        return turn(x, y, M::load(angles_, at), M::load(angles_, at + 1), first);
    }

    /// Channels c .. c + 7, c a multiple of 8, as 16-bit elements.
    DCA_DEVICE Vector16 eight_channels(std::int64_t row, std::int64_t angle, int c) const {
        Vector16 out{};
        if (!vectors_) {
            DCA_ROLL  // one by one, each pushing those before it down by 16 bits: little code, no indexed registers
                for (int e = 0; e < 8; ++e) {
                DCA_UNROLL
                for (int i = 0; i < 4; ++i) {
                    const std::uint32_t above =
                        i < 3 ? out.word[i + 1] : narrow<M, Element>(channel(row, angle, c + e));
                    out.word[i] = out.word[i] >> 16 | above << 16;
                }
            }
            return out;
        }
        if (c >= head_dim_) return out;
        const Vector16 x = M::load_vector(in_, row + c);
        if (c >= turned_) {
            DCA_UNROLL
            for (int i = 0; i < 4; ++i)
                out.word[i] =
                    M::template pack<Element>(sign_ * low<M, Element>(x.word[i]), sign_ * high<M, Element>(x.word[i]));
        } else if (half_ > 0) {
            const bool first = c < half_;
            const Vector16 y = M::load_vector(in_, row + (first ? c + half_ : c - half_));
            const std::int64_t at = angle * turned_ + 2 * (first ? c : c - half_);
            DCA_UNROLL
            for (int i = 0; i < 4; ++i) {
                const Vector16 t = M::load_vector(angles_, at + 4 * i);
                out.word[i] = M::template pack<Element>(turn(low<M, Element>(x.word[i]), low<M, Element>(y.word[i]),
                                                             real(t.word[0]), real(t.word[1]), first),
                                                        turn(high<M, Element>(x.word[i]), high<M, Element>(y.word[i]),
                                                             real(t.word[2]), real(t.word[3]), first));
            }
        } else {
            const std::int64_t at = angle * turned_ + c;
            DCA_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float a = low<M, Element>(x.word[i]), b = high<M, Element>(x.word[i]);
                const float cosine = M::load(angles_, at + 2 * i), sine = M::load(angles_, at + 2 * i + 1);
                out.word[i] =
                    M::template pack<Element>(turn(a, b, cosine, sine, true), turn(b, a, cosine, sine, false));
            }
        }
        return out;
    }

private:
    /// One element of a pair: x turned, y its partner.
    DCA_DEVICE R turn(R x, R y, R cosine, R sine, bool first) const {
        const R product = y * sine;
        return sign_ * M::fma(x, cosine, first ? -product : product);
    }
    static DCA_DEVICE float real(std::uint32_t word) { return __builtin_bit_cast(float, word); }

    Global<const S> in_;
    Global<const R> angles_;
    int head_dim_, turned_, half_;  // half_: channels between partners, 0 where they are neighbours
    R sign_;
    bool vectors_;
};

}  // namespace dca::gpu
