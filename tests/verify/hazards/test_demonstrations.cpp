// Every figure of the catalogue is what is stated about it, and a wrong one is noticed.
#include <cmath>
#include <limits>
#include <set>

#include "tests/support/catch.hpp"
#include "verify/hazards/explain.hpp"
#include "verify/hazards/show.hpp"

using namespace dca::hazards;

namespace {

Measured value(double x) {
    return {.number = x, .words = {}};
}
Measured said(const char* text) {
    return {.number = std::nullopt, .words = text};
}

}  // namespace

TEST_CASE("every demonstration shows what it states") {
    int shown_hazards = 0;
    std::set<std::size_t> kinds;
    for (const Hazard& hazard : hazards()) {
        const Shown shown = show(hazard);
        REQUIRE(shown.figures.size() == hazard.demonstration.figures.size());
        if (shown.figures.empty()) continue;
        for (const ShownFigure& one : shown.figures) {
            CAPTURE(hazard.id, one.figure->what, one.measured.text(), text(one.figure->stated));
            CHECK(one.holds);
            kinds.insert(one.figure->measure.index());
        }
        CHECK(shown.holds());
        ++shown_hazards;
    }
    CHECK(shown_hazards == 45);
    CHECK(kinds.size() == std::variant_size_v<Measure>);
}

TEST_CASE("the hazards that are not shown are those of code outside this project") {
    std::string not_shown;
    for (const Hazard& hazard : hazards()) {
        if (hazard.demonstration.figures.empty()) not_shown += std::string(hazard.id) + " ";
    }
    CHECK(not_shown == "H6 H29 H35 H36 H40 H41 H44 H48 H49 H50 H53 H54 H55 H56 H57 H58 H59 H60 ");
}

TEST_CASE("a hazard that is about two behaviours measures the two sides") {
    // A figure that would be the same whatever the dialect does is no demonstration: each shown hazard that names a
    // case states at least two different values, or a difference that is not noise, or a refusal.
    for (const Hazard& hazard : hazards()) {
        if (hazard.demonstration.figures.empty()) continue;
        std::set<std::string> stated;
        for (const Figure& figure : hazard.demonstration.figures) stated.insert(text(figure.stated));
        CAPTURE(hazard.id);
        CHECK(stated.size() >= 2);
    }
}

TEST_CASE("a stated value is held against the measured one to the digits it has") {
    CHECK(holds(equal("4"), value(4)));
    CHECK(!holds(equal("4"), value(4.0000001)));
    CHECK(!holds(equal("none"), value(4)));
    CHECK(holds(equal("none"), said("none")));
    CHECK(!holds(equal("refused"), said("refused without naming H43")));
    CHECK(!holds(equal("4"), said("none")));
    CHECK(!holds(at_most("1"), said("none")));

    CHECK(holds(rounds_to("1.2170"), value(1.21697)));
    CHECK(!holds(rounds_to("1.2170"), value(1.21706)));
    CHECK(holds(rounds_to("1.12e-8"), value(1.118e-8)));
    CHECK(!holds(rounds_to("1.12e-8"), value(1.13e-8)));
    CHECK(holds(rounds_to("12"), value(12.4)));
    CHECK(!holds(rounds_to("12"), value(12.6)));

    CHECK(holds(at_most("1e-5"), value(-1e-6)));
    CHECK(!holds(at_most("1e-5"), value(-1e-4)));

    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const Stated& stated : {equal("0"), rounds_to("0.0"), at_most("1e300")}) CHECK(!holds(stated, value(nan)));
    CHECK(holds({Stated::Is::nan, ""}, value(nan)));
    CHECK(!holds({Stated::Is::nan, ""}, value(0)));
}

TEST_CASE("nothing measured is not a demonstration that holds") {
    CHECK(!Shown{}.holds());
    CHECK(!show(*find_hazard("H6")).holds());
}

TEST_CASE("a figure of each kind fails when the dialect does something else") {
    // The case, the kind and the statement of a figure of the catalogue; the dialect is that of another behaviour.
    const std::vector<std::pair<const char*, Figure>> planted{
        {"H1", {"paper's clamp in exact", RelativePosition{"dialect=exact", 10, 0}, equal("9")}},
        {"H1", {"paper with C - 1", FirstDifferentQuery{"dialect=paper seq_q=40", "C=10 w=4 seq_q=40"}, equal("none")}},
        {"H5", {"paper clamps earlier", FirstWrongDistance{"dialect=paper"}, equal("4")}},
        {"H9", {"paper is not plain at 7 tokens", WrongPairs{"dialect=paper"}, equal("0")}},
        {"H62", {"13 tokens", VisiblePairs{"seq_q=13"}, equal("78")}},
        {"H21", {"sglang scales no generated key", LogitFactor{"dialect=sglang", 23, 20}, rounds_to("1.2170")}},
        {"H15",
         {"megatron rotates by YaRN",
          OutputDifference{"dialect=megatron_pr4048",
                           "dialect=megatron_pr4048 rope_scaling=none rope_factor= original_max_position="},
          equal("0")}},
        {"H34",
         {"bridge has the true gradient",
          GradientDifference{"seq_q=11 heads_q=4 heads_kv=2 C=6 w=2 dialect=megatron_bridge_pr4185",
                             "seq_q=11 heads_q=4 heads_kv=2 C=6 w=2 dialect=exact", Gradient::dq},
          rounds_to("0.441")}},
        {"H34", {"bridge trains", GradientSize{"dialect=megatron_bridge_pr4185", Gradient::dq}, double_noise}},
        {"H26", {"chunkqwen does not round to bf16", OutputOverValue{"dialect=chunkqwen", 4}, rounds_to("1.000977")}},
        {"H39", {"chunkllama groups heads", Refusal{"dialect=chunkllama"}, equal("refused")}},
        {"H43", {"bridge extends its table", RefusedLengths{"dialect=megatron_bridge_pr4185", 1, 16}, equal("5-6")}},
    };
    for (const auto& [id, figure] : planted) {
        CAPTURE(id, figure.what);
        const Measured measured = measure(*find_hazard(id), figure.measure);
        CAPTURE(measured.text());
        CHECK(!holds(figure.stated, measured));
    }
}

TEST_CASE("a refusal counts only where it names the hazard") {
    const Hazard& h14 = *find_hazard("H14");
    CHECK(measure(h14, Refusal{""}).words == "refused");
    CHECK(measure(h14, Refusal{"dialect=chunkqwen heads_q=4 heads_kv=1 dialect_max_position_embeddings="}).words ==
          "refused without naming H14");
}

TEST_CASE("explain prints statement and measurement of every figure") {
    for (const Hazard& hazard : hazards()) {
        std::ostringstream out;
        CAPTURE(hazard.id);
        CHECK(explain(out, hazard));
        CHECK(out.str().starts_with(std::string(hazard.id) + "  "));
        CHECK(out.str().find("DIFFERS") == std::string::npos);
        for (const Figure& figure : hazard.demonstration.figures) {
            CHECK(out.str().find("(stated: " + text(figure.stated) + ")") != std::string::npos);
        }
    }
    Hazard wrong = *find_hazard("H1");
    wrong.demonstration.figures.front().stated = equal("11");
    std::ostringstream out;
    CHECK(!explain(out, wrong));
    CHECK(out.str().find("10   (stated: 11)   DIFFERS") != std::string::npos);
}
