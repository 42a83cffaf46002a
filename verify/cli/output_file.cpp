#include "verify/cli/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "reference/spec/error.hpp"

namespace dca::cli {
namespace fs = std::filesystem;

void require_writable_target(const fs::path& target, const std::vector<fs::path>& sources) {
    const std::string shown = target.string();
    std::error_code ignored;
    const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, ignored)) {
        throw IoError(shown + ": the folder " + folder.string() + " does not exist");
    }
    const fs::file_status status = fs::symlink_status(target, ignored);
    if (fs::is_directory(status) || !target.has_filename()) throw IoError(shown + ": is a folder, not a file");
    if (fs::is_symlink(status)) throw IoError(shown + ": is a symbolic link; name the file itself");
    if (fs::exists(status) && !fs::is_regular_file(status)) throw IoError(shown + ": is not a regular file");
    if (::access(folder.c_str(), W_OK) != 0) {
        throw IoError(shown + ": cannot write in " + folder.string() + ": " + std::strerror(errno));
    }
    for (const fs::path& source : sources) {
        if (fs::equivalent(source, target, ignored)) {
            throw IoError(shown + ": is the input file; write the output under another name");
        }
    }
}

void write_text_file(const fs::path& target, const std::function<void(std::ostream&)>& write) {
    fs::path temporary = target;
    temporary += ".tmp" + std::to_string(::getpid());
    const auto fail = [&](const std::string& what) {
        const std::string reason = errno ? std::string(": ") + std::strerror(errno) : std::string();
        std::error_code ignored;
        fs::remove(temporary, ignored);
        throw IoError(target.string() + ": " + what + reason);
    };
    errno = 0;
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    if (!file) fail("cannot create a file");
    write(file);
    file.close();
    if (!file) fail("cannot write");
    if (std::rename(temporary.c_str(), target.c_str()) != 0) fail("cannot replace");
}

}  // namespace dca::cli
