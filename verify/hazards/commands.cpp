// From what a figure measures to the commands with which a reader sees the same.
#include <algorithm>

#include "golden/case_text.hpp"
#include "verify/hazards/case_words.hpp"
#include "verify/hazards/show.hpp"

namespace dca::hazards {
namespace {

/// Longest sequences dca positions writes as text and as csv.
constexpr std::int64_t longest_text = 256, longest_csv = 65536;

using Lines = std::vector<std::string>;

std::string dialect_in(const std::string& text) {
    const std::string_view dialect = word(text, "dialect");
    return dialect.empty() ? "exact" : std::string(dialect);
}

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

struct Commands {
    const Hazard& hazard;

    [[nodiscard]] std::string text(std::string_view words) const { return changed(hazard.minimal_case, words); }

    [[nodiscard]] Lines generate(std::string_view words, const char* file) const {
        return {"dca generate --case " + quoted(text(words)) + " -o " + file};
    }
    [[nodiscard]] Lines positions(std::string_view words) const {
        const std::string all = text(words);
        const Problem problem = golden::parse_case(all).problem;
        const std::int64_t length = problem.shape.seq_k;
        if (problem.rope.scaling != RopeScaling::none) return against_exact(words);
        if (length > longest_csv) return {};
        std::string line = "dca positions";
        if (problem.dialect != "exact") line += " --dialect " + problem.dialect;
        line += " --chunk-size " + std::to_string(problem.chunk.chunk_size) + " --local-size " +
                std::to_string(problem.chunk.local_size) + " --seq-len " + std::to_string(length);
        return {length > longest_text ? line + " --format csv" : line};
    }
    [[nodiscard]] Lines against_exact(std::string_view words) const {
        const std::string all = text(words), dialect = dialect_in(all);
        if (dialect == "exact") return {};
        return {"dca diff-dialects " + dialect + " exact --case " + quoted(changed(all, "dialect="))};
    }
    /// One command where nothing but the dialect differs.
    [[nodiscard]] Lines two(std::string_view a, std::string_view b) const {
        const std::string text_a = text(a), text_b = text(b);
        if (changed(text_a, "dialect=") != changed(text_b, "dialect=")) return {};
        return {"dca diff-dialects " + dialect_in(text_a) + " " + dialect_in(text_b) + " --case " +
                quoted(changed(text_a, "dialect="))};
    }
    [[nodiscard]] Lines two_or(std::string_view a, std::string_view b, Lines of_a, Lines of_b) const {
        Lines lines = two(a, b);
        if (!lines.empty()) return lines;
        of_a.insert(of_a.end(), of_b.begin(), of_b.end());
        return of_a;
    }
    /// Two files whose inputs agree in their first rows; those of a case that starts later are not made that way.
    [[nodiscard]] Lines files(std::string_view a, std::string_view b) const {
        const auto starts_later = [&](std::string_view words) {
            return changed_case(hazard.minimal_case, words).problem.resolved_query_offset() != 0;
        };
        if (starts_later(a) || starts_later(b)) return two_or(a, b, against_exact(a), against_exact(b));
        return two_or(a, b, generate(a, "a.h5"), generate(b, "b.h5"));
    }

    Lines operator()(const RelativePosition& m) const { return positions(m.words); }
    Lines operator()(const FirstDifferentQuery& m) const {
        const std::int64_t length = golden::parse_case(text(m.a)).problem.shape.seq_k;
        if (length <= longest_text) return two_or(m.a, m.b, positions(m.a), positions(m.b));
        return {};
    }
    Lines operator()(const FirstWrongDistance& m) const { return positions(m.words); }
    Lines operator()(const WrongPairs& m) const { return positions(m.words); }
    Lines operator()(const VisiblePairs& m) const { return positions(m.words); }
    Lines operator()(const LogitFactor& m) const { return against_exact(m.words); }
    Lines operator()(const OutputDifference& m) const { return files(m.a, m.b); }
    Lines operator()(const GradientDifference& m) const { return files(m.a, m.b); }
    Lines operator()(const GradientSize& m) const { return against_exact(m.words); }
    Lines operator()(const OutputOverValue& m) const { return against_exact(m.words); }
    Lines operator()(const Refusal& m) const {
        return measure(hazard, m).words == "accepted" ? Lines{} : generate(m.words, "refused.h5");
    }
    Lines operator()(const RefusedLengths& m) const { return (*this)(Refusal{m.words}); }
    Lines operator()(const Arithmetic&) const { return {}; }
};

}  // namespace

std::vector<std::string> commands(const Hazard& hazard) {
    std::vector<std::string> all;
    for (const Figure& figure : hazard.demonstration.figures) {
        for (std::string& line : std::visit(Commands{hazard}, figure.measure)) {
            if (std::find(all.begin(), all.end(), line) == all.end()) all.push_back(std::move(line));
        }
    }
    return all;
}

}  // namespace dca::hazards
