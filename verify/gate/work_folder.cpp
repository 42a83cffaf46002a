#include "verify/gate/work_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "reference/spec/error.hpp"

namespace dca::verify {
namespace fs = std::filesystem;

WorkFolder::WorkFolder(const fs::path& keep) : keeps_(!keep.empty()) {
    std::error_code error;
    if (keeps_) {
        fs::create_directories(keep, error);
        path_ = fs::absolute(keep, error);
        if (!fs::is_directory(path_, error)) throw IoError(keep.string() + ": cannot make this folder");
        return;
    }
    const fs::path parent = fs::temp_directory_path(error);
    if (error) throw IoError("TMPDIR: " + error.message());
    std::string name = (fs::absolute(parent) / "dca_gate_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw IoError(parent.string() + ": cannot make a folder in it: " + std::generic_category().message(errno));
    }
    path_ = name;
}

WorkFolder::~WorkFolder() {
    std::error_code ignored;
    if (!keeps_) fs::remove_all(path_, ignored);
}

fs::path WorkFolder::add(const std::string& name) const {
    const fs::path folder = path_ / name;
    std::error_code error;
    if (!fs::create_directory(folder, error)) {
        throw IoError(folder.string() + ": " +
                      (error ? error.message() : "exists already; give --keep an empty folder"));
    }
    return folder;
}

void WorkFolder::release(const fs::path& folder) const {
    std::error_code ignored;
    if (!keeps_) fs::remove_all(folder, ignored);
}

}  // namespace dca::verify
