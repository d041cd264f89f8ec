// The broker of the simulated world, and the bus as one process sees it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "platform/bus/bus.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

class SimSubscription;

// The broker that all processes share: topics, groups and offsets. It never loses data.
class Broker {
public:
    using Place = std::pair<std::string, std::int32_t>;  // topic, partition
    struct Record {
        bus::Message message;
        Instant visible_at;
        std::int64_t order = 0;  // its number among all appended records
    };
    struct Group {
        std::map<Place, std::int64_t> committed;  // the offset of the next message to handle
        // The offset after the last message that any member has read.
        std::map<Place, std::int64_t> read;
        std::vector<SimSubscription*> members;
        std::vector<std::string> topics;
        std::int64_t generation = 0;
    };
    static constexpr std::int32_t partitions = 3;

    explicit Broker(World& world) : world_(world) {}
    void ensure(std::span<const std::string> topics);
    bool knows(const std::string& topic) const { return topics_.contains(topic); }
    void append(const bus::OutgoingMessage& message);
    // Returns true if the broker refuses this message, however often it is sent, until its limit is
    // changed. This call itself may decide that the message is refused from now on.
    bool refuses(const bus::OutgoingMessage& message);
    // Changes the limits of all refused messages: the broker takes them from now on.
    void relent() { refused_until_.clear(); }
    // Returns true if an event of the key was refused in the last seconds: it may still be parked.
    bool may_be_parked(Uuid key) const;
    // Returns true if the broker has taken an event of the key that it refused before.
    bool has_relented(const std::string& key) const { return relented_keys_.contains(key); }
    bool has_refused(Uuid event) const { return refused_.contains(event); }
    bool has_taken(Uuid event) const { return taken_.contains(event); }
    // Reassigns the partitions of the group. Each member continues from the committed offsets.
    void rebalance(Group& group, std::string_view why);
    Group& group(std::string_view name) { return groups_[std::string(name)]; }
    // Returns the number of messages that the group has not committed; 0 once it has caught up.
    std::int64_t lag(const std::string& group) const;
    // Describes in which partitions those messages are.
    std::string lagging(const std::string& group) const;

    World& world() { return world_; }
    const std::map<Place, std::vector<Record>>& log() const { return log_; }
    std::vector<Record>& partition(const Place& place) { return log_[place]; }
    const std::map<std::string, Group>& groups() const { return groups_; }

    bool is_away = false;
    std::function<void(const std::string& topic)> on_visible = [](const std::string&) {};

private:
    std::int64_t lag_at(const std::string& group, const Place& place) const;

    World& world_;
    std::set<std::string> topics_;
    std::map<Place, std::vector<Record>> log_;
    std::map<std::string, Group> groups_;
    std::int64_t appended_ = 0;
    std::set<Uuid> taken_;                         // event ids
    std::set<Uuid> refused_;                       // refused at least once
    std::map<std::string, Instant> last_refused_;  // by key
    std::set<std::string> relented_keys_;
    std::map<Uuid, Instant> refused_until_;  // by event
    // How many of the next messages of a key are refused.
    std::map<std::string, int> next_refused_;
};

class SimBus final : public bus::Bus {
public:
    SimBus(ProcessContext& process, Broker& broker) : process_(process), broker_(broker) {}
    void ensure_topics(std::span<const std::string> topics) override;
    std::unique_ptr<bus::Publisher> publisher() override;
    std::unique_ptr<bus::Subscription> subscribe(std::string_view group,
                                                 std::span<const std::string> topics) override;
    void ping() override;
    std::vector<bus::TopicState> state(std::string_view group) override;

private:
    ProcessContext& process_;
    Broker& broker_;
};

}  // namespace trackops::sim
