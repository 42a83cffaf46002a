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
        return "returned " + run_apart(ApartLimits{.seconds = 1}, work);
    } catch (const FormatError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("what the child returns comes back, whatever its size and bytes") {
    CHECK(run_apart(ApartLimits{.seconds = 1}, [] { return std::string(); }).empty());
    const std::string large(300000, '\0');  // more than a pipe holds
    CHECK((run_apart(ApartLimits{.seconds = 1}, [&] { return large; }) == large));
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
