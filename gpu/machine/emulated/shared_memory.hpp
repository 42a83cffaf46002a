// Shared memory of a block with a shadow: who wrote and who read every byte, and whether a barrier lies between.
#pragma once

#include <cstdint>
#include <vector>

#include "gpu/machine/emulated/sites.hpp"

namespace dca::gpu::emulated {

/// An earlier access that no barrier separates from the present one.
struct Conflict {
    enum class Kind : std::uint8_t { none, unwritten, in_flight, written, read };
    Kind kind = Kind::none;
    std::uint32_t byte = 0;
    int thread = 0;  ///< of the earlier access
    Site site = 0;
    explicit operator bool() const { return kind != Kind::none; }
};

/// Happens-before, exactly, for barriers that whole warps take part in. Warp w counts its barriers: segment_[w]. The
/// accesses of warp v up to segment knows(w, v) come before what w does now; within one segment of a warp only a lane's
/// own accesses do. One record per four bytes, of the last write and of each warp's last reads; where accesses smaller
/// than that were made, one per byte. Callers have checked bounds and alignment.
class SharedMemory {
public:
    SharedMemory(std::uint32_t bytes, int warps);

    /// Nothing is written: all bytes are 0xff, a NaN in every type.
    void start_block();
    /// A barrier of these warps, one bit each.
    void order(std::uint32_t warps);
    [[nodiscard]] std::uint32_t all_warps() const { return all_; }

    /// What is not fit to be done is told and not done.
    [[nodiscard]] Conflict load(int thread, std::uint32_t byte, std::uint32_t size, void* to, Site site);
    [[nodiscard]] Conflict store(int thread, std::uint32_t byte, std::uint32_t size, const void* from, Site site);
    /// 16 bytes at a multiple of 16, read by all lanes of a warp.
    [[nodiscard]] Conflict read_row(int warp, std::uint32_t byte, Site site);
    /// 16 bytes leave for here (null: zeros). Until land() nobody may touch them.
    [[nodiscard]] Conflict begin_copy(int thread, std::uint32_t byte, const void* source, Site site);
    /// The same 16 bytes are now written, by this thread.
    void land(int thread, std::uint32_t byte);

    [[nodiscard]] const unsigned char* data() const { return data_.data(); }
    [[nodiscard]] std::uint32_t size() const { return size_; }

private:
    using Record = std::uint64_t;
    /// Records of one granularity: writes[i], and reads[w * count + i] of warp w.
    struct Records {
        std::size_t count = 0;
        std::vector<Record> writes, reads;
    };
    struct Reader {
        int warp, thread;  ///< thread -1: all lanes
        std::uint32_t lanes;
    };
    [[nodiscard]] bool known(int warp, int other, std::uint32_t segment) const {
        return segment <= knows_[static_cast<std::size_t>(warp * warps_ + other)];
    }
    [[nodiscard]] Conflict may_read(const Records& r, std::size_t i, const Reader& reader) const;
    [[nodiscard]] Conflict may_write(const Records& r, std::size_t i, int thread) const;
    void note_read(Records& r, std::size_t i, const Reader& reader, Site site);
    [[nodiscard]] Record write_record(int thread, Site site) const;
    [[nodiscard]] Conflict read(std::uint32_t byte, std::uint32_t size, const Reader& reader, Site site);
    [[nodiscard]] Conflict write(std::uint32_t byte, std::uint32_t size, int thread, Record record);
    void split(std::size_t word);
    /// Starts the counting of barriers anew, before it outgrows a record; nothing is forgotten.
    void renumber_segments();

    std::uint32_t size_;
    int warps_;
    std::uint32_t all_;
    std::vector<unsigned char> data_, arriving_;
    Records words_, bytes_;
    std::vector<std::uint32_t> segment_, knows_;
};

}  // namespace dca::gpu::emulated
