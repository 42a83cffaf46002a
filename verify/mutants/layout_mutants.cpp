// Right numbers at wrong places: heads, rows, offsets that do not fit their integer.
#include <algorithm>
#include <array>

#include "verify/mutants/families.hpp"

namespace dca::mutants {
namespace {

void kv_head_by_modulo(Change& change) {
    change.method.kv_head = [](const Shape& s, std::int64_t head) { return head % s.heads_kv; };
}
bool modulo_differs(const Problem& p) {
    return p.shape.heads_kv > 1 && p.shape.heads_kv < p.shape.heads_q;
}

void kv_head_shifted(Change& change) {
    change.method.kv_head = [](const Shape& s, std::int64_t head) {
        return (head / (s.heads_q / s.heads_kv) + 1) % s.heads_kv;
    };
}
bool has_kv_heads(const Problem& p) {
    return p.shape.heads_kv > 1;
}

/// Rows of `inner` values: (outer, a, b) -> (outer, b, a), the memory seen as if it had not been moved.
template <int Rank>
void transpose(Tensor<double, Rank>& tensor, std::int64_t outer, std::int64_t a, std::int64_t b, std::int64_t inner) {
    const std::vector<double> from(tensor.values().begin(), tensor.values().end());
    for (std::int64_t o = 0; o < outer; ++o) {
        for (std::int64_t x = 0; x < a; ++x) {
            for (std::int64_t y = 0; y < b; ++y) {
                std::copy_n(from.begin() + ((o * a + x) * b + y) * inner, inner,
                            tensor.values().begin() + ((o * b + y) * a + x) * inner);
            }
        }
    }
}

void heads_transposed(Change& change) {
    change.method.store = [](const Problem& p, Outputs& outputs, Gradients*) {
        const Shape& s = p.shape;
        transpose(outputs.out, s.batch, s.seq_q, s.heads_q, s.head_dim_v);
    };
}
void lse_transposed(Change& change) {
    change.method.store = [](const Problem& p, Outputs& outputs, Gradients*) {
        const Shape& s = p.shape;
        transpose(outputs.lse, s.batch, s.heads_q, s.seq_q, 1);
    };
}
bool has_heads_and_rows(const Problem& p) {
    return p.shape.heads_q > 1 && p.shape.seq_q > 1;
}

void query_row_before(Change& change) {
    change.method.query_source = [](const peer::Part&, std::int64_t row) { return std::max<std::int64_t>(row - 1, 0); };
}
bool has_rows(const Problem& p) {
    return p.shape.seq_q > 1;
}

/// out is written row by row at its element offset in a 16-bit integer: what wraps to below 0 is lost, what wraps
/// further lands on earlier rows.
void int16_offset(Change& change) {
    change.method.store = [](const Problem& p, Outputs& outputs, Gradients*) {
        const std::vector<double> right(outputs.out.values().begin(), outputs.out.values().end());
        const auto out = outputs.out.values();
        std::ranges::fill(out, 0.0);
        const std::int64_t length = p.shape.head_dim_v, rows = outputs.out.size() / length;
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto wrapped = std::int64_t{static_cast<std::int16_t>(row * length)};
            if (wrapped < 0) continue;
            const std::int64_t fits = std::min(length, outputs.out.size() - wrapped);
            std::copy_n(right.begin() + row * length, fits, out.begin() + wrapped);
        }
    };
}
bool beyond_int16(const Problem& p) {
    return element_count(out_extents(p.shape)) > 32768;
}

/// k and v imagined so widely strided that the middle key is the first beyond the integer's range.
std::int64_t first_beyond(const peer::Part& part) {
    return (part.keys() + 1) / 2;
}
void int32_offset(Change& change) {
    change.method.key_source = [](const peer::Part& part, std::int64_t j) {
        return j < first_beyond(part) ? j : -1;  // negative: the guarded load gives zeros
    };
}
void uint32_offset(Change& change) {
    change.method.key_source = [](const peer::Part& part, std::int64_t j) {
        return j % first_beyond(part);  // starts again at the first key
    };
}
bool has_keys(const Problem& p) {
    const auto parts = peer::parts_of(p);
    return std::ranges::any_of(parts, [](const peer::Part& part) {
        return std::min(part.keys(), part.offset + part.query_end - part.query_begin) > first_beyond(part);
    });
}

constexpr Mutant in(std::string_view id, std::string_view title, std::string_view hazard, std::string_view example,
                    void (*change)(Change&), bool (*possible)(const Problem&)) {
    return {id, title, hazard, example, Family::layout, change, possible};
}

constexpr std::array mutants{
    in("kv-head-by-modulo", "query head a reading kv head a mod heads_kv instead of a div group", "", "",
       kv_head_by_modulo, modulo_differs),
    in("kv-head-shifted", "query heads reading the kv head after theirs", "", "", kv_head_shifted, has_kv_heads),
    in("heads-transposed", "out written as (heads, rows) where (rows, heads) is meant", "H32",
       "diffusers #14265 (double transpose)", heads_transposed, has_heads_and_rows),
    in("lse-transposed", "lse written as (rows, heads) where (heads, rows) is meant", "H32",
       "vLLM and SGLang dual chunk attention (a view of lse)", lse_transposed, has_heads_and_rows),
    in("query-row-before", "every query computed from the q of the row before", "", "", query_row_before, has_rows),
    in("int16-offset", "offsets of out in 16 bits: rows beyond 32768 elements lost or written over others", "",
       "flash-attention #2611 (32 bits)", int16_offset, beyond_int16),
    in("int32-offset",
       "offsets of k and v in 32 bits with sign: keys beyond 2^31 elements read as zeros (modelled: from the middle "
       "key on)",
       "", "flash-attention #2611", int32_offset, has_keys),
    in("uint32-offset",
       "offsets of k and v in 32 bits: keys beyond 2^32 elements read from the start (modelled: from the middle key "
       "on)",
       "", "", uint32_offset, has_keys),
};

}  // namespace

std::span<const Mutant> layout_mutants() {
    return mutants;
}

}  // namespace dca::mutants
