#include "verify/diagnose/localise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "reference/math/chunk_positions.hpp"
#include "verify/compare/compare.hpp"
#include "verify/diagnose/diagnose.hpp"
#include "verify/diagnose/error_field.hpp"
#include "verify/diagnose/findings.hpp"
#include "verify/diagnose/mass_shift.hpp"
#include "verify/diagnose/row_period.hpp"

namespace dca::verify {
namespace {

enum class Class : std::uint8_t { finite, nan, plus_inf, minus_inf };

Class class_of(double x) {
    if (std::isfinite(x)) return Class::finite;
    if (std::isnan(x)) return Class::nan;
    return x > 0 ? Class::plus_inf : Class::minus_inf;
}

/// |error| / sigma; nothing where sigma says nothing.
std::optional<double> ratio_of(double expected, double got, double sigma) {
    if (class_of(expected) != class_of(got)) return infinite_ratio;
    if (!std::isfinite(expected) || !(sigma >= 0 && std::isfinite(sigma))) return std::nullopt;
    const double error = std::abs(got - expected);
    return error == 0 ? 0 : std::min(error / sigma, infinite_ratio);
}

EnergyShare share_of(std::string part, const Tally& tally, const Tally& total) {
    EnergyShare share{std::move(part), 0, 0, tally.rows, tally.bad_rows};
    if (total.energy > 0) share.share = tally.energy / total.energy;
    if (tally.infinite) {
        share.rms_ratio = std::numeric_limits<double>::infinity();
    } else if (tally.elements > 0) {
        share.rms_ratio = std::sqrt(tally.energy / static_cast<double>(tally.elements));
    }
    return share;
}

std::vector<RowPlace> places_of(const Problem& problem, bool keys, std::int64_t batches,
                                std::span<const std::int64_t> numbers) {
    std::vector<RowPlace> places;
    const std::vector<reference::Sequence> sequences = reference::sequences(problem);
    auto sequence = sequences.begin();
    for (std::int64_t b = 0; b < batches; ++b) {
        for (const std::int64_t row : numbers) {
            const auto holds = [&](const reference::Sequence& s) {
                return s.batch == b && row >= (keys ? s.key_begin : s.query_begin) &&
                       row < (keys ? s.key_end : s.query_end);
            };
            if (sequence == sequences.end() || !holds(*sequence)) {
                sequence = std::find_if(sequences.begin(), sequences.end(), holds);
            }
            if (sequence == sequences.end()) {  // a batch entry without rows on one of the axes
                places.push_back({b, row, b, row, row});
                continue;
            }
            const std::int64_t in = row - (keys ? sequence->key_begin : sequence->query_begin);
            places.push_back({b, row, sequence->number, in, keys ? in : sequence->offset + in});
        }
    }
    return places;
}

/// Distance to the nearer chunk border, in octaves: "row 0 after a chunk border" is the first of a chunk.
std::string border_part(std::int64_t index, std::int64_t chunk_len) {
    if (index < 0) return "before every key";
    const std::int64_t after = index % chunk_len, before = chunk_len - after;
    const auto octave = [](std::int64_t n) {
        const auto low = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n)));
        return low == 2 * low - 1 ? std::to_string(low) : std::to_string(low) + ".." + std::to_string(2 * low - 1);
    };
    if (after < before) return after == 0 ? "first of a chunk" : octave(after) + " after the first of a chunk";
    return octave(before) + " before a chunk border";
}

std::vector<EnergyShare> shares_by(const ErrorField& field, const std::vector<std::string>& names,
                                   const std::vector<std::size_t>& part_of_row) {
    std::vector<Tally> parts(names.size());
    for (std::size_t n = 0; n < field.by_row.size(); ++n) parts[part_of_row[n]].add(field.by_row[n]);
    std::vector<EnergyShare> shares;
    for (std::size_t p = 0; p < names.size(); ++p) {
        if (parts[p].rows > 0) shares.push_back(share_of(names[p], parts[p], field.total));
    }
    return shares;
}

/// Shares of the parts that `name_of` tells of a row, in the order of `key_of`, the place of the part.
template <class KeyOf, class NameOf>
std::vector<EnergyShare> shares_of(const ErrorField& field, const KeyOf& key_of, const NameOf& name_of) {
    std::map<std::int64_t, std::size_t> number;
    for (const RowPlace& place : field.places) number.emplace(key_of(place), 0);
    std::vector<std::string> names;
    std::vector<std::size_t> part_of_row;
    for (auto& [key, n] : number) {
        n = names.size();
        names.push_back(name_of(key));
    }
    for (const RowPlace& place : field.places) part_of_row.push_back(number.at(key_of(place)));
    return shares_by(field, names, part_of_row);
}

std::vector<EnergyShare> shares_by_border(const ErrorField& field, std::int64_t chunk_len) {
    std::vector<std::string> names;
    std::map<std::string, std::size_t> number;
    std::vector<std::size_t> part_of_row;
    for (const RowPlace& place : field.places) {
        const std::string part = border_part(place.index, chunk_len);
        const auto [at, added] = number.emplace(part, names.size());
        if (added) names.push_back(part);
        part_of_row.push_back(at->second);
    }
    return shares_by(field, names, part_of_row);
}

/// Of the rows of one sequence after the other; those of a selection are too few and not evenly drawn.
std::optional<RowPeriod> period_of(const ErrorField& field) {
    if (field.selection) return std::nullopt;
    std::vector<RowFlag> flags;
    for (std::size_t n = 0; n < field.places.size(); ++n) {
        flags.push_back({field.places[n].in_sequence, field.by_row[n].bad_rows > 0});
    }
    return find_period(flags);
}

}  // namespace

struct Localiser::Impl {
    ErrorField field;
    Lines lines;
    bool rank4 = false;
    std::int64_t rows = 0, channels = 1, done = 0;

    void row(Tally& at_row, Tally& at_head, std::span<const double> expected, std::span<const double> got,
             std::span<const float> sigma) {
        Tally tally;
        ErrorField::Moments moments;
        long double scales = 0;
        bool bad = false;
        tally.rows = 1;
        for (std::size_t c = 0; c < expected.size(); ++c) {
            const double s = sigma.empty() ? std::numeric_limits<double>::quiet_NaN() : double{sigma[c]};
            const std::optional<double> ratio = ratio_of(expected[c], got[c], s);
            if (!ratio) continue;
            ++tally.elements;
            tally.energy += *ratio * *ratio;
            field.by_channel[c] += *ratio * *ratio;
            bad = bad || !(*ratio <= lines.element);
            if (*ratio == infinite_ratio) {
                tally.infinite = true;
                continue;
            }
            scales += static_cast<long double>(s) * s;
            if (!(s > 0)) continue;
            const double x = expected[c] / s, e = (got[c] - expected[c]) / s;
            moments.xx += x * x;
            moments.xe += x * e;
            moments.ee += e * e;
            moments.e += e / s;
            moments.one += 1 / s / s;
        }
        bad = bad || (rank4 && breaks_row_line(expected, got, sigma, scales));
        tally.bad_rows = bad ? 1 : 0;
        at_row.add(tally);
        at_head.add(tally);
        field.total.add(tally);
        if (!bad) return;
        field.bad.xx += moments.xx;
        field.bad.xe += moments.xe;
        field.bad.ee += moments.ee;
        field.bad.e += moments.e;
        field.bad.one += moments.one;
    }

    [[nodiscard]] bool breaks_row_line(std::span<const double> expected, std::span<const double> got,
                                       std::span<const float> sigma, long double scales) const {
        long double errors = 0;
        for (std::size_t c = 0; c < expected.size(); ++c) {
            if (sigma.empty() || !std::isfinite(expected[c]) || !(double{sigma[c]} >= 0)) continue;
            const long double e = got[c] - expected[c];
            errors += e * e;
        }
        return !(std::sqrt(errors) <= lines.row * std::sqrt(scales));
    }
};

Localiser::Localiser(const Problem& problem, const std::string& tensor, std::span<const std::int64_t> extents,
                     std::span<const std::int64_t> row_numbers)
    : impl_(new Impl{{}, lines_for(tensor)}) {
    Impl& i = *impl_;
    i.rank4 = extents.size() == 4;
    const std::int64_t batches = extents[0];
    i.rows = extents[i.rank4 ? 1 : 2];
    i.channels = i.rank4 ? extents[3] : 1;
    i.field.problem = &problem;
    i.field.tensor = tensor;
    i.field.keys = tensor == "dk" || tensor == "dv";
    i.field.selection = !row_numbers.empty();
    i.field.heads = extents[i.rank4 ? 2 : 1];
    expects(row_numbers.empty() || static_cast<std::int64_t>(row_numbers.size()) == i.rows, "Localiser: row numbers");
    std::vector<std::int64_t> numbers(row_numbers.begin(), row_numbers.end());
    for (std::int64_t r = 0; row_numbers.empty() && r < i.rows; ++r) numbers.push_back(r);
    i.field.places = places_of(problem, i.field.keys, batches, numbers);
    i.field.by_row.resize(i.field.places.size());
    i.field.by_head.resize(static_cast<std::size_t>(i.field.heads));
    i.field.by_channel.resize(static_cast<std::size_t>(i.channels));
}

Localiser::~Localiser() = default;

void Localiser::add(std::span<const double> expected, std::span<const double> got, std::span<const float> sigma) {
    Impl& i = *impl_;
    const auto length = static_cast<std::size_t>(i.channels);
    const std::int64_t heads = i.field.heads;
    for (std::size_t begin = 0; begin < expected.size(); begin += length) {
        const std::int64_t v = i.done++;
        const std::int64_t b = v / (i.rows * heads);
        const std::int64_t r = i.rank4 ? v / heads % i.rows : v % i.rows;
        const std::int64_t h = i.rank4 ? v % heads : v / i.rows % heads;
        i.row(i.field.by_row[static_cast<std::size_t>(b * i.rows + r)], i.field.by_head[static_cast<std::size_t>(h)],
              expected.subspan(begin, length), got.subspan(begin, length),
              sigma.empty() ? sigma : sigma.subspan(begin, length));
    }
}

Localisation Localiser::finish() {
    const ErrorField& field = impl_->field;
    const std::int64_t chunk_len = field.problem->chunk.chunk_len();
    Localisation result;
    result.tensor = field.tensor;
    const RowRegions regions = reference::row_regions(*field.problem);
    const std::vector<Region>& region = field.keys ? regions.key : regions.query;
    result.by_region = shares_of(
        field, [&](const RowPlace& p) { return static_cast<std::int64_t>(region[static_cast<std::size_t>(p.row)]); },
        [](std::int64_t n) { return std::string(name(static_cast<Region>(n))); });
    result.by_chunk = shares_of(
        field, [&](const RowPlace& p) { return p.index < 0 ? -1 : p.index / chunk_len; },
        [](std::int64_t n) { return n < 0 ? std::string("before every key") : "chunk " + std::to_string(n); });
    for (std::size_t h = 0; h < field.by_head.size(); ++h) {
        result.by_head.push_back(share_of("head " + std::to_string(h), field.by_head[h], field.total));
    }
    result.by_border_distance = shares_by_border(field, chunk_len);
    result.period = period_of(field);
    result.findings = findings_of(field, result);
    return result;
}

std::vector<Localisation> localise(const golden::CaseData& golden, const golden::Results& candidate,
                                   const CaseReport& report) {
    std::vector<Localisation> all;
    if (!golden.judge) return all;
    const ErrorScales& scales = golden.judge->scales;
    const auto tensor = [&](const std::string& name, const auto& expected, const auto& got, const auto* sigma) {
        const auto failed = [&](const TensorReport& one) {
            return one.tensor == name && one.verdict == Verdict::failed;
        };
        if (!expected || !got || !sigma || std::none_of(report.tensors.begin(), report.tensors.end(), failed)) return;
        Localiser localiser(golden.problem, name, got->extents());
        localiser.add(expected->values(), got->values(), sigma->values());
        all.push_back(localiser.finish());
    };
    const auto pointer = [](const auto& optional) { return optional ? &*optional : nullptr; };
    tensor("out", golden.results.out, candidate.out, &scales.out);
    tensor("lse", golden.results.lse, candidate.lse, &scales.lse);
    tensor("dq", golden.results.dq, candidate.dq, pointer(scales.dq));
    tensor("dk", golden.results.dk, candidate.dk, pointer(scales.dk));
    tensor("dv", golden.results.dv, candidate.dv, pointer(scales.dv));
    return all;
}

void locate(const golden::CaseData& golden, const golden::Results& candidate, CaseReport& report,
            double multiply_adds) {
    report.localisations = localise(golden, candidate, report);
    const auto out = std::find_if(report.localisations.begin(), report.localisations.end(),
                                  [](const Localisation& one) { return one.tensor == "out"; });
    if (out == report.localisations.end()) return;
    MassShift shift = mass_shift(golden, candidate, multiply_adds);
    if (shift.grid.values.empty()) return;
    out->findings.insert(out->findings.end(), shift.findings.begin(), shift.findings.end());
    for (TensorReport& tensor : report.tensors) {
        if (tensor.tensor == "out") tensor.grids.push_back(shift.grid);
    }
}

}  // namespace dca::verify
