// .safetensors: 8 bytes of length, that many bytes of JSON, then the data of all tensors, little endian.
#include <array>

#include "golden/bytes_reader.hpp"
#include "golden/input_file.hpp"
#include "golden/text.hpp"
#include "verify/candidate/safetensors_header.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

/// A header entry takes some 150 bytes, so this is room for 25 000 tensors. Parsed, a number of a list takes 16 bytes
/// (and 32 while the list grows) of memory for 2 of text.
constexpr std::uint64_t max_header = std::uint64_t{4} << 20;
constexpr std::uint64_t length_size = 8;

class SafetensorsSource final : public TensorSource {
public:
    explicit SafetensorsSource(const std::filesystem::path& path)
        : path_(path), file_(std::make_shared<const golden::InputFile>(path)) {
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
        return golden::read_flat(file_, data_begin_ + entry.begin, entry.extents, dtype_of(*entry.type), std::nullopt);
    }

    void read_integers(const std::string& name, std::span<double> values) const override {
        const SafetensorsEntry& entry = entries_.at(name);
        std::vector<std::byte> bytes(values.size() * size_of(*entry.type));
        file_->read(data_begin_ + entry.begin, bytes);
        decode_elements(*entry.type, false, bytes, values);
    }

private:
    void load() {
        const std::uint64_t file_size = file_->size();
        std::array<std::byte, length_size> prefix{};
        file_->read(0, prefix);
        std::uint64_t length = 0;
        for (std::size_t i = prefix.size(); i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(prefix[i]);
        if (length > file_size - length_size) throw FormatError("has a header longer than the file");
        if (length > max_header) throw FormatError("has a header of more than 4 MiB");
        std::string text(static_cast<std::size_t>(length), '\0');
        file_->read(length_size, std::as_writable_bytes(std::span(text)));
        data_begin_ = length_size + length;
        entries_ = parse_safetensors_header(text, file_size - data_begin_);
    }

    std::filesystem::path path_;
    std::shared_ptr<const golden::InputFile> file_;
    std::uint64_t data_begin_ = 0;
    std::map<std::string, SafetensorsEntry> entries_;
};

}  // namespace

std::unique_ptr<TensorSource> open_safetensors(const std::filesystem::path& path) {
    return std::make_unique<SafetensorsSource>(path);
}

}  // namespace dca::verify
