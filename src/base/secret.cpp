#include "base/secret.hpp"

#include <cstring>
#include <utility>

namespace trackops {
namespace {

// Overwrites the whole buffer, which also holds what a longer or a moved text left behind.
void wipe(std::string& text) noexcept {
    text.resize(text.capacity());
    ::explicit_bzero(text.data(), text.size());
    text.clear();
}

}  // namespace

Secret::Secret(std::string text) : text_(text) { wipe(text); }

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { wipe(other.text_); }

Secret& Secret::operator=(Secret other) noexcept {
    text_.swap(other.text_);
    return *this;
}

Secret::~Secret() { wipe(text_); }

}  // namespace trackops
