// Child processes: results and errors come back, crashes and endless loops become errors.
#include "golden/run_apart.hpp"

#include <csignal>

#include "golden/h5_attribute.hpp"
#include "reference/spec/error.hpp"
#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;

namespace {

std::string error_of(const std::function<std::string()>& work) {
    try {
        return "returned " + run_apart(1, work);
    } catch (const FormatError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("what the child returns comes back, whatever its size and bytes") {
    CHECK(run_apart(1, [] { return std::string(); }).empty());
    const std::string large(300000, '\0');  // more than a pipe holds
    CHECK((run_apart(1, [&] { return large; }) == large));
}

TEST_CASE("errors of the child are thrown in the parent") {
    CHECK(error_of([]() -> std::string { throw FormatError("cannot be read"); }) == "cannot be read");
}

TEST_CASE("a crash or an endless loop of the child is an error of the parent") {
    CHECK(error_of([]() -> std::string { return std::raise(SIGSEGV), "unreachable"; }) ==
          "damaged: the HDF5 library crashes on it");
    CHECK(error_of([]() -> std::string { return std::raise(SIGABRT), "unreachable"; }) ==
          "damaged: the HDF5 library crashes on it");
    CHECK(error_of([]() -> std::string {
              for (volatile bool forever = true; forever;) {
              }
              return "unreachable";
          }) == "damaged: the HDF5 library does not come to an end with it");
}

TEST_CASE("strings of variable length are read apart, so that a damaged one cannot crash the reader") {
    const test::ScratchFolder folder;
    test::write_file(folder / "whole.h5", {test::sample_case("id=a seq_q=5 head_dim=4 C=3 w=1")});
    const std::string whole = test::read_bytes(folder / "whole.h5");
    const std::size_t first_size = whole.find("GCOL") + 24;  // of the first string in HDF5's heap
    int refused = 0;
    for (std::size_t at = first_size; at < first_size + 8; ++at) {
        std::string bytes = whole;
        bytes[at] = '\xff';
        test::write_bytes(folder / "damaged.h5", bytes);
        const h5::Handle file(H5Fopen((folder / "damaged.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "file");
        for (const char* name : {"producer", "schema"}) {
            try {
                static_cast<void>(h5::read_attribute(file.get(), name));
            } catch (const FormatError&) {
                ++refused;
            }
        }
    }
    CHECK(refused >= 4);
}
