// The durable half of the embedded log: partitions, messages and commits in one SQLite file.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/message.hpp"
#include "platform/embedded_log/folder_lock.hpp"
#include "platform/sql/database.hpp"

namespace trackops::bus {

struct StoredPartition {
    std::int64_t id = 0;
    std::string topic;
    std::int32_t number = 0;
    std::int64_t first = 0;  // offset of the oldest message kept
    std::int64_t next = 0;   // offset of the next message
};

struct StoredMessage {
    std::int64_t partition_id = 0;
    const Message* message = nullptr;
};

struct StoredCommit {
    std::string group;
    std::int64_t partition_id = 0;
    std::int64_t next = 0;  // offset of the first message that the group has not handled
};

struct DropLimit {
    std::int64_t partition_id = 0;
    std::int64_t below = 0;  // only offsets below this may be deleted
};
struct Dropped {
    std::vector<DropLimit> first;  // oldest message kept, by partition
    bool more = false;             // the limit was reached and more messages can be deleted
};

// Thread-safe. Every function throws sql::Failure when the disk fails.
class MessageStore {
public:
    MessageStore(const std::string& folder, telemetry::Registry& metrics);

    std::vector<StoredPartition> partitions();
    std::vector<StoredCommit> commits();
    void add_topic(std::string_view topic, std::int32_t partitions);
    // Stores all of it or nothing; durable on return. After a Failure it may have happened
    // nevertheless.
    void append(std::span<const StoredMessage> messages, std::span<const StoredCommit> commits);
    // Returns at most `max` messages, and about 8 MiB, from offset `from` on.
    std::vector<Message> read(const StoredPartition& partition, std::int64_t from, std::size_t max);
    // Deletes at most `max` messages with a timestamp before `before`.
    Dropped drop(std::span<const DropLimit> limits, Instant before, std::int64_t max);
    void ping();

private:
    FolderLock lock_;
    std::unique_ptr<sql::Database> database_;
};

}  // namespace trackops::bus
