#include "golden/h5_file.hpp"

#include "golden/h5_catalogue.hpp"
#include "golden/h5_handle.hpp"
#include "golden/h5_walk.hpp"
#include "golden/run_apart.hpp"

namespace dca::golden::h5 {
namespace {

/// Generous: a walk reads metadata alone, and sound files have little of it.
ApartLimits limits_for(const InputFile& file) {
    ApartLimits limits;
    limits.seconds = 1 + static_cast<unsigned>(file.size() >> 24);
    return limits;
}

Node list(const InputFile& file) {
    silence();  // starts the library here once instead of in every child
    const std::string listing = run_apart(limits_for(file), [&] { return to_bytes(walk_file(file)); });
    return parse_catalogue(std::as_bytes(std::span(listing)), file.size());
}

}  // namespace

File::File(const std::filesystem::path& path) : bytes_(std::make_shared<const InputFile>(path)), root_(list(*bytes_)) {}

}  // namespace dca::golden::h5
