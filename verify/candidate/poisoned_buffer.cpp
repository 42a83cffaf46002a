#include "verify/candidate/poisoned_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "reference/spec/error.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

constexpr std::size_t alignment = 256;

/// The bits of an unwritten element: a quiet NaN. Little-endian machines alone, as everywhere in this project's files.
std::uint64_t poison_of(ElementType type) {
    switch (type) {
        case ElementType::f64: return 0x7ff8dca0dca0dca0;
        case ElementType::f32: return 0x7fdca0dc;
        case ElementType::f16: return 0x7edc;
        case ElementType::bf16: return 0x7fdc;
        case ElementType::e4m3: return 0x7f;
        case ElementType::e5m2: return 0x7f;
        case ElementType::i64:
        case ElementType::i32: break;
    }
    throw ContractError("PoisonedBuffer: outputs are floating-point numbers");
}

/// The bits of a guard: a normal number next to the smallest, so that flushing and absorption cannot hide a change.
std::uint64_t guard_of(ElementType type) {
    switch (type) {
        case ElementType::f64: return 0x0010dca0dca0dca0;
        case ElementType::f32: return 0x0080dca0;
        case ElementType::f16: return 0x04dc;
        case ElementType::bf16: return 0x00dc;
        case ElementType::e4m3: return 0x0d;
        case ElementType::e5m2: return 0x05;
        case ElementType::i64:
        case ElementType::i32: break;
    }
    throw ContractError("PoisonedBuffer: outputs are floating-point numbers");
}

void fill(std::span<std::byte> bytes, std::uint64_t bits, std::size_t width) {
    for (std::size_t at = 0; at < bytes.size(); at += width) std::memcpy(bytes.data() + at, &bits, width);
}

bool is(std::span<const std::byte> bytes, std::size_t element, std::uint64_t bits, std::size_t width) {
    return std::memcmp(bytes.data() + element * width, &bits, width) == 0;
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// "rows 3, 7 to 9 and 12"; at most `most` pieces.
std::string rows_text(const std::set<std::int64_t>& rows) {
    constexpr std::size_t most = 4;
    std::vector<std::string> pieces;
    for (auto at = rows.begin(); at != rows.end();) {
        const std::int64_t first = *at;
        std::int64_t last = first;
        for (++at; at != rows.end() && *at == last + 1; ++at) last = *at;
        pieces.push_back(first == last ? std::to_string(first) : std::to_string(first) + " to " + std::to_string(last));
    }
    std::string text = rows.size() == 1 ? "row " : "rows ";
    for (std::size_t i = 0; i < std::min(most, pieces.size()); ++i) text += (i > 0 ? ", " : "") + pieces[i];
    return pieces.size() > most ? text + " and more" : text;
}

}  // namespace

PoisonedBuffer::PoisonedBuffer(std::string name, ElementType type, std::vector<std::int64_t> extents,
                               std::int64_t guard)
    : name_(std::move(name)), type_(type), extents_(std::move(extents)) {
    expects(extents_.size() == 3 || extents_.size() == 4, "PoisonedBuffer: rank is 3 or 4");
    expects(std::all_of(extents_.begin(), extents_.end(), [](std::int64_t extent) { return extent > 0; }) && guard > 0,
            "PoisonedBuffer: nothing to write");
    const std::size_t width = size_of(type_);
    count_ = element_count(extents_);
    guard_bytes_ = (static_cast<std::size_t>(guard) * width + alignment - 1) / alignment * alignment;
    size_ = count_ * width + 2 * guard_bytes_;
    storage_.resize(size_ + alignment);
    void* start = storage_.data();
    std::size_t space = storage_.size();
    expects(std::align(alignment, size_, start, space) != nullptr, "PoisonedBuffer: alignment");
    shift_ = static_cast<std::size_t>(static_cast<std::byte*>(start) - storage_.data());
    poison();
}

void PoisonedBuffer::poison() {
    const std::size_t width = size_of(type_);
    fill(whole(), guard_of(type_), width);
    fill(whole().subspan(guard_bytes_, count_ * width), poison_of(type_), width);
}

std::string PoisonedBuffer::inspect() const {
    const std::string beside = outside(), missing = unwritten();
    return beside + (beside.empty() || missing.empty() ? "" : "; ") + missing;
}

std::vector<double> PoisonedBuffer::values() const {
    const std::string fault = inspect();
    if (!fault.empty()) throw BufferFault(fault);
    std::vector<double> values(count_);
    decode_elements(type_, false, whole().subspan(guard_bytes_, count_ * size_of(type_)), values);
    return values;
}

std::string PoisonedBuffer::outside() const {
    const std::size_t width = size_of(type_), guard = guard_bytes_ / width;
    const std::uint64_t bits = guard_of(type_);
    const auto before = whole().first(guard_bytes_), after = whole().last(guard_bytes_);
    std::size_t changed_before = 0, changed_after = 0, far_before = 0, far_after = 0;
    for (std::size_t i = 0; i < guard; ++i) {
        if (!is(before, i, bits, width)) {
            ++changed_before;
            far_before = std::max(far_before, guard - i);
        }
        if (!is(after, i, bits, width)) {
            ++changed_after;
            far_after = i + 1;
        }
    }
    const auto clause = [&](std::size_t changed, std::size_t far, const char* where) {
        return "wrote " + counted(changed, "element") + where + name_ + ", as far as " + std::to_string(far) +
               " from it";
    };
    std::string text;
    if (changed_before > 0) text = clause(changed_before, far_before, " before the start of ");
    if (changed_after > 0)
        text += (text.empty() ? "" : " and ") + clause(changed_after, far_after, " past the end of ");
    return text;
}

std::string PoisonedBuffer::unwritten() const {
    const std::size_t width = size_of(type_);
    const std::uint64_t bits = poison_of(type_);
    const auto output = whole().subspan(guard_bytes_, count_ * width);
    const bool rank4 = extents_.size() == 4;
    const std::int64_t rows = extents_[rank4 ? 1 : 2], below = rank4 ? extents_[2] * extents_[3] : 1;
    std::size_t missing = 0;
    std::set<std::int64_t> in_rows;
    for (std::size_t i = 0; i < count_; ++i) {
        if (!is(output, i, bits, width)) continue;
        ++missing;
        in_rows.insert(static_cast<std::int64_t>(i) / below % rows);
    }
    if (missing == 0) return {};
    const char* verb = width == 1 ? "never wrote, or wrote NaN to, " : "never wrote ";
    if (missing == count_) return verb + std::string("any element of ") + name_;
    return verb + counted(missing, "element") + " of " + name_ + ", in " + rows_text(in_rows);
}

}  // namespace dca::verify
