// Writes the seeds and the dictionary of every target: FOLDER/TARGET/seed-N and FOLDER/TARGET.dict, for libFuzzer.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/targets.hpp"

namespace {

void write_dictionary(const std::filesystem::path& path, const std::vector<std::string>& words) {
    std::ofstream file(path);
    for (const std::string& word : words) {
        file << '"';
        for (const unsigned char c : word) {
            const char* digits = "0123456789abcdef";
            file << "\\x" << digits[c >> 4] << digits[c & 15];
        }
        file << "\"\n";
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: dca_fuzz_corpus FOLDER\n";
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    for (const dca::test::Target& target : dca::test::targets()) {
        std::filesystem::create_directories(folder / target.name);
        std::size_t number = 0;
        for (const std::string& seed : target.seeds()) {
            std::ofstream(folder / target.name / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
        }
        write_dictionary(folder / (std::string(target.name) + ".dict"), target.words);
        std::cout << target.name << ": " << number << " seeds\n";
    }
    return 0;
}
