// .npz: a zip archive of .npy arrays, read through libarchive. Entries are found by the archive's central directory.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <string_view>

#include "golden/bytes_reader.hpp"
#include "golden/input_file.hpp"
#include "golden/text.hpp"
#include "verify/candidate/npy_header.hpp"
#include "verify/candidate/tensor_source.hpp"

namespace dca::verify {
namespace {

/// One pass over the entries of the archive. Messages are one clause, without the path.
class Zip {
public:
    explicit Zip(std::shared_ptr<const golden::InputFile> file)
        : place_(std::make_unique<Place>(Place{std::move(file)})), archive_(archive_read_new(), archive_read_free) {
        // The seeking reader trusts the central directory alone; the streaming one would accept archives that have
        // none.
        check(archive_read_support_format_zip_seekable(archive_.get()));
        check(archive_read_set_read_callback(archive_.get(), Place::read));
        check(archive_read_set_seek_callback(archive_.get(), Place::seek));
        check(archive_read_set_callback_data(archive_.get(), place_.get()));
        check(archive_read_open1(archive_.get()));
    }

    /// Moves to the next entry and returns its name; nothing at the end.
    [[nodiscard]] std::optional<std::string> next() {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(archive_.get(), &entry);
        if (status == ARCHIVE_EOF) return std::nullopt;
        check(status);
        const char* name = archive_entry_pathname_utf8(entry);
        if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) {
            throw FormatError("has an entry that is not a plain file with a readable name");
        }
        if (archive_entry_is_encrypted(entry)) throw FormatError("is encrypted");
        if (std::char_traits<char>::length(name) > longest_name)
            throw FormatError("has an entry with an overlong name");
        if (++entries_ > most_entries) {
            throw FormatError("has more than " + std::to_string(most_entries) + " entries");
        }
        return std::string(name);
    }

    /// Throws FormatError unless the current entry is packed as NumPy packs: not at all, or by deflate. libarchive
    /// would also take bzip2, LZMA and others.
    void require_plain_packing() const {
        const char* format = archive_format_name(archive_.get());
        const std::string_view text = format == nullptr ? "" : format;
        if (text.find("(uncompressed)") == text.npos && text.find("(deflation)") == text.npos) {
            throw FormatError("is packed by another method than deflate: " + golden::printable(text));
        }
    }

    /// Exactly these bytes of the current entry.
    void read(void* data, std::size_t size) {
        auto* at = static_cast<char*>(data);
        while (size > 0) {
            const la_ssize_t got = archive_read_data(archive_.get(), at, size);
            if (got < 0) throw FormatError("cannot be unpacked" + reason());
            if (got == 0) throw FormatError("ends too early");
            at += got;
            size -= static_cast<std::size_t>(got);
        }
    }

    /// The current entry has no byte left; this also makes libarchive check its CRC.
    void require_end() {
        char extra = 0;
        const la_ssize_t got = archive_read_data(archive_.get(), &extra, 1);
        if (got < 0) throw FormatError("cannot be unpacked" + reason());
        if (got > 0) throw FormatError("has more data than its shape needs");
    }

private:
    void check(int status) {
        if (status != ARCHIVE_OK) throw FormatError("cannot be read as a zip archive" + reason());
    }
    [[nodiscard]] std::string reason() const {
        const char* text = archive_error_string(archive_.get());
        return text == nullptr ? std::string() : " (" + golden::printable(text) + ")";
    }

    static constexpr std::size_t most_entries = 100'000, longest_name = 1000;

    /// Where this pass is in the file, which others read too.
    struct Place {
        std::shared_ptr<const golden::InputFile> file;
        std::uint64_t at = 0;
        std::array<std::byte, std::size_t{1} << 16> buffer{};

        static la_ssize_t read(archive* owner, void* self, const void** data) {
            auto& place = *static_cast<Place*>(self);
            const std::uint64_t left = place.file->size() - std::min(place.at, place.file->size());
            const std::size_t count = std::min<std::uint64_t>(left, place.buffer.size());
            try {
                place.file->read(place.at, std::span(place.buffer).first(count));
            } catch (const FormatError& error) {
                archive_set_error(owner, EIO, "%s", error.what());
                return ARCHIVE_FATAL;
            }
            place.at += count;
            *data = place.buffer.data();
            return static_cast<la_ssize_t>(count);
        }
        static la_int64_t seek(archive*, void* self, la_int64_t offset, int whence) {
            auto& place = *static_cast<Place*>(self);
            const std::uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? place.at : place.file->size();
            const auto target = static_cast<la_int64_t>(base) + offset;
            if (target < 0) return ARCHIVE_FATAL;
            place.at = static_cast<std::uint64_t>(target);
            return target;
        }
    };

    std::unique_ptr<Place> place_;
    std::unique_ptr<archive, int (*)(archive*)> archive_;
    std::size_t entries_ = 0;
};

NpyHeader read_header(Zip& zip) {
    std::array<char, npy_prelude_size> prelude;
    zip.read(prelude.data(), prelude.size());
    const NpyPrelude start = parse_npy_prelude({prelude.data(), prelude.size()});
    std::array<unsigned char, 2> high{};
    zip.read(high.data(), start.read_more);
    const std::size_t length = start.low_length | std::size_t{high[0]} << 16 | std::size_t{high[1]} << 24;
    if (length > npy_max_dictionary) throw FormatError("has an array header of " + std::to_string(length) + " bytes");
    std::string text(length, '\0');
    zip.read(text.data(), text.size());
    return parse_npy_dictionary(text);
}

/// The entry as tensor name: NumPy appends .npy to every name.
std::string without_suffix(std::string name) {
    constexpr std::string_view suffix = ".npy";
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    return name;
}

/// The values of one entry, as they are unpacked.
class EntryReader final : public golden::BytesReader {
public:
    EntryReader(Zip zip, NpyHeader header)
        : BytesReader(std::move(header.extents), dtype_of(header.type), std::nullopt),
          zip_(std::move(zip)),
          big_endian_(header.big_endian) {}
    [[nodiscard]] bool in_any_order() const override { return false; }

private:
    void load(std::int64_t, std::span<std::byte> out) override {
        zip_.read(out.data(), out.size());
        if (!big_endian_) return;
        for (auto at = out.begin(); at != out.end(); at += static_cast<std::ptrdiff_t>(element_size())) {
            std::reverse(at, at + static_cast<std::ptrdiff_t>(element_size()));
        }
    }
    void require_end() override { zip_.require_end(); }

    Zip zip_;
    bool big_endian_;
};

class NpzSource final : public TensorSource {
public:
    explicit NpzSource(const std::filesystem::path& path)
        : path_(path), file_(std::make_shared<const golden::InputFile>(path)) {
        try {
            Zip zip(file_);
            while (const std::optional<std::string> name = zip.next()) {
                if (!names_.insert(without_suffix(*name)).second) {
                    throw FormatError("has two entries '" + golden::printable(*name) + "'");
                }
            }
        } catch (const FormatError& error) {
            throw FormatError(path.string() + ": " + error.what());
        }
    }

    [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
    [[nodiscard]] std::vector<std::string> names() const override { return {names_.begin(), names_.end()}; }

    [[nodiscard]] TensorInfo describe(const std::string& name) const override {
        Zip zip(file_);
        find(zip, name);
        const NpyHeader header = read_header(zip);
        return {header.extents, is_floating(header.type)};
    }

    [[nodiscard]] std::unique_ptr<golden::TensorReader> open(const std::string& name) const override {
        Zip zip(file_);
        find(zip, name);
        NpyHeader header = read_header(zip);
        return std::make_unique<EntryReader>(std::move(zip), std::move(header));
    }

    void read_integers(const std::string& name, std::span<double> values) const override {
        Zip zip(file_);
        find(zip, name);
        const NpyHeader header = read_header(zip);
        std::vector<std::byte> bytes(values.size() * size_of(header.type));
        zip.read(bytes.data(), bytes.size());
        zip.require_end();
        decode_elements(header.type, header.big_endian, bytes, values);
    }

private:
    static void find(Zip& zip, const std::string& name) {
        while (const std::optional<std::string> entry = zip.next()) {
            if (without_suffix(*entry) == name) return zip.require_plain_packing();
        }
        throw FormatError("is no longer in the archive");
    }

    std::filesystem::path path_;
    std::shared_ptr<const golden::InputFile> file_;
    std::set<std::string> names_;
};

}  // namespace

std::unique_ptr<TensorSource> open_npz(const std::filesystem::path& path) {
    return std::make_unique<NpzSource>(path);
}

}  // namespace dca::verify
