// Reverse-mode differentiation by recording: a number that remembers which operation it came from, and the tape that is
// run backwards. The oracle's gradients come out of its forward definition alone; nobody derives them a second time.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "reference/chunk_summary/oracle/numbers.hpp"

namespace dca::chunk_summary::oracle {

/// Every number ever computed, with the numbers it depends on directly and the slopes.
template <class S>
class Tape {
public:
    struct Edge {
        std::int32_t source;
        S slope;
    };

    std::int32_t leaf() { return close(); }
    /// A constant (source -1) has no edge.
    void depend(std::int32_t source, const S& slope) {
        if (source >= 0) edges_.push_back({source, slope});
    }
    /// The number the dependences since the last call belong to.
    std::int32_t close() {
        ends_.push_back(edges_.size());
        return static_cast<std::int32_t>(ends_.size() - 1);
    }

    /// Gradients of sum(weight * number) with respect to every number.
    [[nodiscard]] std::vector<S> gradients(const std::vector<std::pair<std::int32_t, S>>& seeds) const {
        using Wide = typename Arithmetic<S>::Wide;
        std::vector<Wide> sums(ends_.size(), Wide{});
        for (const auto& [node, weight] : seeds) sums[static_cast<std::size_t>(node)] = static_cast<Wide>(weight);
        std::vector<S> result(ends_.size());
        for (std::size_t node = ends_.size(); node-- > 0;) {
            result[node] = static_cast<S>(sums[node]);
            const Wide whole = static_cast<Wide>(result[node]);
            for (std::size_t e = node == 0 ? 0 : ends_[node - 1]; e < ends_[node]; ++e) {
                Wide& sum = sums[static_cast<std::size_t>(edges_[e].source)];
                sum = sum + whole * static_cast<Wide>(edges_[e].slope);
            }
        }
        return result;
    }

private:
    std::vector<Edge> edges_;
    std::vector<std::size_t> ends_;
};

template <class S>
struct Traced {
    S value{};
    std::int32_t node = -1;  ///< -1: a constant
    Tape<S>* tape = nullptr;

    Traced() = default;
    explicit Traced(Quad constant) : value(static_cast<S>(constant)) {}
    Traced(const S& value_, Tape<S>& tape_) : value(value_), node(tape_.leaf()), tape(&tape_) {}

    friend Traced operator+(const Traced& a, const Traced& b) {
        return joined(a.value + b.value, a, S(Quad(1)), b, S(Quad(1)));
    }
    friend Traced operator-(const Traced& a, const Traced& b) {
        return joined(a.value - b.value, a, S(Quad(1)), b, S(Quad(-1)));
    }
    friend Traced operator*(const Traced& a, const Traced& b) {
        return joined(a.value * b.value, a, b.value, b, a.value);
    }
    friend Traced operator/(const Traced& a, const Traced& b) {
        const S quotient = a.value / b.value;
        return joined(quotient, a, S(Quad(1)) / b.value, b, S{} - quotient / b.value);
    }
    friend bool operator<(const Traced& a, const Traced& b) { return a.value < b.value; }
    friend Traced exp(const Traced& x) {
        const S e = exp(x.value);
        return derived(e, x, e);
    }
    friend Traced sqrt(const Traced& x) {
        const S root = sqrt(x.value);
        return derived(root, x, S(Quad(1)) / (root + root));
    }
    friend Traced erf(const Traced& x) { return derived(erf(x.value), x, erf_slope(x.value)); }

    /// A number of the tape that holds `tape`, once its dependences are recorded; without one a constant.
    static Traced closed(const S& value, Tape<S>* tape) {
        Traced result;
        result.value = value;
        result.tape = tape;
        if (tape != nullptr) result.node = tape->close();
        return result;
    }

private:
    static Traced derived(const S& value, const Traced& x, const S& slope) {
        if (x.tape != nullptr) x.tape->depend(x.node, slope);
        return closed(value, x.tape);
    }
    static Traced joined(const S& value, const Traced& a, const S& to_a, const Traced& b, const S& to_b) {
        Tape<S>* tape = a.tape != nullptr ? a.tape : b.tape;
        if (tape != nullptr) {
            tape->depend(a.node, to_a);
            tape->depend(b.node, to_b);
        }
        return closed(value, tape);
    }
};

/// A sum is one operation, formed as its base type forms it.
template <class S>
struct Arithmetic<Traced<S>> {
    using Wide = Traced<S>;
    [[nodiscard]] static Traced<S> dot(std::span<const Traced<S>> a, std::span<const Traced<S>> b) {
        Tape<S>* tape = nullptr;
        const std::vector<S> left = values(a, tape), right = values(b, tape);
        for (std::size_t n = 0; tape != nullptr && n < a.size(); ++n) {
            tape->depend(a[n].node, right[n]);
            tape->depend(b[n].node, left[n]);
        }
        return Traced<S>::closed(Arithmetic<S>::dot(left, right), tape);
    }
    [[nodiscard]] static Traced<S> sum(std::span<const Traced<S>> a) {
        Tape<S>* tape = nullptr;
        const std::vector<S> terms = values(a, tape);
        for (std::size_t n = 0; tape != nullptr && n < a.size(); ++n) tape->depend(a[n].node, S(Quad(1)));
        return Traced<S>::closed(Arithmetic<S>::sum(terms), tape);
    }

private:
    static std::vector<S> values(std::span<const Traced<S>> traced, Tape<S>*& tape) {
        std::vector<S> out;
        for (const Traced<S>& x : traced) {
            out.push_back(x.value);
            if (x.tape != nullptr) tape = x.tape;
        }
        return out;
    }
};

}  // namespace dca::chunk_summary::oracle
