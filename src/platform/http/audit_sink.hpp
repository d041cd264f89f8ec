// The port through which a server tells of answered requests to those who keep an audit log.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "base/audited_act.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/http/principal.hpp"
#include "platform/http/route.hpp"

namespace trackops::http {

// A request that is about to be handled.
struct ArrivedRequest {
    const Principal& caller;
    const std::array<std::uint8_t, 16>& client;
    const Route& route;
    std::string_view method;
    std::string_view path;  // percent-decoded
    std::string_view correlation_id;
};

struct AnsweredRequest {
    const Principal& caller;
    const std::array<std::uint8_t, 16>& client;
    const Route* route;  // null: none was found
    std::string_view method;
    std::string_view path;  // percent-decoded; of a request that may change something only
    int status;
    std::string_view correlation_id;
    const AuditedAct* act = nullptr;  // what act_of() has returned, if it was asked
};

class AuditSink {
public:
    virtual ~AuditSink() = default;
    // Both run on the I/O thread, so they must not block.
    // Returns the act that the request is; null if it is none that has to be audited.
    virtual AuditedActPtr act_of(const ArrivedRequest& request) = 0;
    virtual void answered(const AnsweredRequest& request) = 0;
};

// Returns the options of a server whose answers `sink` hears of.
inline EdgeOptions with_audit(EdgeOptions options, AuditSink& sink) {
    options.audit = &sink;
    return options;
}

}  // namespace trackops::http
