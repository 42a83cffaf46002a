// .safetensors: 8 bytes of length, that many bytes of JSON, then the data of all tensors, little endian.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "golden/bytes_reader.hpp"
#include "golden/text.hpp"
#include "verify/candidate/safetensors_header.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

/// A header entry takes some 150 bytes, so this is room for 100 000 tensors, and little to parse.
constexpr std::uint64_t max_header = std::uint64_t{16} << 20;
constexpr std::uint64_t length_size = 8;

/// An open file.
class File {
public:
    explicit File(const std::filesystem::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (descriptor_ < 0) throw IoError(path.string() + ": cannot be opened");
    }
    ~File() { close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int get() const { return descriptor_; }

    void read(std::uint64_t at, std::span<std::byte> out) const {
        while (!out.empty()) {
            const ssize_t got = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(at));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) throw FormatError("ends too early");
            out = out.subspan(static_cast<std::size_t>(got));
            at += static_cast<std::uint64_t>(got);
        }
    }

private:
    int descriptor_;
};

class SafetensorsSource final : public TensorSource {
public:
    explicit SafetensorsSource(const std::filesystem::path& path)
        : path_(path), file_(std::make_shared<const File>(path)) {
        try {
            load();
        } catch (const FormatError& error) {
            throw FormatError(path.string() + ": " + error.what());
        }
    }

    [[nodiscard]] const std::filesystem::path& path() const override { return path_; }

    [[nodiscard]] std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const auto& [name, entry] : entries_) all.push_back(name);
        return all;
    }

    [[nodiscard]] TensorInfo describe(const std::string& name) const override {
        const SafetensorsEntry& entry = entries_.at(name);
        if (!entry.type) {
            throw FormatError("has element type " + golden::printable(entry.type_name) +
                              ", expected F64, F32, F16, BF16, F8_E4M3 or F8_E5M2");
        }
        return {entry.extents, is_floating(*entry.type)};
    }

    [[nodiscard]] std::unique_ptr<golden::TensorReader> open(const std::string& name) const override {
        const SafetensorsEntry& entry = entries_.at(name);
        return golden::read_flat(file_, file_->get(), data_begin_ + entry.begin, entry.extents, dtype_of(*entry.type),
                                 std::nullopt);
    }

    void read_integers(const std::string& name, std::span<double> values) const override {
        const SafetensorsEntry& entry = entries_.at(name);
        std::vector<std::byte> bytes(values.size() * size_of(*entry.type));
        file_->read(data_begin_ + entry.begin, bytes);
        decode_elements(*entry.type, false, bytes, values);
    }

private:
    void load() {
        const std::uint64_t file_size = std::filesystem::file_size(path_);
        std::array<std::byte, length_size> prefix{};
        file_->read(0, prefix);
        std::uint64_t length = 0;
        for (std::size_t i = prefix.size(); i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(prefix[i]);
        if (length > file_size - length_size) throw FormatError("has a header longer than the file");
        if (length > max_header) throw FormatError("has a header of more than 16 MiB");
        std::string text(static_cast<std::size_t>(length), '\0');
        file_->read(length_size, std::as_writable_bytes(std::span(text)));
        data_begin_ = length_size + length;
        entries_ = parse_safetensors_header(text, file_size - data_begin_);
    }

    std::filesystem::path path_;
    std::shared_ptr<const File> file_;
    std::uint64_t data_begin_ = 0;
    std::map<std::string, SafetensorsEntry> entries_;
};

}  // namespace

std::unique_ptr<TensorSource> open_safetensors(const std::filesystem::path& path) {
    return std::make_unique<SafetensorsSource>(path);
}

}  // namespace dca::verify
