// The half of the embedded log that lives in memory: where each partition ends, its newest
// messages, and which member of which group reads what. Knows nothing of disks.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/bus.hpp"
#include "platform/embedded_log/message_store.hpp"

namespace trackops::bus {

using SharedMessage = std::shared_ptr<const Message>;

// Thread-safe. All calls are short: nothing here waits on anything but wait().
class LiveLog {
public:
    class Member;  // of a group; made by join(), given back by leave()

    explicit LiveLog(std::size_t recent_bytes_max);
    ~LiveLog();

    // Shares out the partitions that are new; leaves the others alone.
    void add(std::span<const StoredPartition> stored);
    // Where partitions end after a write of which nobody knows whether it happened; leaves new ones
    // alone.
    void correct_ends(std::span<const StoredPartition> stored);
    void restore(std::span<const StoredCommit> commits);
    bool has_topic(std::string_view topic) const;

    // The partition that a message belongs to, with its current ends; nothing when the topic is
    // unknown.
    std::optional<StoredPartition> route(std::string_view topic, std::string_view key);
    struct Arrival {
        std::int64_t partition_id = 0;
        SharedMessage message;
    };
    // Durable messages, each the next of its partition. Wakes who waits for them.
    void append(std::span<const Arrival> arrivals);

    Member& join(std::string_view group, std::span<const std::string> topics);
    void leave(Member& member);
    struct FetchResult {
        std::vector<SharedMessage> messages;
        // Set instead of messages when the member is behind what memory holds: read `behind` from
        // `from` on, then advance().
        std::optional<StoredPartition> behind;
        std::int64_t from = 0;
    };
    FetchResult take(Member& member, std::size_t max);
    // The member was given what lies before `to`. False when the partition has moved to somebody
    // else, or was rewound, meanwhile.
    bool advance(Member& member, std::int64_t partition_id, std::int64_t from, std::int64_t to);
    void commit(Member& member, std::string_view topic, std::int32_t partition, std::int64_t next);
    void pause(Member& member, std::string_view topic, std::int32_t partition, bool paused);
    // Waits for something to take. True when wake() ended it.
    bool wait(Member& member, Duration max_wait);
    void wake(Member& member);

    std::vector<StoredCommit> take_unsaved_commits();
    void put_back(std::span<const StoredCommit> commits);  // they could not be saved

    std::vector<TopicState> state(std::string_view group) const;
    std::map<std::string, std::int64_t> lag_by_group() const;
    // What every known group has passed, save the newest message of each partition.
    std::vector<DropLimit> droppable() const;
    void dropped(std::span<const DropLimit> first);

private:
    struct Partition {
        StoredPartition stored;
        std::deque<SharedMessage> recent;  // the newest, without gaps, up to stored.next
    };
    struct Topic {
        std::vector<std::unique_ptr<Partition>> partitions;
        std::size_t turn = 0;  // of messages without a key
    };
    struct Place {  // of a group in a partition
        Partition* partition = nullptr;
        Member* owner = nullptr;
        std::int64_t position = 0;   // of the next message to give
        std::int64_t committed = 0;  // everything before it is handled
        bool paused = false;
        bool unsaved = false;
    };
    struct Group {
        std::string name;
        std::vector<std::unique_ptr<Member>> members;
        std::map<std::int64_t, Place> places;  // by partition id
    };

    void rebalance(Group& group);
    void assign(Group& group, Partition& partition, Member* owner);
    void mark_unsaved(Group& group, Place& place);
    Place* owned(Member& member, std::string_view topic, std::int32_t partition);
    void remember(Partition& partition, SharedMessage message);
    void forget_oldest();
    void signal_owners(std::int64_t partition_id);
    static std::int64_t lag_of(const Place& place);

    const std::size_t recent_bytes_max_;
    mutable std::mutex mutex_;
    std::map<std::string, Topic, std::less<>> topics_;
    std::map<std::int64_t, Partition*> by_id_;
    std::map<std::string, Group, std::less<>> groups_;
    std::deque<Partition*> arrivals_;  // one entry a message in some `recent`, oldest first
    std::size_t recent_bytes_ = 0;
    std::vector<std::pair<Group*, Place*>> unsaved_;
};

}  // namespace trackops::bus
