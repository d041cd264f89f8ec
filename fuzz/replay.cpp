// Runs a fuzz target over every file of its corpus, as a test without libFuzzer. A missing or empty
// folder is a failure.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fuzz/promise.hpp"

int main(int count, char** arguments) {
    if (count != 2) {
        fmt::print(stderr, "usage: {} CORPUS\n", arguments[0]);
        return 2;
    }
    std::error_code failure;
    std::size_t replayed = 0;
    for (const auto& entry : std::filesystem::directory_iterator(arguments[1], failure)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(file), {}};
        if (!file) {
            fmt::print(stderr, "cannot read {}\n", entry.path().string());
            return 1;
        }
        fmt::print(stderr, "{}\n", entry.path().filename().string());
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()),
                               content.size());
        ++replayed;
    }
    if (replayed == 0) {
        fmt::print(stderr, "no corpus in {}: {}\n", arguments[1], failure.message());
        return 1;
    }
}
