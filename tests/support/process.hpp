// Running a program from a test: shell command in, exit status, stdout and stderr out. And a folder that goes away.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace dca::test {

/// An empty folder of its own, removed with everything in it at the end of the scope.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "dca_test_XXXXXX").string();
        if (!mkdtemp(name.data())) throw std::runtime_error("cannot create a temporary folder");
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Path of a file in the folder, as text for a command line.
    [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

struct Finished {
    int status = -1;  ///< exit status; 128 + signal where a signal ended it, as a shell reports
    std::string out, err;
};

/// Runs a shell command without a terminal.
inline Finished run_shell(const std::string& command) {
    const TemporaryFolder folder;
    const std::string line = "( " + command + " ) </dev/null >'" + folder / "out" + "' 2>'" + folder / "err" + "'";
    const int status = std::system(line.c_str());
    Finished finished;
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    finished.out = read_file(folder / "out");
    finished.err = read_file(folder / "err");
    return finished;
}

/// The program `dca` as a word of a shell command.
inline const std::string program = "'" DCA_PROGRAM "'";

/// Runs the program with these arguments.
inline Finished run_dca(const std::string& arguments) {
    return run_shell(program + " " + arguments);
}

}  // namespace dca::test
