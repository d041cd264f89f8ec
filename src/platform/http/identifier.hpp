// The port through which a server learns who calls.
#pragma once
#include <memory>

#include "platform/http/message.hpp"
#include "platform/http/principal.hpp"

namespace trackops::http {

class Identifier {
public:
    virtual ~Identifier() = default;
    // Returns the caller of a request whose headers have arrived; not null. A caller without
    // credentials, or with credentials that are not accepted, is not authenticated. Runs on the I/O
    // thread, so it must not block. Thread-safe.
    virtual std::shared_ptr<const Principal> identify(const Request& request) = 0;
};

}  // namespace trackops::http
