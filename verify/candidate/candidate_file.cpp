#include "verify/candidate/candidate_file.hpp"

#include <algorithm>
#include <fstream>

#include "verify/candidate/named_candidate.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

void require_readable_file(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) throw IoError(path.string() + ": no such file");
    if (!std::filesystem::is_regular_file(path, error)) throw IoError(path.string() + ": is not a regular file");
    if (!std::ifstream(path)) throw IoError(path.string() + ": cannot be opened for reading");
}

std::string lower_extension(const std::filesystem::path& path) {
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension;
}

std::unique_ptr<TensorSource> open_source(const std::filesystem::path& path) {
    const std::string extension = lower_extension(path);
    if (extension == ".h5" || extension == ".hdf5") return open_h5(path);
    if (extension == ".npz") return open_npz(path);
    if (extension == ".safetensors") return open_safetensors(path);
    throw FormatError(path.string() + ": the name ends with '" + extension +
                      "', candidates are .h5, .npz or .safetensors files");
}

}  // namespace

std::unique_ptr<CandidateFile> open_candidate(const std::filesystem::path& path) {
    require_readable_file(path);
    return std::make_unique<NamedCandidate>(open_source(path));
}

}  // namespace dca::verify
