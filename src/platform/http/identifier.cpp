#include "platform/http/identifier.hpp"

#include <stdexcept>

namespace trackops::http {

void Identifier::inquire(const Request& /*request*/, std::shared_ptr<Inquiry> /*inquiry*/) {
    throw std::logic_error("this identifier never has to ask");
}

}  // namespace trackops::http
