#include "gpu/machine/emulated/fibers.hpp"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <mutex>
#include <new>

#include "gpu/machine/emulated/sanitizers.hpp"

namespace dca::gpu::emulated {
namespace {

namespace context_api = boost::context::detail;

constexpr std::size_t page = 4096;
constexpr std::size_t reserve = 128 * 1024;  ///< between what may be used and the guard page; what unwinding needs too
constexpr std::size_t stride = page + reserve + Fibers::usable + page;  ///< the last page: room to stagger tops
constexpr std::uint64_t mark_word = 0x5afe57ac6d61726bu;

DCA_NO_ADDRESS_SANITIZER void write_mark(unsigned char* at, std::size_t words) {
    for (std::size_t i = 0; i < words; ++i) reinterpret_cast<volatile std::uint64_t*>(at)[i] = mark_word;
}
DCA_NO_ADDRESS_SANITIZER bool mark_whole(const unsigned char* at, std::size_t words) {
    for (std::size_t i = 0; i < words; ++i)
        if (reinterpret_cast<const volatile std::uint64_t*>(at)[i] != mark_word) return false;
    return true;
}

/// Mappings of stacks outlive launches: to map them, and to have their pages made anew, costs more than a small launch.
class StackPool {
public:
    unsigned char* take(int count) {
        {
            const std::lock_guard lock(mutex_);
            for (std::size_t i = free_.size(); i-- > 0;)
                if (free_[i].count == count) {
                    unsigned char* found = free_[i].at;
                    free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
                    return found;
                }
        }
        return map(count);
    }
    void give_back(int count, unsigned char* at) {
        sanitizer_forget_stack(at, stride * static_cast<std::size_t>(count));
        Free oldest{count, at};
        {
            const std::lock_guard lock(mutex_);
            free_.push_back({count, at});
            if (free_.size() <= kept) return;
            oldest = free_.front();
            free_.erase(free_.begin());
        }
        munmap(oldest.at, stride * static_cast<std::size_t>(oldest.count));
    }
    ~StackPool() {
        for (const Free& f : free_) munmap(f.at, stride * static_cast<std::size_t>(f.count));
    }

private:
    static constexpr std::size_t kept = 8;
    struct Free {
        int count;
        unsigned char* at;
    };
    static unsigned char* map(int count) {
        const std::size_t bytes = stride * static_cast<std::size_t>(count);
        void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) throw std::bad_alloc();
        for (int f = 0; f < count; ++f)
            if (mprotect(static_cast<unsigned char*>(at) + stride * static_cast<std::size_t>(f), page, PROT_NONE) !=
                0) {
                munmap(at, bytes);
                throw std::bad_alloc();
            }
        return static_cast<unsigned char*>(at);
    }

    std::mutex mutex_;
    std::vector<Free> free_;
};

StackPool& stack_pool() {
    static StackPool pool;
    return pool;
}

}  // namespace

/// What make_fcontext wants: a function of the transfer.
struct Fibers::Arrival {
    static void enter(context_api::transfer_t from) {
        auto* fibers = static_cast<Fibers*>(from.data);
        fibers->arrive(from.fctx);
        fibers->entry_(fibers->argument_);
        __builtin_trap();
    }
};

Fibers::Fibers(int count, void (*entry)(void*), void* argument)
    : entry_(entry), argument_(argument), contexts_(static_cast<std::size_t>(count) + 1) {
    mapping_ = stack_pool().take(count);
    for (int f = 0; f < count; ++f) {
        Context& c = context(f);
        unsigned char* guard = mapping_ + stride * static_cast<std::size_t>(f);
        c.low = guard + page;
        // Tops at different places of a page: the same variable of all threads would else share a cache set.
        c.top = guard + stride - static_cast<std::size_t>(f * 5 % 64) * 64;
        write_mark(mark(c), mark_bytes / 8);
    }
    context(host).sanitizer = sanitizer_host_fiber();
}

Fibers::~Fibers() {
    for (std::size_t i = 1; i < contexts_.size(); ++i) sanitizer_end_fiber(contexts_[i].sanitizer);
    stack_pool().give_back(static_cast<int>(contexts_.size()) - 1, mapping_);
}

void Fibers::start(int fiber) {
    Context& c = context(fiber);
    sanitizer_forget_stack(c.low, static_cast<std::size_t>(c.top - c.low));
    if (!mark_whole(mark(c), mark_bytes / 8)) write_mark(mark(c), mark_bytes / 8);
    c.at = context_api::make_fcontext(c.top, static_cast<std::size_t>(c.top - c.low), &Arrival::enter);
    sanitizer_begin_fiber(c.sanitizer);
}

void Fibers::arrive(void* from) {
    Context& before = context(previous_);
    before.at = from;
    sanitizer_after_switch(context(running_).sanitizer, previous_ == host ? &before.low : nullptr,
                           previous_ == host ? &before.top : nullptr);
}

void Fibers::switch_to(int next, bool last) {
    Context& to = context(next);
    previous_ = running_;
    sanitizer_before_switch(context(running_).sanitizer, to.sanitizer, to.low, to.top, last);
    running_ = next;
    const context_api::transfer_t back = context_api::jump_fcontext(to.at, this);
    arrive(back.fctx);
}

bool Fibers::mark_intact() const {
    return mark_whole(mark(contexts_[static_cast<std::size_t>(running_ + 1)]), mark_bytes / 8);
}

}  // namespace dca::gpu::emulated
