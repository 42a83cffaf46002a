// Equal content gives equal bytes; nothing half written is ever seen under the target's name.
#include <chrono>
#include <thread>

#include "tests/golden/sample_case.hpp"
#include "tests/golden/scratch_folder.hpp"
#include "tests/support/catch.hpp"

using namespace dca;
using namespace dca::golden;
using namespace dca::test;

namespace {

std::vector<CaseData> some_cases() {
    std::vector<CaseData> cases;
    for (int i = 0; i < 12; ++i) {  // more than HDF5 keeps in one small group
        cases.push_back(sample_case(
            "id=case" + std::to_string(i) +
            " seq_q=9 heads_q=2 head_dim=16 chunk_size=6 local_size=2 dtype=bf16 seed=" + std::to_string(i)));
    }
    return cases;
}

}  // namespace

TEST_CASE("two writes seconds apart give the same bytes") {
    const ScratchFolder folder;
    write_file(folder / "first.h5", some_cases());
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));  // HDF5 times have seconds
    write_file(folder / "second_with_a_longer_name.h5", some_cases());
    const std::string first = read_bytes(folder / "first.h5");
    CHECK(first.size() > 10000);
    CHECK((first == read_bytes(folder / "second_with_a_longer_name.h5")));
}

TEST_CASE("reading a file and writing what was read gives the same bytes") {
    const ScratchFolder folder;
    write_file(folder / "first.h5", some_cases());
    const FileReader reader(folder / "first.h5");
    {
        FileWriter writer(folder / "second.h5");
        for (const CaseData& data : some_cases()) writer.write(reader.read(data.id));
        writer.commit();
    }
    CHECK((read_bytes(folder / "first.h5") == read_bytes(folder / "second.h5")));
}

TEST_CASE("until commit the target is untouched and other writers have names of their own") {
    const ScratchFolder folder;
    write_bytes(folder / "a.h5", "precious");
    {
        FileWriter first(folder / "a.h5"), second(folder / "a.h5");
        first.write(some_cases().front());
        second.write(some_cases().back());
        CHECK(folder.names().size() == 3);
        CHECK(read_bytes(folder / "a.h5") == "precious");
    }
    CHECK(folder.names() == std::vector<std::string>{"a.h5"});
    CHECK(read_bytes(folder / "a.h5") == "precious");
}

TEST_CASE("commit replaces the target and leaves nothing else behind") {
    const ScratchFolder folder;
    write_bytes(folder / "a.h5", "old");
    write_file(folder / "a.h5", some_cases());
    CHECK(folder.names() == std::vector<std::string>{"a.h5"});
    CHECK(FileReader(folder / "a.h5").case_ids().size() == 12);
}

TEST_CASE("an exception on the way removes the temporary file") {
    const ScratchFolder folder;
    CaseData bad = some_cases().front();
    bad.id = "not an id";
    CHECK_THROWS_AS(write_file(folder / "a.h5", {some_cases().front(), bad}), ContractError);
    CHECK(folder.names().empty());
}
