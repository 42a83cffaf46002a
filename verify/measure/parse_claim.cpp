#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "golden/text.hpp"
#include "reference/spec/error.hpp"
#include "reference/spec/problem.hpp"
#include "verify/measure/claim.hpp"

namespace dca::measure {

namespace {

struct Unit {
    std::string_view text;
    double value;
    bool bytes;  ///< else seconds
};

constexpr std::array<Unit, 10> units = {{{"B", 1, true},
                                         {"KiB", 1024, true},
                                         {"MiB", 1048576, true},
                                         {"GiB", 1073741824, true},
                                         {"kB", 1e3, true},
                                         {"MB", 1e6, true},
                                         {"GB", 1e9, true},
                                         {"s", 1, false},
                                         {"ms", 1e-3, false},
                                         {"us", 1e-6, false}}};

constexpr double highest_power = 6;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower_case(std::string_view text) {
    std::string made(text);
    for (char& c : made) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return made;
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Claim parse() {
        Claim claim;
        claim.text = golden::printable(text_);
        left_side(claim);
        relation(claim);
        if (take("O(")) {
            if (!claim.ratio_to.empty()) fail(at_ - 2, "a ratio is held against a number, not O(...)");
            claim.growth.push_back(product());
            while (take("+")) claim.growth.push_back(product());
            require(")", "')' or '+'");
        } else {
            number_bound(claim);
        }
        where(claim);
        skip();
        if (at_ != text_.size()) fail(at_, "nothing more, or 'at n = ...'");
        return claim;
    }

private:
    [[noreturn]] void fail(std::size_t at, const std::string& expected) const {
        throw InvalidProblem("claim '" + golden::printable(text_) + "': column " + std::to_string(at + 1) +
                             ": expected " + expected);
    }

    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }

    bool take(std::string_view token) {
        skip();
        if (text_.substr(at_, token.size()) != token) return false;
        at_ += token.size();
        return true;
    }

    void require(std::string_view token, const std::string& expected) {
        if (!take(token)) fail(at_, expected);
    }

    /// Letters, then letters, digits, '-' and ':'.
    std::string_view word() {
        skip();
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (is_letter(text_[at_]) ||
                (at_ > begin && (is_digit(text_[at_]) || text_[at_] == '-' || text_[at_] == ':')))) {
            ++at_;
        }
        return text_.substr(begin, at_ - begin);
    }

    double number(const std::string& expected) {
        skip();
        double value = 0;
        const char* begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (error != std::errc() || !std::isfinite(value) || value < 0) fail(at_, expected);
        at_ += static_cast<std::size_t>(end - begin);
        return value;
    }

    Quantity quantity() {
        static constexpr std::array<std::string_view, 7> names = {"time",  "cpu",      "memory", "peak",
                                                                  "flops", "elements", "ratio"};
        skip();
        const std::size_t begin = at_;
        const std::string_view text = word();
        if (const auto found = parse_quantity(text)) return *found;
        fail(begin, "time, cpu, memory, peak, flops, elements or ratio(...)" + golden::suggestion(text, names));
    }

    void left_side(Claim& claim) {
        if (take("ratio")) {
            require("(", "'(' after ratio");
            claim.quantity = quantity();
            require(",", "',' and the name of a candidate");
            skip();
            claim.ratio_to = word();
            if (claim.ratio_to.empty()) fail(at_, "the name of a candidate");
            require(")", "')'");
        } else {
            claim.quantity = quantity();
        }
    }

    void relation(Claim& claim) {
        if (take("<=")) {
            claim.relation = Relation::at_most;
        } else if (take(">=")) {
            claim.relation = Relation::at_least;
        } else if (take("==")) {
            claim.relation = Relation::equal;
            skip();
            if (text_.substr(at_, 2) != "O(") fail(at_, "O(...) after ==; a measured number is never exactly another");
        } else {
            fail(at_, "'<=', '>=' or '=='");
        }
    }

    Growth product() {
        Growth growth;
        factor(growth, 1);
        while (true) {
            if (take("*")) {
                factor(growth, 1);
            } else if (take("/")) {
                factor(growth, -1);
            } else {
                skip();
                if (at_ == text_.size() || !(is_letter(text_[at_]) || text_[at_] == '(')) break;
                factor(growth, 1);  // "n log n"
            }
        }
        if (!(std::abs(growth.n_power) <= highest_power && std::abs(growth.c_power) <= highest_power)) {
            fail(at_, "powers of 6 at most");
        }
        if (growth.n_power < 0 || growth.log_power < 0) fail(at_, "a law that does not fall with n");
        return growth;
    }

    void factor(Growth& growth, double sign) {
        skip();
        const std::size_t begin = at_;
        Growth base;
        if (take("(")) {
            base = product_in_brackets();
        } else if (take("1")) {
        } else {
            const std::string_view text = word();
            if (text == "n") {
                base.n_power = 1;
            } else if (text == "c") {
                base.c_power = 1;
            } else if (text == "log") {
                const bool bracket = take("(");
                if (word() != "n") fail(at_, "n after log");
                if (bracket) require(")", "')'");
                base.log_power = 1;
            } else {
                static constexpr std::array<std::string_view, 5> chunk = {"C", "L", "w", "chunk", "chunk_size"};
                std::string hint;
                for (const std::string_view other : chunk) {
                    if (text == other) hint = "; the chunk_size is written c";
                }
                if (text == "N" || text == "S") hint = "; the number of tokens is written n";
                fail(begin, "n, c, log n, 1 or a product in brackets" + hint);
            }
        }
        const double exponent = sign * (take("^") ? number("a power, such as 2 or 1.5") : 1);
        growth.n_power += exponent * base.n_power;
        growth.c_power += exponent * base.c_power;
        if (base.log_power != 0) {
            if (exponent != std::floor(exponent) || std::abs(exponent) > 3)
                fail(at_, "a whole power of log n, 3 at most");
            growth.log_power += static_cast<int>(exponent) * base.log_power;
        }
    }

    Growth product_in_brackets() {
        if (++depth_ > 8) fail(at_, "fewer brackets");
        const Growth inner = product();
        require(")", "')'");
        --depth_;
        return inner;
    }

    void number_bound(Claim& claim) {
        skip();
        const std::size_t begin = at_;
        const double written = number("O(...) or a number");
        const std::size_t unit_at = (skip(), at_);
        const bool bytes = claim.quantity == Quantity::memory || claim.quantity == Quantity::peak;
        const bool seconds = claim.quantity == Quantity::time || claim.quantity == Quantity::cpu;
        const std::string_view after = text_.substr(at_);
        std::string_view unit;
        if (!after.starts_with("at ") && !after.empty() && is_letter(after.front())) unit = word();
        const bool needs_unit = claim.ratio_to.empty() && (bytes || seconds);
        if (!unit.empty() || needs_unit) claim.unit_value = unit_value(claim, unit, unit_at, needs_unit, bytes);
        claim.unit = unit;
        if (take("/")) {
            if (!claim.ratio_to.empty()) fail(at_ - 1, "no '/token' after a ratio");
            const std::size_t token_at = (skip(), at_);
            if (word() != "token") fail(token_at, "token");
            claim.per_token = true;
            claim.unit += "/token";
        }
        claim.limit = written * claim.unit_value;
        if (!(claim.limit > 0)) fail(begin, "a number above 0");
    }

    double unit_value(const Claim& claim, std::string_view unit, std::size_t at, bool needed, bool bytes) const {
        if (!needed) fail(at, claim.ratio_to.empty() ? "no unit: it is a count" : "no unit after a ratio");
        std::string expected;
        std::array<std::string_view, units.size()> names{};
        for (std::size_t i = 0; i < units.size(); ++i) {
            names[i] = units[i].text;
            if (units[i].bytes != bytes) continue;
            if (units[i].text == unit) return units[i].value;
            expected += (expected.empty() ? "" : ", ") + std::string(units[i].text);
        }
        std::string hint = golden::suggestion(unit, names);
        for (const std::string_view one : names) {
            if (lower_case(one) == lower_case(unit)) hint = ", did you mean " + std::string(one) + "?";
        }
        fail(at, "a unit (" + expected + ")" + hint);
    }

    void where(Claim& claim) {
        if (!take("at ")) return;
        if (!claim.growth.empty()) fail(at_ - 3, "nothing after O(...): growth is that of all measured sizes");
        if (take("every n")) {
            claim.where = Where::every;
            return;
        }
        require("n", "'every n', 'n = ...' or 'n >= ...'");
        if (take(">=")) {
            claim.where = Where::from;
        } else if (take("=")) {
            claim.where = Where::exactly;
        } else {
            fail(at_, "'=' or '>='");
        }
        const double size = number("a number of tokens");
        const double unit = take("K") ? 1024 : take("M") ? 1048576 : 1;
        if (size * unit != std::floor(size * unit) || size * unit < 1 ||
            size * unit > static_cast<double>(max_position)) {
            fail(at_, "a whole number of tokens up to 2^31");
        }
        claim.n = static_cast<std::int64_t>(size * unit);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

Claim parse_claim(std::string_view text) {
    if (text.size() > 500) throw InvalidProblem("a claim has 500 characters at most");
    return Parser(text).parse();
}

}  // namespace dca::measure
