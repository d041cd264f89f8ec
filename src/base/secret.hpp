// A text that nobody may see, such as a password, as a type that cannot be printed.
#pragma once
#include <string>

namespace trackops {

// Holds a text and wipes it from memory when it is destroyed or overwritten. A Secret has no
// formatter, no stream operator, no comparison and no conversion, so that no log line or error can
// show it by mistake. reveal() is the one way to the text.
class Secret {
public:
    Secret() = default;
    // Wipes `text`.
    explicit Secret(std::string text);
    Secret(const Secret& other) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    bool empty() const { return text_.empty(); }
    // The caller passes the text to the server that asks for it, and to nobody else. The reference
    // is valid as long as this object.
    const std::string& reveal() const { return text_; }

private:
    std::string text_;
};

}  // namespace trackops
