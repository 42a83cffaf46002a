#include "gpu/machine/emulated/shared_memory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dca::gpu::emulated {
namespace {

// A write: thread 0-9, flags 10-12, site 16-27, segment 32-51. Reads of a warp: lanes 0-31, site 32-43, segment 44-63.
constexpr std::uint64_t written = 1u << 10, in_flight = 1u << 11, is_split = 1u << 12,
                        flags = written | in_flight | is_split;
constexpr std::uint32_t last_segment = (1u << 20) - 1;

int writer(std::uint64_t record) {
    return static_cast<int>(record & 1023);
}
Site write_site(std::uint64_t record) {
    return static_cast<Site>(record >> 16 & 4095);
}
std::uint32_t write_segment(std::uint64_t record) {
    return static_cast<std::uint32_t>(record >> 32);
}
std::uint32_t read_segment(std::uint64_t record) {
    return static_cast<std::uint32_t>(record >> 44);
}

}  // namespace

SharedMemory::SharedMemory(std::uint32_t bytes, int warps)
    : size_(bytes),
      warps_(warps),
      all_(warps == 32 ? 0xffffffffu : (1u << warps) - 1),
      data_((bytes + 15) / 16 * 16),
      arriving_(data_.size()),
      segment_(static_cast<std::size_t>(warps), 1),
      knows_(static_cast<std::size_t>(warps * warps)) {
    words_.count = data_.size() / 4;
    words_.writes.resize(words_.count);
    words_.reads.resize(words_.count * static_cast<std::size_t>(warps));
}

void SharedMemory::start_block() {
    order(all_);
    std::fill(data_.begin(), data_.end(), static_cast<unsigned char>(0xff));
    std::fill(words_.writes.begin(), words_.writes.end(), 0);
}

void SharedMemory::order(std::uint32_t warps) {
    std::uint32_t joined[32];
    std::uint32_t highest = 0;
    for (int v = 0; v < warps_; ++v) {
        joined[v] = 0;
        for (std::uint32_t left = warps; left != 0; left &= left - 1)
            joined[v] = std::max(joined[v], knows_[static_cast<std::size_t>(std::countr_zero(left) * warps_ + v)]);
        if (warps >> v & 1) joined[v] = segment_[static_cast<std::size_t>(v)];
    }
    for (std::uint32_t left = warps; left != 0; left &= left - 1) {
        const int w = std::countr_zero(left);
        std::copy_n(joined, warps_, &knows_[static_cast<std::size_t>(w * warps_)]);
        highest = std::max(highest, ++segment_[static_cast<std::size_t>(w)]);
    }
    if (highest >= last_segment) renumber_segments();
}

void SharedMemory::renumber_segments() {
    // All that is ever asked of a segment of warp v is whether some warp knows it. So segments up to the least known
    // one become 1, those up to the next 2, and so on; the present one comes last.
    std::vector<std::vector<std::uint32_t>> borders(static_cast<std::size_t>(warps_));
    const auto warps = static_cast<std::size_t>(warps_);
    for (std::size_t v = 0; v < warps; ++v) {
        for (std::size_t w = 0; w < warps; ++w) borders[v].push_back(knows_[w * warps + v]);
        std::sort(borders[v].begin(), borders[v].end());
        borders[v].erase(std::unique(borders[v].begin(), borders[v].end()), borders[v].end());
    }
    const auto renumbered = [&](std::size_t warp, std::uint32_t segment) -> std::uint32_t {
        if (segment == 0) return 0;
        const auto& b = borders[warp];
        return static_cast<std::uint32_t>(std::lower_bound(b.begin(), b.end(), segment) - b.begin()) + 1;
    };
    for (Records* r : {&words_, &bytes_}) {
        for (Record& record : r->writes)
            record =
                (record & 0xffffffffu) |
                static_cast<Record>(renumbered(static_cast<std::size_t>(writer(record) >> 5), write_segment(record)))
                    << 32;
        for (std::size_t i = 0; i < r->reads.size(); ++i) {
            Record& record = r->reads[i];
            record = (record & 0xfffffffffffu) | static_cast<Record>(renumbered(i / r->count, read_segment(record)))
                                                     << 44;
        }
    }
    for (std::size_t v = 0; v < warps; ++v) {
        segment_[v] = renumbered(v, segment_[v]);
        for (std::size_t w = 0; w < warps; ++w) knows_[w * warps + v] = renumbered(v, knows_[w * warps + v]);
    }
}

SharedMemory::Record SharedMemory::write_record(int thread, Site site) const {
    const std::uint32_t segment = segment_[static_cast<std::size_t>(thread >> 5)];
    return static_cast<Record>(thread) | written | static_cast<Record>(site) << 16 | static_cast<Record>(segment) << 32;
}

Conflict SharedMemory::may_read(const Records& r, std::size_t i, const Reader& reader) const {
    const Record record = r.writes[i];
    const int other = writer(record);
    if ((record & flags) == written) {
        if (known(reader.warp, other >> 5, write_segment(record)) || other == reader.thread) return {};
        return {Conflict::Kind::written, 0, other, write_site(record)};
    }
    if (record & in_flight) return {Conflict::Kind::in_flight, 0, other, write_site(record)};
    return {Conflict::Kind::unwritten, 0, 0, 0};
}

Conflict SharedMemory::may_write(const Records& r, std::size_t i, int thread) const {
    const Record record = r.writes[i];
    const int warp = thread >> 5, other = writer(record);
    if (record & in_flight) return {Conflict::Kind::in_flight, 0, other, write_site(record)};
    if (other != thread && !known(warp, other >> 5, write_segment(record)))
        return {Conflict::Kind::written, 0, other, write_site(record)};
    for (int v = 0; v < warps_; ++v) {
        const Record reads = r.reads[static_cast<std::size_t>(v) * r.count + i];
        if (known(warp, v, read_segment(reads))) continue;
        std::uint32_t lanes = static_cast<std::uint32_t>(reads);
        if (v == warp) lanes &= ~(1u << (thread & 31));
        if (lanes != 0)
            return {Conflict::Kind::read, 0, v * 32 + std::countr_zero(lanes), static_cast<Site>(reads >> 32 & 4095)};
    }
    return {};
}

void SharedMemory::note_read(Records& r, std::size_t i, const Reader& reader, Site site) {
    Record& reads = r.reads[static_cast<std::size_t>(reader.warp) * r.count + i];
    const std::uint32_t segment = segment_[static_cast<std::size_t>(reader.warp)];
    const std::uint32_t before = read_segment(reads) == segment ? static_cast<std::uint32_t>(reads) : 0;
    reads = (before | reader.lanes) | static_cast<Record>(site) << 32 | static_cast<Record>(segment) << 44;
}

void SharedMemory::split(std::size_t word) {
    if (bytes_.count == 0) {
        bytes_.count = data_.size();
        bytes_.writes.resize(bytes_.count);
        bytes_.reads.resize(bytes_.count * static_cast<std::size_t>(warps_));
    }
    Record& record = words_.writes[word];
    if (record & is_split) return;
    for (std::size_t b = 4 * word; b < 4 * word + 4; ++b) {
        bytes_.writes[b] = record;
        for (std::size_t w = 0; w < static_cast<std::size_t>(warps_); ++w)
            bytes_.reads[w * bytes_.count + b] = words_.reads[w * words_.count + word];
    }
    record = is_split;
}

Conflict SharedMemory::read(std::uint32_t byte, std::uint32_t size, const Reader& reader, Site site) {
    const auto at = [](Conflict c, std::size_t b) { return c.byte = static_cast<std::uint32_t>(b), c; };
    const std::size_t end = byte + size;
    for (std::size_t b = byte; b < end;) {
        const std::size_t word = b / 4;
        if (size >= 4 && !(words_.writes[word] & is_split)) {
            if (const Conflict c = may_read(words_, word, reader)) return at(c, b);
            note_read(words_, word, reader, site);
            b += 4;
            continue;
        }
        split(word);
        for (const std::size_t stop = std::min(end, 4 * word + 4); b < stop; ++b) {
            if (const Conflict c = may_read(bytes_, b, reader)) return at(c, b);
            note_read(bytes_, b, reader, site);
        }
    }
    return {};
}

Conflict SharedMemory::write(std::uint32_t byte, std::uint32_t size, int thread, Record record) {
    const auto at = [](Conflict c, std::size_t b) { return c.byte = static_cast<std::uint32_t>(b), c; };
    const std::size_t end = byte + size;
    for (std::size_t b = byte; b < end;) {
        const std::size_t word = b / 4;
        if (size < 4) split(word);
        if (words_.writes[word] & is_split) {
            for (std::size_t one = b, stop = std::min(end, 4 * word + 4); one < stop; ++one) {
                if (const Conflict c = may_write(bytes_, one, thread)) return at(c, one);
                bytes_.writes[one] = record;
            }
        } else if (const Conflict c = may_write(words_, word, thread)) {
            return at(c, b);
        }
        // A whole word has one writer again. Its old records of reads may stay: whoever is ordered after this write is
        // ordered after them.
        if (size >= 4) words_.writes[word] = record;
        b = 4 * word + 4;
    }
    return {};
}

Conflict SharedMemory::load(int thread, std::uint32_t byte, std::uint32_t size, void* to, Site site) {
    const Conflict c = read(byte, size, {thread >> 5, thread, 1u << (thread & 31)}, site);
    if (!c) std::memcpy(to, data_.data() + byte, size);
    return c;
}
Conflict SharedMemory::store(int thread, std::uint32_t byte, std::uint32_t size, const void* from, Site site) {
    const Conflict c = write(byte, size, thread, write_record(thread, site));
    if (!c) std::memcpy(data_.data() + byte, from, size);
    return c;
}

Conflict SharedMemory::read_row(int warp, std::uint32_t byte, Site site) {
    const Reader reader{warp, -1, 0xffffffffu};
    const std::size_t word = byte / 4;
    const Record* writes = &words_.writes[word];
    // What one copy brought has four equal records.
    if (writes[0] != writes[1] || writes[0] != writes[2] || writes[0] != writes[3] || may_read(words_, word, reader))
        return read(byte, 16, reader, site);
    const std::uint32_t segment = segment_[static_cast<std::size_t>(warp)];
    const Record now = 0xffffffffu | static_cast<Record>(site) << 32 | static_cast<Record>(segment) << 44;
    std::fill_n(&words_.reads[static_cast<std::size_t>(warp) * words_.count + word], 4, now);
    return {};
}

Conflict SharedMemory::begin_copy(int thread, std::uint32_t byte, const void* source, Site site) {
    const Record record = (write_record(thread, site) & ~written) | in_flight;
    if (const Conflict c = write(byte, 16, thread, record)) return c;
    if (source != nullptr)
        std::memcpy(arriving_.data() + byte, source, 16);
    else
        std::memset(arriving_.data() + byte, 0, 16);
    return {};
}

void SharedMemory::land(int thread, std::uint32_t byte) {
    std::memcpy(data_.data() + byte, arriving_.data() + byte, 16);
    Record* writes = &words_.writes[byte / 4];
    std::fill_n(writes, 4, write_record(thread, write_site(writes[0])));
}

}  // namespace dca::gpu::emulated
