#include "golden/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::golden {

InputFile::InputFile(const std::filesystem::path& path) {
    const auto refuse = [&](const std::string& why) {
        if (descriptor_ >= 0) close(descriptor_);
        throw IoError("cannot open " + path.string() + ": " + why);
    };
    const auto reason = [] { return std::generic_category().message(errno); };
    // Without O_NONBLOCK opening a pipe would wait for somebody to write to it.
    descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status {};
    if (descriptor_ < 0) {
        const std::string why = reason();
        const bool other = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
        refuse(other ? "not a regular file" : why);
    }
    if (fstat(descriptor_, &status) != 0) refuse(reason());
    if (!S_ISREG(status.st_mode)) refuse("not a regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
    close(descriptor_);
}

void InputFile::read(std::uint64_t at, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t got = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw FormatError("cannot be read (" + std::generic_category().message(errno) + ")");
        if (got == 0) throw FormatError("ends too early");
        at += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace dca::golden
