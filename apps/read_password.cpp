#include "apps/read_password.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <termios.h>

#include "platform/access/password.hpp"

namespace trackops::apps {
namespace {

// Hides what is typed. Ctrl-C is a character meanwhile, or it would leave the terminal silent.
class SilentTerminal {
public:
    SilentTerminal() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
        is_changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~SilentTerminal() {
        if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

private:
    termios before_{};
    bool is_changed_ = false;
};

// Reads to the end of the line, byte by byte: a buffer would keep a copy.
Secret read_line(int from = STDIN_FILENO) {
    std::string line;
    line.reserve(access::password_bytes_max + 1);
    char c = 0;
    while (line.size() <= access::password_bytes_max && ::read(from, &c, 1) == 1 && c != '\n')
        line += c;
    return Secret(std::move(line));
}

Secret ask(std::string_view question) {
    const SilentTerminal silent;
    fmt::print(stderr, "{}", question);
    Secret answer = read_line();
    fmt::print(stderr, "\n");
    return answer;
}

Result<void> check(const Secret& password) {
    const std::string& text = password.reveal();
    if (text.size() < access::password_bytes_min || text.size() > access::password_bytes_max)
        return fail(Errc::invalid,
                    fmt::format("a password has {} to {} bytes", access::password_bytes_min,
                                access::password_bytes_max));
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (std::ranges::any_of(text, is_control))
        return fail(Errc::invalid, "a password has no control characters");
    return {};
}

}  // namespace

Result<Secret> read_new_password() {
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
    Secret password = is_terminal ? ask("Password: ") : read_line();
    TRY(check(password));
    if (is_terminal && ask("The same again: ").reveal() != password.reveal())
        return fail(Errc::invalid, "the two passwords are not the same");
    return password;
}

Result<Secret> read_password(const std::string& file, const std::string& question) {
    Secret password;
    if (!file.empty()) {
        const int from = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (from < 0) return fail(Errc::invalid, fmt::format("cannot read {}", file));
        password = read_line(from);
        ::close(from);
    } else {
        password = ::isatty(STDIN_FILENO) == 1 ? ask(question) : read_line();
    }
    if (password.empty()) return fail(Errc::invalid, "no password is given");
    return password;
}

}  // namespace trackops::apps
