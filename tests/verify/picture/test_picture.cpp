// Pictures: another program within limits, its output reduced to shapes, scripts that nothing from outside can enter.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>

#include "tests/support/catch.hpp"
#include "verify/picture/filter_process.hpp"
#include "verify/picture/picture.hpp"
#include "verify/picture/script.hpp"

namespace {

using namespace dca::picture;

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// Descriptors that are open now.
int open_descriptors() {
    int number = 0;
    for (int fd = 0; fd < 256; ++fd) number += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return number;
}

TEST_CASE("a filter: bytes in, bytes out, more than any pipe holds") {
    const int before = open_descriptors();
    std::string input;
    for (int i = 0; i < 300000; ++i) input += std::to_string(i) + '\n';
    CHECK(run_filter({"cat"}, input) == input);
    CHECK(run_filter({"cat"}, "") == "");
    CHECK(run_filter({"sh", "-c", "echo $LC_ALL; env | wc -l"}, "").value().rfind("C\n", 0) == 0);
    CHECK(open_descriptors() == before);
}

TEST_CASE("a filter that is absent, fails, stops reading, writes too much or hangs") {
    const int before = open_descriptors();
    const std::string much(1 << 22, 'x');
    CHECK_FALSE(run_filter({"no-such-program-anywhere"}, much));
    CHECK_FALSE(run_filter({"false"}, ""));
    CHECK(run_filter({"true"}, much) == "");
    CHECK(run_filter({"head", "-c", "5"}, much) == "xxxxx");
    CHECK_FALSE(run_filter({"cat", "/dev/zero"}, "", {.output = 100000}));
    CHECK_FALSE(run_filter({"sleep", "60"}, much, {.time = std::chrono::milliseconds(50)}));
    CHECK_FALSE(run_filter({"sh", "-c", "exec >&-; sleep 60"}, "", {.time = std::chrono::milliseconds(50)}));
    CHECK_FALSE(run_filter({"sh", "-c", "kill -9 $$"}, ""));
    CHECK(open_descriptors() == before);
}

TEST_CASE("of an SVG only shapes, geometry and colours remain") {
    const auto svg = embeddable(
        "<?xml version=\"1.0\"?><!-- c --><svg viewBox=\"0 0 40 30\"><title>T</title><desc>D</desc><defs><path d='M0 "
        "0'/>"
        "</defs><script>alert(1)</script><g id=\"x\" onclick=\"y()\" color=\"black\" stroke=\"rgb(  1,   2,   3)\" "
        "fill='url(#a)'>\n<path stroke='#010205' d='M1,2\n   L3,4  '/><a xlink:href=\"http://x\"><text "
        "x=\"1\"><tspan font-family=\"f\"> 5 </tspan></text></a><image xlink:href='data:image/png;base64,AAAA'/>"
        "<image xlink:href='http://x/y.png'/><style>*{}</style></g></svg>");
    REQUIRE(svg);
    CHECK(svg->width == 40);
    CHECK(svg->height == 30);
    CHECK(svg->body ==
          "<g style=\"stroke:currentColor;fill:none;\"><path d=\"M1,2 L3,4\" style=\"stroke:var(--fail);\"/><text "
          "x=\"1\">5</text>\n<image href=\"data:image/png;base64,AAAA\"/><image/></g>\n");
}

TEST_CASE("what is no SVG is refused") {
    for (const char* text :
         {"", "<", "hello", "<svg></svg>", "<svg viewBox=\"0 0 1 1\"></svg>", "<svg viewBox=\"0 0 1 1\"><g></svg>",
          "<svg viewBox=\"0 0 1 1\"><g><path/></svg>", "<svg viewBox=\"0 0 1 1\"><path/></g></svg>",
          "<svg viewBox=\"0 0 1 1\"><path/><b></svg>", "<svg viewBox=\"x\"><path/></svg>", "<path/>",
          "<svg viewBox=\"0 0 1 1\"><path d=\"", "<svg viewBox=\"0 0 1 1\"><path d='\">"}) {
        CAPTURE(text);
        CHECK_FALSE(embeddable(text));
    }
}

TEST_CASE("labels cannot leave their quotes") {
    CHECK(label("query row") == "'query row'");
    CHECK(label("a'b\"c`d\ne\\f$g{h}@i^j") == "'a?b?c?d?e?f?g?h??i?j'");
    CHECK(label(std::string(500, 'x')).size() == 26);
    CHECK(number(0.1) == "0.1");
    CHECK(number(std::nan("")) == "NaN");
    CHECK(number(INFINITY) == "1e+300");
    HeatMap map{{"`touch x`", 1, 1, 0, {"'; !touch y"}}, {"\n!z", 1, 1, 0, {}}, {1.0}, 2, "\"q\""};
    const std::string text = script(map);
    for (const char* part : {"`", "!touch", "\n!z", "\"q"}) CHECK_FALSE(has(text, part));
}

TEST_CASE("tics: few, round, and where the cells are") {
    CHECK(tics('x', {"", 3, 1, 0, {}}, 8) == "set xtics ('0' 0.5, '1' 1.5, '2' 2.5)\n");
    CHECK(tics('y', {"", 33, 1, 0, {}}, 10) ==
          "set ytics ('0' 0, '5' 5, '10' 10, '15' 15, '20' 20, '25' 25, '30' 30)\n");
    CHECK(tics('x', {"", 4, 128, 1000, {}}, 8) == "set xtics ('1000' 0, '1128' 1, '1256' 2, '1384' 3)\n");
    CHECK(tics('x', {"", 100, 1, 0, {}}, 5) == "set xtics ('0' 0, '20' 20, '40' 40, '60' 60, '80' 80)\n");
    CHECK(tics('y', {"", 2, 1, 0, {"a", "b"}}, 8) == "set ytics ('a' 0.5, 'b' 1.5)\n");
}

TEST_CASE("gnuplot draws heat maps, octaves and mosaics, the same input gives the same bytes") {
    Plotter plotter;
    if (plotter.version().empty()) {
        WARN("no gnuplot: no picture was drawn");
        return;
    }
    CHECK(has(plotter.version(), "gnuplot "));
    const double inf = INFINITY, nan = NAN;
    const HeatMap map{{"row", 2, 1, 0, {}}, {"head", 3, 1, 0, {}}, {0, 1, 5, nan, inf, 1e9}, 2, "sigma"};
    const auto drawn = plotter.draw(map);
    REQUIRE(drawn);
    CHECK(has(drawn->body, "data:image/png;base64,"));
    CHECK(has(drawn->body, ">head</text>"));
    CHECK(has(drawn->body, "currentColor"));
    CHECK(plotter.draw(map)->body == drawn->body);
    CHECK(plotter.draw(HeatMap{{"row", 1, 1, 0, {}}, {"head", 1, 1, 0, {}}, {nan}, 2, "sigma"}));
    const auto bars = plotter.draw(Octaves{-3, {1, 0, 1000000, 5}, 6, "error / sigma", "elements"});
    REQUIRE(bars);
    CHECK(has(bars->body, "line 6"));
    CHECK(has(bars->body, "var(--fail)"));
    CHECK(has(bars->body, "var(--link)"));
    Mosaic mosaic;
    mosaic.rows = mosaic.columns = {"row", 2, 1, 0, {}};
    mosaic.cells = {Mosaic::Color{1, 2, 200}, std::nullopt, Mosaic::Color{}, Mosaic::Color{}};
    mosaic.marked_rows = {false, true};
    mosaic.lines = {{0, 1, 1, 1}};
    const auto matrix = plotter.draw(mosaic);
    REQUIRE(matrix);
    CHECK(has(matrix->body, "var(--fail)"));
    CHECK_FALSE(plotter.draw(HeatMap{}));
    CHECK_FALSE(plotter.draw(Octaves{0, {0, 0}, 6, "", ""}));
    CHECK(!plotter.version().empty());  // nothing to draw is no failure
}

}  // namespace
