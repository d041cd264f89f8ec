// The operator's program: `access` decides who may call, `dev` runs the three services in one
// process, `health` asks whether they are ready, `load` plays orders against them, `login`,
// `logout` and `whoami` keep a session for it, `migrate` brings both databases up to date, `routes`
// prints the HTTP routes, `sim` calls the simulator, `verify` checks the invariants of both
// databases.
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "apps/access.hpp"
#include "apps/dev.hpp"
#include "apps/login.hpp"
#include "apps/migrate.hpp"
#include "apps/routes.hpp"
#include "apps/simulator.hpp"
#include "apps/verify.hpp"
#include "base/version.hpp"
#include "load/command.hpp"
#include "load/report.hpp"
#include "load/run.hpp"

namespace {

constexpr std::string_view usage =
    "trackops: the order-and-stock core of a commerce back end\n"
    "\n"
    "  trackops access         adds, rotates and revokes keys and operators\n"
    "  trackops dev            the three services in one process on embedded stores\n"
    "  trackops health         asks a running `trackops dev` whether it is ready\n"
    "  trackops load FILE|-    plays orders from NDJSON over HTTP and reports\n"
    "  trackops login          begins a session of an operator for the other commands\n"
    "  trackops logout         ends it\n"
    "  trackops migrate        brings the databases to what this version needs\n"
    "  trackops routes         prints the HTTP routes of the three services\n"
    "  trackops sim            the three services in simulated worlds full of faults\n"
    "  trackops verify         recomputes what must be true of orders and stock\n"
    "  trackops whoami         tells whose session it is\n"
    "  trackops --version\n"
    "\n"
    "Each command explains itself with --help.\n";

struct Command {
    std::string_view name;
    int (*run)(std::span<const std::string> arguments, std::span<const std::string> environment);
};
constexpr Command commands[] = {
    {"access", trackops::apps::access},   {"dev", trackops::apps::dev},
    {"health", trackops::apps::health},   {"load", trackops::load::command},
    {"login", trackops::apps::login},     {"logout", trackops::apps::logout},
    {"migrate", trackops::apps::migrate}, {"routes", trackops::apps::routes},
    {"sim", trackops::apps::simulator},   {"verify", trackops::apps::verify},
    {"whoami", trackops::apps::whoami}};

int print(std::FILE* to, std::string_view text, int exit_code) {
    std::fwrite(text.data(), 1, text.size(), to);
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.emplace_back(*variable);
    if (arguments.empty()) return print(stderr, usage, 2);
    for (const Command& command : commands) {
        if (command.name == arguments.front())
            return command.run(std::span(arguments).subspan(1), environment);
    }
    if (arguments.front() == "--help" || arguments.front() == "help")
        return print(stdout, usage, 0);
    if (arguments.front() == "--version")
        return print(stdout, std::string(trackops::version) + "\n", 0);
    return print(
        stderr,
        "trackops: no command is called '" + arguments.front() + "'\n\n" + std::string(usage), 2);
}
