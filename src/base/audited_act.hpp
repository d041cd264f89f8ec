// An act of an operator that the audit log has to have.
#pragma once
#include <atomic>
#include <memory>
#include <string>

namespace trackops {

// A request that may change something, of an operator or on a route for operators. The transaction
// that carries it out also writes its row of the audit log (audit_log::Acts). The members but the
// last do not change once the act is shared.
struct AuditedAct {
    std::string service;  // e.g. order-service
    std::string actor;    // e.g. operator:ann
    std::string address;  // of the client
    std::string action;   // e.g. POST /api/customers/{id}/erase
    std::string subject;  // the path
    std::string correlation_id;
    // A transaction that holds a row of this act has committed.
    mutable std::atomic<bool> is_committed = false;
};

// Null: the request is not audited.
using AuditedActPtr = std::shared_ptr<const AuditedAct>;

}  // namespace trackops
