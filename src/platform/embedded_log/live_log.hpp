// The half of the embedded log in memory: the end of each partition, its newest messages, and which
// member of which group reads which partition. It does no I/O.
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

// Thread-safe. Only wait() waits.
class LiveLog {
public:
    class Member;  // of a group; join() creates it, leave() destroys it

    explicit LiveLog(std::size_t recent_bytes_max);
    ~LiveLog();

    // Assigns new partitions to members; does not touch the others.
    void add(std::span<const StoredPartition> stored);
    // Sets the ends of partitions after a write whose outcome was unknown; does not touch new
    // partitions.
    void correct_ends(std::span<const StoredPartition> stored);
    void restore(std::span<const StoredCommit> commits);
    bool has_topic(std::string_view topic) const;

    // Returns the partition of a message with its present ends; nothing for an unknown topic.
    std::optional<StoredPartition> route(std::string_view topic, std::string_view key);
    struct Arrival {
        std::int64_t partition_id = 0;
        SharedMessage message;
    };
    // Adds durable messages, each the next of its partition. Wakes the members that wait for them.
    void append(std::span<const Arrival> arrivals);

    Member& join(std::string_view group, std::span<const std::string> topics);
    void leave(Member& member);
    struct FetchResult {
        std::vector<SharedMessage> messages;
        // Set instead of messages when the member is behind the messages in memory: the caller
        // reads `behind` from `from` on and then calls advance().
        std::optional<StoredPartition> behind;
        std::int64_t from = 0;
    };
    FetchResult take(Member& member, std::size_t max);
    // Records that the member has received the messages before `to`. Returns false when the
    // partition has moved to another member or was rewound in between.
    bool advance(Member& member, std::int64_t partition_id, std::int64_t from, std::int64_t to);
    // Records that the group has handled the messages before `next`. Returns false, and records
    // nothing, when the partition has moved since the member received the last of them: its owner
    // receives them again.
    bool commit(Member& member, std::string_view topic, std::int32_t partition, std::int64_t next);
    void pause(Member& member, std::string_view topic, std::int32_t partition, bool paused);
    // Waits for messages. Returns true when wake() ended the wait.
    bool wait(Member& member, Duration max_wait);
    void wake(Member& member);

    std::vector<StoredCommit> take_unsaved_commits();
    void put_back(std::span<const StoredCommit> commits);  // after they could not be saved

    std::vector<TopicState> state(std::string_view group) const;
    std::map<std::string, std::int64_t> lag_by_group() const;
    // Returns the limits below which every known group has handled the messages. The newest message
    // of a partition always stays.
    std::vector<DropLimit> droppable() const;
    void dropped(std::span<const DropLimit> first);

private:
    struct Partition {
        StoredPartition stored;
        std::deque<SharedMessage> recent;  // the newest, without gaps, up to stored.next
    };
    struct Topic {
        std::vector<std::unique_ptr<Partition>> partitions;
        std::size_t turn = 0;  // the partition of the next message without a key
    };
    struct Place {  // the position of a group in a partition
        Partition* partition = nullptr;
        Member* owner = nullptr;
        std::int64_t position = 0;   // of the next message to hand out
        std::int64_t committed = 0;  // every message before this is handled
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
