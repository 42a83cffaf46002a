// malloc and its relatives for programs that measure: the C library's own, counted. Linked into a program, never into a
// library, because it replaces the allocator of the whole process. Relies on glibc's __libc_ names.
#include <malloc.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "verify/measure/allocations.hpp"

using dca::measure::count_allocation;
using dca::measure::count_release;

extern "C" {

void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

}  // extern "C"

namespace {

std::int64_t size_of(void* block) {
    return static_cast<std::int64_t>(malloc_usable_size(block));
}

void* counted(void* block) {
    if (block != nullptr) count_allocation(size_of(block));
    return block;
}

bool power_of_two(std::size_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) noexcept {
    return counted(__libc_malloc(bytes));
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
    return counted(__libc_calloc(count, bytes));
}

/// A block that is copied as it grows is held twice for that moment; nobody tells whether it was, and once is counted.
void* realloc(void* block, std::size_t bytes) noexcept {
    const std::int64_t before = block != nullptr ? size_of(block) : 0;
    void* after = __libc_realloc(block, bytes);
    if (after == nullptr && bytes != 0) return nullptr;  // the old block stays
    count_release(before);
    return counted(after);
}

void free(void* block) noexcept {
    if (block == nullptr) return;
    count_release(size_of(block));
    __libc_free(block);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    return counted(__libc_memalign(alignment, bytes));
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    return counted(__libc_memalign(alignment, bytes));
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
    if (!power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
    const int before = errno;
    void* got = counted(__libc_memalign(alignment, bytes));
    errno = before;
    if (got == nullptr) return ENOMEM;
    *block = got;
    return 0;
}

}  // extern "C"
