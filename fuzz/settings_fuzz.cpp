// Fuzzes settings from flags and variables: accepted values are within their bounds, a refusal
// names every fault, and no secret is shown.
#include <vector>

#include "fuzz/promise.hpp"
#include "platform/config/help.hpp"
#include "platform/config/settings.hpp"

namespace trackops::fuzz {
namespace {

using config::Kind;

constexpr std::string_view secret = "hunter2x";
constexpr config::Setting table[] = {
    {"order-port", Kind::integer, "8080", "where it listens", 1, 65535},
    {"patience", Kind::duration, "30s", "how long it waits", 100, 3'600'000},
    {"log-json", Kind::flag, "true", "how it logs"},
    {"name", Kind::text, "", "what it is called"},
    {"database", Kind::text, "sqlite:a", "where it keeps things", 0, INT64_MAX, true},
    {"pin", Kind::integer, "1", "a number that nobody may see", 0, 100, true},
};

void show(std::string_view text) {
    promise(text.find(secret) == std::string_view::npos, "no secret is shown");
}

// Returns whether the text at `at` is a secret. In a URL only the text after the user is one, and
// in the name of a file or folder none.
bool is_password(std::string_view line, std::size_t at) {
    if (at == std::string_view::npos) return false;
    const std::string_view value = line.substr(std::min(line.find('='), at) + 1);
    if (value.starts_with("sqlite:") || value.starts_with("embedded:")) return false;
    const std::size_t scheme = line.find("://");
    if (scheme == std::string_view::npos) return true;
    if (at < scheme + 4) return false;
    const std::string_view user = line.substr(scheme + 3, at - scheme - 3);
    return user.ends_with(':') && user.find_first_of(":/?@[") == user.size() - 1;
}

void check_refusal(const Error& error) {
    promise(error.code == Errc::invalid && !error.fields.empty(), "a refusal names a setting");
    show(error.detail);
    for (const FieldError& fault : error.fields) {
        show(fault.pointer);
        show(fault.detail);
        promise(error.detail.find(fault.pointer) != std::string::npos, "the text names it too");
    }
}

void check_values(const config::Values& values) {
    promise(values.integer("order-port") >= 1 && values.integer("order-port") <= 65535,
            "a number is within its bounds");
    promise(values.duration("patience") >= std::chrono::milliseconds(100) &&
                values.duration("patience") < std::chrono::milliseconds(3'600'001),
            "a duration is within its bounds");
    (void)values.flag("log-json");
    show(config::print(table, values));
    const auto& port = values.values.find("order-port")->second.value;
    promise(config::read(table, std::vector<std::string>{"--order-port=" + port}, {}).has_value(),
            "a value can be given again");
}

}  // namespace
}  // namespace trackops::fuzz

// The input is lines: those that begin with TRACKOPS_ are variables, the others arguments. '~'
// stands for a secret in a place where only secrets may stand.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    constexpr std::string_view secret_places[] = {
        "--database=", "--pin=", "TRACKOPS_DATABASE=", "TRACKOPS_PIN="};
    std::string_view rest = fuzz::text_of(data, size);
    // The secret's own text in the input would be no secret.
    if (rest.find(fuzz::secret) != std::string_view::npos) return 0;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    while (!rest.empty()) {
        std::string line(fuzz::take_line(rest));
        // Would read the named file.
        if (line.find("_FILE") != std::string::npos) continue;
        const bool is_secret =
            std::ranges::any_of(secret_places,
                                [&](auto begin) { return line.starts_with(begin); }) ||
            (arguments.empty() && !line.starts_with('-') && !line.starts_with("TRACKOPS_"));
        const auto at = line.find('~');
        if (is_secret && fuzz::is_password(line, at)) line.replace(at, 1, fuzz::secret);
        (line.starts_with("TRACKOPS_") ? environment : arguments).push_back(std::move(line));
    }
    const auto values = config::read(fuzz::table, arguments, environment);
    if (values) {
        fuzz::check_values(*values);
    } else {
        fuzz::check_refusal(values.error());
    }
    return 0;
}
