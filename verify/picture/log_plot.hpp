// Points and curves over two logarithmic axes.
#pragma once

#include <string>
#include <vector>

namespace dca::picture {

/// What is not positive and finite is left out.
struct LogPlot {
    std::string x_label, y_label;
    struct Mark {
        double x = 0, y = 0;
        double low = 0, high = 0;  ///< a bar from low to high
        bool doubtful = false;     ///< drawn as an empty ring
    };
    std::vector<Mark> marks;
    struct Curve {
        std::string name;
        std::vector<double> x, y;
        bool limit = false;             ///< what the marks are held against: drawn like an alarm
        std::vector<double> low, high;  ///< not empty: a pale band between them, as long as x
    };
    std::vector<Curve> curves;
};

}  // namespace dca::picture
