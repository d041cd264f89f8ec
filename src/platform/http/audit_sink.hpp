// The port through which a server tells of answered requests to those who keep an audit log.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "platform/http/edge_options.hpp"
#include "platform/http/principal.hpp"
#include "platform/http/route.hpp"

namespace trackops::http {

struct AnsweredRequest {
    const Principal& caller;
    const std::array<std::uint8_t, 16>& client;
    const Route* route;  // null: none was found
    std::string_view method;
    std::string_view path;  // percent-decoded; of a request that may change something only
    int status;
    std::string_view correlation_id;
};

class AuditSink {
public:
    virtual ~AuditSink() = default;
    // Runs on the I/O thread, so it must not block.
    virtual void answered(const AnsweredRequest& request) = 0;
};

// Returns the options of a server whose answers `sink` hears of.
inline EdgeOptions with_audit(EdgeOptions options, AuditSink& sink) {
    options.audit = &sink;
    return options;
}

}  // namespace trackops::http
