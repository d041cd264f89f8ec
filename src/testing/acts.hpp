// Acts for tests of the audit log, and the rows that they leave.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/audited_act.hpp"
#include "testing/query_column.hpp"

namespace trackops::testing {

inline AuditedActPtr act(std::string action) {
    const auto act = std::make_shared<AuditedAct>();
    act->service = "order-service";
    act->actor = "operator:ann";
    act->address = "192.0.2.1";
    act->action = std::move(action);
    act->subject = "/x";
    act->correlation_id = "c";
    return act;
}

// Returns "actor action outcome xoccurrences" of each row of the audit log, the oldest first.
inline std::vector<std::string> audit_rows(sql::Database& database) {
    return query_column(database,
                        "SELECT actor || ' ' || action || ' ' || outcome || ' x' || occurrences "
                        "FROM audit_log ORDER BY position");
}

}  // namespace trackops::testing
