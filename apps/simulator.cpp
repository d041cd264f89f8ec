#include "apps/simulator.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace trackops::apps {

int simulator(std::span<const std::string> arguments, std::span<const std::string>) {
    std::error_code failure;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
    const std::string program = self.parent_path() / "trackops-sim";
    std::vector<std::string> words(arguments.begin(), arguments.end());
    words.insert(words.begin(), program);
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    fmt::print(stderr,
               "trackops sim: {}: {}. The simulator is a program of its own: "
               "`./dev build release trackops-sim` builds it.\n",
               program, std::strerror(errno));
    return 2;
}

}  // namespace trackops::apps
