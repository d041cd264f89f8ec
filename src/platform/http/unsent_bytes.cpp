#include "platform/http/unsent_bytes.hpp"

namespace trackops::http {
namespace {

constexpr std::size_t unpaid_bytes_max = 4 * 1024;
constexpr std::size_t head_bytes = 512;  // of a response, generously

std::size_t bytes_of(const Response& response) { return response.body.size() + head_bytes; }

}  // namespace

void UnsentBytes::add(const Response& response) {
    waiting_ += bytes_of(response);
    pay();
}

void UnsentBytes::take(std::size_t output_bytes) {
    taken_ += output_bytes;
    pay();
}

void UnsentBytes::remove(const Response& response) { waiting_ -= bytes_of(response); }

void UnsentBytes::sent() {
    taken_ = 0;
    pay();
}

// The bytes are in memory already, so they are paid whatever is left.
void UnsentBytes::pay() {
    if (count() > unpaid_bytes_max) {
        share_.resize_anyway(count());
    } else if (share_.bytes() > 0) {
        share_.reset();
    }
}

}  // namespace trackops::http
