#include "verify/hazards/differences.hpp"

#include <algorithm>
#include <cmath>

#include "golden/case_text.hpp"
#include "reference/math/temperature.hpp"
#include "verify/hazards/computed.hpp"
#include "verify/hazards/relative_positions.hpp"

namespace dca::hazards {
namespace {

Problem tokens(std::string_view dialect, std::int64_t queries, std::int64_t keys) {
    Problem problem;
    problem.dialect = dialect;
    problem.shape.seq_q = queries;
    problem.shape.seq_k = keys;
    return problem;
}

Problem prefill(const Dialect& dialect, std::int64_t reference_length, std::int64_t keys) {
    Problem problem = tokens(dialect.name, keys, keys);
    problem.facts.phase = Phase::prefill;
    problem.facts.max_position_embeddings = problem.facts.original_max_position_embeddings = reference_length;
    return problem;
}

/// The last token of `keys`, decoded after a prompt of half the reference length.
Problem decode(const Dialect& dialect, std::int64_t reference_length, std::int64_t keys) {
    const std::int64_t prompt = reference_length / 2;
    Problem problem = prefill(dialect, reference_length, keys);
    problem.shape.seq_q = keys - prompt;
    problem.facts.phase = Phase::decode;
    problem.facts.prompt_length = {prompt};
    return problem;
}

/// a_i and b_j of every index.
struct Factors {
    std::vector<double> query, key;
};

Factors factors(const Problem& problem) {
    const reference::TemperatureLaw law(problem, reference::sequences(problem).front());
    Factors out;
    for (std::int64_t at = 0; at < problem.shape.seq_k; ++at) {
        out.query.push_back(law.query(QueryIndex(at)));
        out.key.push_back(law.key(KeyIndex(at)));
    }
    return out;
}

bool differ(double a, double b) {
    return std::abs(a - b) > 1e-12;  // products of two doubles near 1, each rounded once: 4 * 2^-53
}

/// Whether some logit of row i has another factor.
bool row_differs(const Factors& a, const Factors& b, std::int64_t i) {
    const auto row = static_cast<std::size_t>(i);
    for (std::size_t j = 0; j <= row; ++j) {
        if (differ(a.query[row] * a.key[j], b.query[row] * b.key[j])) return true;
    }
    return false;
}

template <class Differs>
First smallest(std::int64_t from, std::int64_t to, Differs differs) {
    for (std::int64_t n = from; n <= to; ++n) {
        if (differs(n)) return n;
    }
    return std::nullopt;
}

}  // namespace

Problem four_chunks(std::string_view dialect, const ChunkConfig& chunk) {
    Problem problem = tokens(dialect, 4 * chunk.chunk_len(), 4 * chunk.chunk_len());
    problem.chunk = chunk;
    return problem;
}

bool same_positions(const Dialect& a, const Dialect& b) {
    return a.succ == b.succ && a.inter == b.inter;
}

std::vector<const Dialect*> position_classes() {
    std::vector<const Dialect*> classes;
    for (const Dialect& d : dialects()) {
        const auto same = [&](const Dialect* other) { return same_positions(d, *other); };
        if (std::none_of(classes.begin(), classes.end(), same)) classes.push_back(&d);
    }
    return classes;
}

const std::vector<PositionFormula>& position_formulas() {
    static const std::vector<PositionFormula> formulas{
        {"paper", "", "C if w < L, 2L + 1 if w = L + 1, else 2L",
         [](const ChunkConfig& c) {
             if (c.local_size < c.chunk_len()) return First(c.chunk_size);
             return First(2 * c.chunk_len() + (c.local_size == c.chunk_len() + 1 ? 1 : 0));
         }},
        {"zerollama", "", "C + 1 if w <= L, else 2L",
         [](const ChunkConfig& c) {
             return First(c.local_size <= c.chunk_len() ? c.chunk_size + 1 : 2 * c.chunk_len());
         }},
        {"exact", "", "min(2L, C + 1)",
         [](const ChunkConfig& c) { return First(std::min(2 * c.chunk_len(), c.chunk_size + 1)); }},
        {"exact", "paper", "C if w < L, never if w = L, 2L if w > L",
         [](const ChunkConfig& c) {
             if (c.local_size == c.chunk_len()) return First();
             return First(c.local_size < c.chunk_len() ? c.chunk_size : 2 * c.chunk_len());
         }},
        {"exact", "zerollama", "never if w < L, else 2L",
         [](const ChunkConfig& c) { return c.local_size < c.chunk_len() ? First() : First(2 * c.chunk_len()); }},
        {"paper", "zerollama", "C if w < L, else 2L",
         [](const ChunkConfig& c) { return First(c.local_size < c.chunk_len() ? c.chunk_size : 2 * c.chunk_len()); }},
    };
    return formulas;
}

First prefill_factor_differs(const Dialect& a, const Dialect& b, std::int64_t reference_length) {
    return smallest(1, 3 * reference_length, [&](std::int64_t n) {
        const Factors of_a = factors(prefill(a, reference_length, n)), of_b = factors(prefill(b, reference_length, n));
        const auto some = [&](std::int64_t i) { return row_differs(of_a, of_b, i); };
        return smallest(0, n - 1, some).has_value();
    });
}

First decode_factor_differs(const Dialect& a, const Dialect& b, std::int64_t reference_length) {
    return smallest(reference_length / 2 + 1, 3 * reference_length, [&](std::int64_t n) {
        return row_differs(factors(decode(a, reference_length, n)), factors(decode(b, reference_length, n)), n - 1);
    });
}

First prompt_length_matters(const Dialect& dialect, std::int64_t reference_length) {
    return smallest(2, 3 * reference_length, [&](std::int64_t n) {
        return row_differs(factors(prefill(dialect, reference_length, n)),
                           factors(prefill(dialect, reference_length, n - 1)), 0);
    });
}

First decode_leaves_prefill(const Dialect& dialect, std::int64_t reference_length) {
    return smallest(reference_length / 2 + 1, 3 * reference_length, [&](std::int64_t n) {
        return row_differs(factors(decode(dialect, reference_length, n)),
                           factors(prefill(dialect, reference_length, n)), n - 1);
    });
}

double rounding_difference(const Dialect& a, const Dialect& b, Phase phase, Dtype dtype) {
    // Seven tokens of C = 6, w = 2: rows 4 and 5 merge two modes and still have the relative positions i - j in every
    // dialect, and the length is one that all of them run (H43).
    golden::CaseSpec spec = golden::parse_case("seq_q=7 heads_q=2 head_dim=16 C=6 w=2 seed=1 gradient=0");
    if (phase == Phase::decode) spec.problem.shape.seq_q = 3;
    spec.problem.facts.phase = phase;
    spec.problem.dtype = dtype;
    golden::CaseSpec other = spec;
    spec.problem.dialect = a.name;
    other.problem.dialect = b.name;
    expects(first_different_query(spec.problem, other.problem).value_or(6) >= 6,
            "a dialect whose positions differ in the case for rounding");
    return output_difference(spec, other, 4, 6);
}

}  // namespace dca::hazards
