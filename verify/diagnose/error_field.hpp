// What localisation knows of one tensor: error energy and bad rows, summed over everything but one axis at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/spec/bundles.hpp"

namespace dca::verify {

/// A part of the rows. Energy is the sum of (error / sigma)^2.
struct Tally {
    double energy = 0;
    std::int64_t elements = 0, rows = 0, bad_rows = 0;
    bool infinite = false;  ///< an element counted as infinite_ratio

    void add(const Tally& other) {
        energy += other.energy;
        elements += other.elements;
        rows += other.rows;
        bad_rows += other.bad_rows;
        infinite = infinite || other.infinite;
    }
};

/// In place of an infinite error / sigma, so that shares stay numbers: larger than any real one.
inline constexpr double infinite_ratio = 1e100;

/// Where a row of the tensor lies.
struct RowPlace {
    std::int64_t batch = 0, row = 0;  ///< of the tensor
    std::int64_t sequence = 0;        ///< batch entry, or cu_seqlens interval
    std::int64_t in_sequence = 0;     ///< counted from the first row of the sequence
    std::int64_t index = 0;           ///< absolute, as chunks count it; negative for queries before every key
};

struct ErrorField {
    const Problem* problem = nullptr;
    std::string tensor;
    bool keys = false;       ///< rows are keys
    bool selection = false;  ///< rows are a selection
    std::int64_t heads = 0;
    std::vector<RowPlace> places;  ///< of each (batch, row), batch by batch
    std::vector<Tally> by_row;     ///< beside places: over the heads
    std::vector<Tally> by_head;
    std::vector<double> by_channel;  ///< energies
    Tally total;
    /// Sums over finite elements with a usable sigma > 0, each divided by sigma^2: expected^2, expected error, error^2,
    /// error, 1. Elements of bad rows alone.
    struct Moments {
        double xx = 0, xe = 0, ee = 0, e = 0, one = 0;
    } bad;

    /// "query row" or "key row".
    [[nodiscard]] const char* row_word() const { return keys ? "key row" : "query row"; }
};

}  // namespace dca::verify
