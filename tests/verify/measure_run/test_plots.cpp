#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/verify/measure_run/sample_report.hpp"
#include "verify/measure_report/plots.hpp"
#include "verify/picture/picture.hpp"
#include "verify/picture/script.hpp"

using namespace dca::measure;
using dca::test::sample_report;

TEST_CASE("a plot: medians with their intervals, the fitted line with its band, the claim") {
    const MeasureReport report = sample_report();
    const auto drawing = plot(report, report.fits[0]);
    REQUIRE(drawing);
    REQUIRE(drawing->marks.size() == 4);  // what was not measured is not there
    CHECK(drawing->marks[1].x == 1536);
    CHECK(drawing->marks[1].y == 1536000);
    REQUIRE(drawing->curves.size() == 4);  // the fit, and three claims about memory
    const auto& fitted = drawing->curves[0];
    CHECK_FALSE(fitted.limit);
    CHECK(fitted.x.front() == 1024);
    CHECK(fitted.x.back() == Approx(4096));
    CHECK(fitted.y.back() == Approx(4096000));  // through the points where no offset can be told from zero
    CHECK(fitted.low.front() < fitted.y.front());
    CHECK(fitted.high.front() > fitted.y.front());
    CHECK(drawing->curves[1].limit);
    CHECK(drawing->curves[1].y.back() == Approx(4 * drawing->curves[1].y.front()));

    FitReport time = report.fits[0];
    time.quantity = Quantity::cpu;
    const auto timed = plot(report, time);
    REQUIRE(timed);
    CHECK(timed->curves.size() == 1);  // the claims are about memory
    CHECK(timed->marks[3].doubtful);   // disturbed
    CHECK_FALSE(timed->marks[0].doubtful);
    FitReport elsewhere = report.fits[0];
    elsewhere.fixed = 1024;
    CHECK_FALSE(plot(report, elsewhere));
}

TEST_CASE("a script of a plot is finite, and its names cannot leave their quotes") {
    dca::picture::LogPlot drawing;
    drawing.x_label = "n'; !touch x";
    drawing.y_label = "`touch y`";
    drawing.marks = {{1, 2, 0, INFINITY}, {4, NAN, 1, 2}, {0, 1, 1, 1}, {8, 3, 2, 4, true}};
    drawing.curves = {{"'\n!z", {1, 8}, {1e-300, INFINITY}, true, {}, {}}, {"empty", {1}, {-1}, false, {}, {}}};
    const std::string text = dca::picture::script(drawing);
    for (const char* part : {"`", "!touch", "\n!z", "inf", "nan", "NaN"}) {
        CAPTURE(part);
        CHECK(text.find(part) == std::string::npos);
    }
    CHECK(text.find("$curve1") == std::string::npos);  // nothing of it can be drawn
    CHECK(text.find("doubtful") != std::string::npos);
}

TEST_CASE("gnuplot draws plots, the same input gives the same bytes") {
    dca::picture::Plotter plotter;
    if (plotter.version().empty()) return;  // an optional program
    const MeasureReport report = sample_report();
    const auto drawing = plot(report, report.fits[0]);
    REQUIRE(drawing);
    const auto svg = plotter.draw(*drawing);
    REQUIRE(svg);
    CHECK(svg->body.find("<path") != std::string::npos);
    const auto again = plotter.draw(*drawing);
    REQUIRE(again);
    CHECK(svg->body == again->body);
    CHECK_FALSE(plotter.draw(dca::picture::LogPlot{}));
    CHECK_FALSE(plotter.version().empty());  // an empty plot is not gnuplot's failure
}
