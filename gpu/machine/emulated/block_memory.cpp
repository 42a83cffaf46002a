// What threads of a block do to memory: shared, asynchronous, fragments of matrices; and the checks of global memory.
#include <cstring>

#include "gpu/machine/emulated/block_state.hpp"

namespace dca::gpu::emulated {

namespace {

/// What lane l gets of a matrix of 8 rows: elements 2 (l % 4) and the next of row l / 4.
void rows_of_matrix(const unsigned char* const* rows, std::uint32_t* words) {
    for (int r = 0; r < 8; ++r) std::memcpy(words + 4 * r, rows[r], 16);
}
/// Transposed: element l / 4 of rows 2 (l % 4) and the next, the first in the low half.
void columns_of_matrix(const unsigned char* const* rows, std::uint32_t* words) {
    using Row = std::uint16_t __attribute__((vector_size(16)));
    for (int t = 0; t < 4; ++t) {
        Row even, odd;
        std::memcpy(&even, rows[2 * t], 16);
        std::memcpy(&odd, rows[2 * t + 1], 16);
        const Row low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
        const Row high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
        std::uint32_t pairs[8];
        std::memcpy(pairs, &low, 16);
        std::memcpy(pairs + 4, &high, 16);
        for (int c = 0; c < 8; ++c) words[4 * c + t] = pairs[c];
    }
}

}  // namespace

void Block::State::check_shared(Site site, int thread, const char* verb, std::uint32_t byte, std::uint32_t size) const {
    if (byte % size != 0)
        fault(site, thread,
              std::string(verb) + " " + std::to_string(size) + " bytes at byte " + std::to_string(byte) +
                  " of shared memory, which is no multiple of " + std::to_string(size));
    if (byte > shared.size() || size > shared.size() - byte)
        fault(site, thread,
              std::string(verb) + " bytes " + std::to_string(byte) + " to " +
                  std::to_string(static_cast<std::uint64_t>(byte) + size - 1) + " of shared memory, which has " +
                  std::to_string(shared.size()));
}

void Block::State::shared_fault(Site site, int thread, const char* verb, const Conflict& conflict) const {
    std::string text = std::string(verb) + " byte " + std::to_string(conflict.byte) + " of shared memory, which ";
    const std::string other = "thread " + std::to_string(conflict.thread), there = line(conflict.site);
    switch (conflict.kind) {
        case Conflict::Kind::none: break;
        case Conflict::Kind::unwritten: text += "no thread has written"; break;
        case Conflict::Kind::in_flight:
            text += other + " is copying to since " + there + " and has not waited for";
            break;
        case Conflict::Kind::written: text += other + " wrote at " + there + " and no barrier lies between"; break;
        case Conflict::Kind::read: text += other + " read at " + there + " and no barrier lies between"; break;
    }
    fault(site, thread, text);
}

void Block::read_shared(void* to, std::uint32_t byte, std::uint32_t size, Where at) {
    State& s = *state_;
    s.between_calls();
    const Site site = s.sites(at);
    s.check_shared(site, thread_, "reads", byte, size);
    if (const Conflict c = s.shared.load(thread_, byte, size, to, site)) s.shared_fault(site, thread_, "reads", c);
    s.accesses[static_cast<std::size_t>(thread_ >> 5)].note(site, thread_ & 31, byte, size);
}
void Block::write_shared(std::uint32_t byte, const void* from, std::uint32_t size, Where at) {
    State& s = *state_;
    s.between_calls();
    const Site site = s.sites(at);
    s.check_shared(site, thread_, "writes", byte, size);
    if (const Conflict c = s.shared.store(thread_, byte, size, from, site)) s.shared_fault(site, thread_, "writes", c);
    s.accesses[static_cast<std::size_t>(thread_ >> 5)].note(site, thread_ & 31, byte, size);
}

void Block::copy_async(std::uint32_t byte, const void* source, Where at) {
    State& s = *state_;
    s.between_calls();
    const Site site = s.sites(at);
    s.check_shared(site, thread_, "copies to", byte, 16);
    if (const Conflict c = s.shared.begin_copy(thread_, byte, source, site))
        s.shared_fault(site, thread_, "copies to", c);
    s.async[static_cast<std::size_t>(thread_)].copies.push_back({byte, site});
    s.accesses[static_cast<std::size_t>(thread_ >> 5)].note(site, thread_ & 31, byte, 16);
}
void Block::commit_async(Where) {
    State& s = *state_;
    s.between_calls();
    AsyncQueue& q = s.async[static_cast<std::size_t>(thread_)];
    q.groups.push_back(q.copies.size());
}
void Block::wait_async(int pending, Where) {
    State& s = *state_;
    s.between_calls();
    AsyncQueue& q = s.async[static_cast<std::size_t>(thread_)];
    while (q.groups.size() - q.waited > static_cast<std::size_t>(pending)) {
        for (const std::size_t end = q.groups[q.waited]; q.landed < end; ++q.landed)
            s.shared.land(thread_, q.copies[q.landed].byte);
        ++q.waited;
    }
    if (q.waited == q.groups.size() && !q.in_flight()) q.clear();
    // Otherwise what is done with goes once it is most of what is kept.
    if (q.landed > 256 && q.landed > q.copies.size() / 2) {
        q.copies.erase(q.copies.begin(), q.copies.begin() + static_cast<std::ptrdiff_t>(q.landed));
        q.groups.erase(q.groups.begin(), q.groups.begin() + static_cast<std::ptrdiff_t>(q.waited));
        for (std::size_t& end : q.groups) end -= q.landed;
        q.landed = q.waited = 0;
    }
}

void Block::load_matrix_x4(std::uint32_t (&fragment)[4], std::uint32_t byte, bool transposed, Where at) {
    State& s = *state_;
    const Site site = s.sites(at);
    s.check_shared(site, thread_, "reads a row of", byte, 16);
    s.meet({transposed ? Call::load_matrix_trans : Call::load_matrix, site}, {nullptr, nullptr, fragment, byte},
           [&](WarpMeeting& w) {
               const int warp = thread_ >> 5;
               const unsigned char* rows[32];
               std::uint32_t address[32];
               for (int l = 0; l < 32; ++l) {
                   address[l] = static_cast<std::uint32_t>(w.lane[l].value);
                   rows[l] = s.shared.data() + address[l];
                   if (const Conflict c = s.shared.read_row(warp, address[l], site))
                       s.shared_fault(site, warp * 32 + l, "reads", c);
               }
               // Matrix q, row r came from lane 8 q + r.
               std::uint32_t words[4][32];
               for (int q = 0; q < 4; ++q)
                   transposed ? columns_of_matrix(rows + 8 * q, words[q]) : rows_of_matrix(rows + 8 * q, words[q]);
               for (int l = 0; l < 32; ++l)
                   for (int q = 0; q < 4; ++q) static_cast<std::uint32_t*>(w.lane[l].result)[q] = words[q][l];
               count_banks(address, 32, 16, s.banks);
           });
}

void Block::global_fault(std::int64_t first, std::int64_t count, std::int64_t size, std::size_t element,
                         std::size_t alignment, Where at) {
    const Site site = state_->sites(at);
    std::string text = "accesses element " + std::to_string(first);
    if (count > 1) text += " and " + std::to_string(count - 1) + " more";
    if (first < 0 || first > size - count)
        text += " of global memory that has " + std::to_string(size);
    else
        text += " of global memory, " + std::to_string(element) + " bytes each, at an address that is no multiple of " +
                std::to_string(alignment);
    state_->fault(site, text);
}

}  // namespace dca::gpu::emulated
