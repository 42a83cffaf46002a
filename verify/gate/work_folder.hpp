// Where the files of external candidates lie: a folder of each case, empty before and gone after, or kept.
#pragma once

#include <filesystem>

namespace dca::verify {

class WorkFolder {
public:
    /// keep empty: a fresh folder beneath the system's one for temporary files, removed at the end. Otherwise `keep`,
    /// made if need be, and what is in it stays. Throws IoError.
    explicit WorkFolder(const std::filesystem::path& keep);
    ~WorkFolder();
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;

    /// A new empty folder of this name, absolute. Throws IoError where there is one already.
    [[nodiscard]] std::filesystem::path add(const std::string& name) const;
    /// Done with it: removed unless it is to be kept.
    void release(const std::filesystem::path& folder) const;
    [[nodiscard]] bool keeps() const { return keeps_; }

private:
    std::filesystem::path path_;
    bool keeps_;
};

}  // namespace dca::verify
