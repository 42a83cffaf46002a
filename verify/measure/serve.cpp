#include "verify/measure/serve.hpp"

#include <chrono>
#include <istream>
#include <new>
#include <ostream>

#include "golden/text.hpp"
#include "verify/measure/allocations.hpp"
#include "verify/measure/resident.hpp"

namespace dca::measure {
namespace {

std::ostream& tell(std::ostream& out, const char* what, const std::string& why) {
    return out << what << ' ' << golden::printable(why) << std::endl;  // NOLINT: the other side waits for it
}

template <class T>
std::string word(const std::optional<T>& value) {
    if (!value) return "-";
    if constexpr (std::is_integral_v<T>) {
        return std::to_string(*value);
    } else {
        return golden::shortest(*value);
    }
}

void answer(const Subject& subject, std::int64_t calls, bool hook, std::ostream& out) {
    const std::optional<std::int64_t> before = resident_bytes();
    const bool reset = reset_resident_peak();
    const double cpu_begin = process_seconds();
    if (hook) begin_counting();
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t n = 0; n < calls; ++n) subject.call();
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::optional<std::int64_t> peak;
    if (hook) peak = end_counting();
    const double cpu = process_seconds() - cpu_begin;
    const std::optional<std::int64_t> after = resident_peak_bytes();
    std::optional<std::int64_t> resident;
    if (reset && before && after) resident = std::max<std::int64_t>(0, *after - *before);
    if (!hook) peak = resident;
    std::optional<double> gpu_seconds;
    std::optional<std::int64_t> gpu_bytes;
    if (subject.gpu_seconds) gpu_seconds = subject.gpu_seconds();
    if (subject.gpu_bytes) gpu_bytes = subject.gpu_bytes();
    out << "done " << golden::shortest(wall) << ' ' << golden::shortest(cpu) << ' ' << word(peak) << ' '
        << word(resident) << ' ' << word(gpu_seconds) << ' ' << word(gpu_bytes) << std::endl;  // NOLINT: as above
}

}  // namespace

int serve(const MakeSubject& make, const golden::CaseSpec& spec, std::istream& in, std::ostream& out) {
    try {
        const bool hook = counts_allocations();
        const Subject subject = make(spec);
        const MemorySource source = hook ? MemorySource::allocation_hook : MemorySource::resident;
        out << "ready " << subject.input_bytes << ' ' << subject.output_bytes << ' ' << static_cast<int>(source)
            << std::endl;  // NOLINT: as above
        std::string order;
        std::int64_t calls = 0;
        while (in >> order >> calls) {
            expects(order == "run" && calls > 0, "measure: an order nobody knows");
            answer(subject, calls, hook, out);
        }
        return 0;
    } catch (const Unsupported& why) {
        tell(out, "unsupported", why.what());
    } catch (const InvalidProblem& why) {
        tell(out, "unsupported", why.what());
    } catch (const std::bad_alloc&) {
        tell(out, "broke", "it ran out of memory");
    } catch (const std::exception& why) {
        tell(out, "broke", std::string("it threw: ") + why.what());
    }
    return 0;
}

}  // namespace dca::measure
