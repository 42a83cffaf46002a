// clang 14 and 15 lack what libstdc++ builds std::source_location on. Included before everything by the fuzzing build.
#pragma once

#if !__has_builtin(__builtin_source_location)
namespace std {  // NOLINT: the name the code uses
struct source_location {
    static constexpr source_location current(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
        return {file, line};
    }
    [[nodiscard]] constexpr const char* file_name() const { return file_; }
    [[nodiscard]] constexpr unsigned line() const { return line_; }
    const char* file_;
    unsigned line_;
};
}  // namespace std
#endif
