// What address and thread sanitizer have to be told about fibers; nothing without them.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define DCA_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DCA_HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define DCA_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DCA_HAS_TSAN 1
#endif
#endif

#ifdef DCA_HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define DCA_NO_ADDRESS_SANITIZER __attribute__((no_sanitize_address, noinline))
#else
#define DCA_NO_ADDRESS_SANITIZER
#endif
#ifdef DCA_HAS_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace dca::gpu::emulated {

/// `own` is a word per fiber that belongs to the sanitizer.
inline void* sanitizer_host_fiber() {
#ifdef DCA_HAS_TSAN
    return __tsan_get_current_fiber();
#else
    return nullptr;
#endif
}
inline void sanitizer_begin_fiber([[maybe_unused]] void*& own) {
#ifdef DCA_HAS_TSAN
    if (own == nullptr) own = __tsan_create_fiber(0);
#else
    own = nullptr;
#endif
}
inline void sanitizer_end_fiber([[maybe_unused]] void* own) {
#ifdef DCA_HAS_TSAN
    if (own != nullptr) __tsan_destroy_fiber(own);
#endif
}
/// The frames that were on a stack are gone.
inline void sanitizer_forget_stack([[maybe_unused]] void* low, [[maybe_unused]] std::size_t size) {
#ifdef DCA_HAS_ASAN
    __asan_unpoison_memory_region(low, size);
#endif
}
inline void sanitizer_before_switch([[maybe_unused]] void*& own, [[maybe_unused]] void* to,
                                    [[maybe_unused]] const unsigned char* low,
                                    [[maybe_unused]] const unsigned char* top, [[maybe_unused]] bool last) {
#ifdef DCA_HAS_ASAN
    __sanitizer_start_switch_fiber(last ? nullptr : &own, low, static_cast<std::size_t>(top - low));
#endif
#ifdef DCA_HAS_TSAN
    __tsan_switch_to_fiber(to, 0);
#endif
}
/// Where `low` and `top` are given they receive the stack that was left: the host's.
inline void sanitizer_after_switch([[maybe_unused]] void* own, [[maybe_unused]] unsigned char** low,
                                   [[maybe_unused]] unsigned char** top) {
#ifdef DCA_HAS_ASAN
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(own, &bottom, &size);
    if (low != nullptr) {
        *low = static_cast<unsigned char*>(const_cast<void*>(bottom));
        *top = *low + size;
    }
#endif
}

}  // namespace dca::gpu::emulated
