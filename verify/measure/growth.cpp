#include "verify/measure/growth.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "verify/measure/elementary.hpp"

namespace dca::measure {

namespace {

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string power(const std::string& base, double exponent) {
    return exponent == 1 ? base : base + "^" + number(exponent);
}

}  // namespace

std::string name(const Growth& growth) {
    std::string text;
    const auto times = [&](const std::string& factor) { text += (text.empty() ? "" : "*") + factor; };
    if (growth.n_power != 0 && growth.c_power == -growth.n_power) {
        times(growth.n_power == 1 ? "n/c" : power("(n/c)", growth.n_power));
    } else {
        if (growth.n_power != 0) times(power("n", growth.n_power));
        if (growth.c_power > 0) times(power("c", growth.c_power));
        if (growth.c_power < 0) text = (text.empty() ? "1" : text) + "/" + power("c", -growth.c_power);
    }
    if (growth.log_power != 0) times(power("log n", growth.log_power));
    return text.empty() ? "1" : text;
}

double value(const Growth& growth, std::int64_t n, std::int64_t chunk_size) {
    double log_value = growth.n_power * log_of(static_cast<double>(n));
    if (growth.c_power != 0)
        log_value += growth.c_power * log_of(static_cast<double>(std::max<std::int64_t>(1, chunk_size)));
    double result = exp_of(log_value);
    for (int i = 0; i < growth.log_power; ++i) result *= log_of(static_cast<double>(std::max<std::int64_t>(2, n)));
    return result;
}

Column column(const Growth& growth, const Medians& at) {
    Column made;
    for (const Sample* sample : at.samples) made.push_back(value(growth, sample->n, sample->chunk_size));
    const double largest = made.empty() ? 1 : *std::max_element(made.begin(), made.end());
    for (double& one : made) one /= largest;
    return made;
}

}  // namespace dca::measure
