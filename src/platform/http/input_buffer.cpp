#include "platform/http/input_buffer.hpp"

namespace trackops::http {

void InputBuffer::consume(std::size_t count) {
    begin_ += count;
    if (bytes_.size() - begin_ > begin_) return;
    bytes_.erase(0, begin_);
    begin_ = 0;
}

}  // namespace trackops::http
