#include "verify/measure/resident.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>

namespace dca::measure {
namespace {

/// "VmHWM:    123456 kB" of /proc/self/status, in bytes.
std::optional<std::int64_t> status_bytes(const std::string& key) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(key + ":")) continue;
        std::istringstream words(line.substr(key.size() + 1));
        std::int64_t kibibytes = 0;
        if (words >> kibibytes) return kibibytes * 1024;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> resident_bytes() {
    return status_bytes("VmRSS");
}

std::optional<std::int64_t> resident_peak_bytes() {
    return status_bytes("VmHWM");
}

bool reset_resident_peak() {
    std::ofstream file("/proc/self/clear_refs");
    return static_cast<bool>(file << "5" << std::flush);
}

double process_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::optional<double> machine_seconds() {
    std::ifstream file("/proc/stat");
    std::string name;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
    if (!(file >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft >> stolen)) return {};
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return (user + nice + system + interrupts + soft + stolen) / ticks;
}

double share_lacking(double wall, double others, double threads, double processors) {
    const double wanted = threads * wall;
    if (!(wanted > 0)) return 0;
    return std::clamp((wanted + others - processors * wall) / wanted, 0.0, 1.0);
}

}  // namespace dca::measure
