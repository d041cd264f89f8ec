// Received bytes that wait to be parsed: appended at the end, consumed from the front.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trackops::http {

// Consuming moves bytes only when the consumed part is at least as large as the rest. So a byte is
// moved once on average, however many small pieces the bytes are consumed in.
class InputBuffer {
public:
    bool empty() const { return begin_ == bytes_.size(); }
    // The bytes that are not consumed. Valid until the next call of another member.
    std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
    void append(std::string_view bytes) { bytes_ += bytes; }
    void consume(std::size_t count);  // at most view().size()
    void clear() { consume(bytes_.size() - begin_); }

private:
    std::string bytes_;
    std::size_t begin_ = 0;  // of the bytes that are not consumed
};

}  // namespace trackops::http
