// The rows of the audit log that a transaction writes for the acts that it carries out.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "base/audited_act.hpp"
#include "base/instant.hpp"

namespace trackops::sql {
class Transaction;
}

namespace trackops::audit_log {

// The outcome of the row of an act that has changed the database.
inline constexpr const char* committed = "committed";

// The acts of one transaction. One row stands for all commands of an act in the transaction and
// counts them: a bulk request is one act with many commands. Used by one thread.
class Acts {
public:
    // Adds a command of the act. Null: the command is not audited.
    void add(const AuditedActPtr& act);
    // Appends the rows, commits, and tells the acts. Call it when all other rows are locked and
    // checked: the head of the log is the last of the locks. Without an act it only commits. Throws
    // sql::Failure; an act is then told nothing.
    void commit(sql::Transaction& tx, Instant now) const;
    // Tells an act that an earlier run, whose commit lost its answer, has committed it.
    static void found_committed(const AuditedActPtr& act);

private:
    std::vector<std::pair<AuditedActPtr, std::int64_t>> acts_;  // with the number of commands
};

}  // namespace trackops::audit_log
