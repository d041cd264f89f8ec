// The port through which a server learns who calls.
#pragma once
#include <memory>

#include "platform/http/inquiry.hpp"
#include "platform/http/message.hpp"
#include "platform/http/principal.hpp"

namespace trackops::http {

class Identifier {
public:
    virtual ~Identifier() = default;
    // Returns the caller of a request whose headers have arrived; null if that is not in memory:
    // then call inquire(). A caller without credentials, or with credentials that are not accepted,
    // is not authenticated. Runs on the I/O thread, so it must not block. Thread-safe.
    virtual std::shared_ptr<const Principal> identify(const Request& request) = 0;
    // Finds the caller, for whom identify() had no answer, and answers the inquiry on any thread,
    // within a second or so. Must not block. Throws std::logic_error in an identifier that always
    // has an answer.
    virtual void inquire(const Request& request, std::shared_ptr<Inquiry> inquiry);
};

}  // namespace trackops::http
