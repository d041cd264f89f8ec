#include "sim/sim_bus.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <tuple>

#include "platform/bus/partition.hpp"
#include "sim/crash.hpp"
#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

bool is_mutant_active(const World& world, MutantKind kind) {
    return world.mutant != nullptr && world.mutant->kind == kind;
}

std::string describe(World& world, std::string_view topic, std::string_view key,
                     std::string_view sequence) {
    const auto order = Uuid::parse(key);
    return fmt::format("{} {} #{}", topic,
                       order ? world.trace_log.name_of(*order) : std::string(key), sequence);
}

std::string describe(World& world, const bus::OutgoingMessage& message) {
    const auto found = std::ranges::find(message.headers, "ce_sequence", &bus::Header::name);
    return describe(world, message.topic, message.key,
                    found == message.headers.end() ? std::string_view("-") : found->value);
}

Uuid event_of(const bus::OutgoingMessage& message) {
    const auto found = std::ranges::find(message.headers, "ce_id", &bus::Header::name);
    if (found == message.headers.end()) return {};
    return Uuid::parse(found->value).value_or(Uuid{});
}

class SimPublisher final : public bus::Publisher {
public:
    SimPublisher(ProcessContext& process, Broker& broker) : process_(process), broker_(broker) {}

    std::vector<bus::Delivery> publish(std::span<const bus::OutgoingMessage> messages) override {
        std::vector<bus::Delivery> answers(messages.size(), bus::Delivery::unavailable);
        if (process_.is_destroyed) return answers;
        if (process_.world.open_transactions > 0)
            process_.world.broken("no_remote_call_in_a_transaction",
                                  process_.name + " publishes in one");
        process_.enter_port_call(Fault::crash_before_send);
        for (std::size_t i = 0; i < messages.size(); ++i) {
            answers[i] = send(messages[i]);
            if (i + 1 < messages.size()) process_.enter_port_call(Fault::crash_in_burst, false);
        }
        process_.enter_port_call(Fault::crash_after_ack);
        return answers;
    }

private:
    bus::Delivery send(const bus::OutgoingMessage& message) {
        World& world = process_.world;
        if (broker_.is_away || !broker_.knows(message.topic) ||
            world.faults.occurs(Fault::bus_send_lost)) {
            return reject(message);
        }
        if (broker_.refuses(message)) {
            world.trace(process_.name, "is refused {}", describe(world, message));
            if (is_mutant_active(world, MutantKind::sends_refused_later) &&
                broker_.has_relented(message.key)) {
                world.after(milliseconds(2000),
                            [&broker = broker_, message] { broker.append(message); });
                return bus::Delivery::acknowledged;
            }
            return is_mutant_active(world, MutantKind::acks_refused) ? bus::Delivery::acknowledged
                                                                     : bus::Delivery::refused;
        }
        broker_.append(message);
        world.trace(process_.name, "publishes {}", describe(world, message));
        if (world.faults.occurs(Fault::bus_duplicated)) {
            world.trace(process_.name, "publishes it twice");
            broker_.append(message);
        }
        if (!world.faults.occurs(Fault::bus_ack_lost)) return bus::Delivery::acknowledged;
        world.trace(process_.name, "does not hear that it was taken");
        return bus::Delivery::unavailable;
    }

    bus::Delivery reject(const bus::OutgoingMessage& message) {
        World& world = process_.world;
        world.trace(process_.name, "cannot publish {}", describe(world, message));
        if (is_mutant_active(world, MutantKind::acks_unsent)) return bus::Delivery::acknowledged;
        if (!is_mutant_active(world, MutantKind::sends_later)) return bus::Delivery::unavailable;
        world.after(milliseconds(300), [&broker = broker_, message] { broker.append(message); });
        return bus::Delivery::acknowledged;
    }

    ProcessContext& process_;
    Broker& broker_;
};

}  // namespace

class SimSubscription final : public bus::Subscription {
public:
    SimSubscription(ProcessContext& process, Broker& broker, Broker::Group& group)
        : process_(process), broker_(broker), group_(group) {
        group_.members.push_back(this);
        broker_.rebalance(group_, "a member joined");
    }
    ~SimSubscription() override {
        std::erase(group_.members, this);
        broker_.rebalance(group_, "a member left");
    }

    std::vector<bus::Message> poll(std::size_t max, Duration) override;
    void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) override;
    void pause(std::string_view topic, std::int32_t partition, bool paused) override {
        const Broker::Place place{std::string(topic), partition};
        paused ? void(paused_.insert(place)) : void(paused_.erase(place));
    }
    void wake() override {}

private:
    void catch_up_with_group();
    void tell_offsets();

    ProcessContext& process_;
    Broker& broker_;
    Broker::Group& group_;
    std::int64_t generation_ = -1;
    std::map<Broker::Place, std::int64_t> positions_;  // of our partitions
    std::set<Broker::Place> paused_;
    // Offsets whose commit did not reach the broker; sent again at the next poll.
    std::map<Broker::Place, std::int64_t> uncommitted_;
};

// Assigns the partitions to the members in turn, starting with another member in each generation.
void SimSubscription::catch_up_with_group() {
    if (generation_ == group_.generation) return;
    generation_ = group_.generation;
    positions_.clear();
    paused_.clear();
    uncommitted_.clear();
    const auto members = std::ssize(group_.members);
    const auto self = std::ranges::find(group_.members, this) - group_.members.begin();
    const bool skips = is_mutant_active(process_.world, MutantKind::goes_on_after_loss);
    std::int64_t number = generation_;
    for (const std::string& topic : group_.topics) {
        for (std::int32_t partition = 0; partition < Broker::partitions; ++partition) {
            const Broker::Place place{topic, partition};
            if (number++ % members == self)
                positions_[place] = skips ? group_.read[place] : group_.committed[place];
        }
    }
}

std::vector<bus::Message> SimSubscription::poll(std::size_t max, Duration) {
    std::vector<bus::Message> batch;
    if (process_.is_destroyed) return batch;
    World& world = process_.world;
    if (world.open_transactions > 0)
        world.broken("no_remote_call_in_a_transaction", process_.name + " polls in one");
    if (broker_.is_away) return batch;
    if (world.faults.occurs(Fault::bus_rebalance)) broker_.rebalance(group_, "as it may");
    catch_up_with_group();
    tell_offsets();
    const std::size_t most = world.schedule.happens(0.3) ? 1 + world.schedule.below(3) : max;
    std::vector<Broker::Place> places;
    places.reserve(positions_.size());
    for (const auto& [place, position] : positions_) places.push_back(place);
    if (!places.empty())
        std::ranges::rotate(places, places.begin() + static_cast<std::ptrdiff_t>(
                                                         world.schedule.below(places.size())));
    for (const Broker::Place& place : places) {
        if (paused_.contains(place)) continue;
        const auto& records = broker_.partition(place);
        std::int64_t& position = positions_[place];
        for (; position < std::ssize(records) && batch.size() < std::min(most, max); ++position) {
            const auto& record = records[static_cast<std::size_t>(position)];
            if (record.visible_at > world.now) break;
            batch.push_back(record.message);
        }
        group_.read[place] = std::max(group_.read[place], position);
        if (is_mutant_active(world, MutantKind::offsets_at_poll))
            group_.committed[place] = position;
    }
    for (const bus::Message& message : batch) {
        world.trace(process_.name, "is given {}",
                    describe(world, message.topic, message.key, message.header("ce_sequence")));
    }
    if (!batch.empty()) process_.enter_port_call(Fault::crash_after_poll);
    return batch;
}

void SimSubscription::commit(std::string_view topic, std::int32_t partition, std::int64_t offset) {
    if (process_.is_destroyed) return;
    process_.enter_port_call(Fault::crash_before_offset);
    const Broker::Place place{std::string(topic), partition};
    // As in the real drivers, an offset is dropped if its partition now belongs to another member.
    const auto ours = positions_.find(place);
    if (ours != positions_.end() && offset < ours->second) uncommitted_[place] = offset + 1;
    tell_offsets();
    process_.enter_port_call(Fault::crash_after_offset);
}

void SimSubscription::tell_offsets() {
    if (generation_ != group_.generation || broker_.is_away ||
        process_.world.faults.occurs(Fault::bus_offset_lost))
        return;
    for (const auto& [place, offset] : std::exchange(uncommitted_, {}))
        group_.committed[place] = std::max(group_.committed[place], offset);
}

void Broker::ensure(std::span<const std::string> topics) {
    topics_.insert(topics.begin(), topics.end());
}

void Broker::append(const bus::OutgoingMessage& message) {
    const auto partition = bus::partition_of(message.key, partitions);
    taken_.insert(event_of(message));
    if (refused_.contains(event_of(message))) relented_keys_.insert(message.key);
    std::vector<Record>& records = log_[{message.topic, partition}];
    const Duration delay = world_.faults.occurs(Fault::bus_slow)
                               ? world_.network.between(milliseconds(50), milliseconds(2000))
                               : world_.network.between(Duration(300), milliseconds(3));
    Instant visible_at = world_.now + delay;
    if (!records.empty()) visible_at = std::max(visible_at, records.back().visible_at);
    records.push_back({{message.topic, partition, std::ssize(records), message.key, message.value,
                        message.headers, world_.now},
                       visible_at,
                       ++appended_});
    world_.at(visible_at, [this, topic = message.topic] { on_visible(topic); });
}

// Most often the broker refuses the next message of the key, too, and takes the one after that.
constexpr std::array<int, 4> more_refused = {0, 1, 1, 1};

bool Broker::refuses(const bus::OutgoingMessage& message) {
    const Uuid event = event_of(message);
    const auto known = refused_until_.find(event);
    if (known != refused_until_.end() && world_.now < known->second) return true;
    if (taken_.contains(event)) return false;
    if (world_.faults.is_fault_free()) return false;
    int& next = next_refused_[message.key];
    const bool is_successor = next > 0;
    if (is_successor)
        --next;
    else if (world_.faults.occurs(Fault::bus_refuses))
        next = world_.network.pick(more_refused);
    else
        return false;
    refused_.insert(event);
    last_refused_[message.key] = world_.now;
    // While the broker refuses the successor of an event that it took, later events come.
    refused_until_[event] =
        world_.now + (is_successor ? world_.network.between(milliseconds(1000), milliseconds(6000))
                                   : world_.network.between(milliseconds(200), milliseconds(5000)));
    return true;
}

bool Broker::may_be_parked(Uuid key) const {
    constexpr Duration parked_for = std::chrono::seconds(5);  // the limit, and then an operator
    const auto found = last_refused_.find(key.text());
    return found != last_refused_.end() && world_.now - found->second < parked_for;
}

void Broker::rebalance(Group& group, std::string_view why) {
    ++group.generation;
    world_.trace("broker", "rebalances {} members: {}", group.members.size(), why);
}

std::int64_t Broker::lag(const std::string& name) const {
    std::int64_t lag = 0;
    for (const auto& [place, records] : log_) lag += lag_at(name, place);
    return lag;
}

std::int64_t Broker::lag_at(const std::string& name, const Place& place) const {
    const auto group = groups_.find(name);
    if (group == groups_.end()) return 0;
    const auto& [topics, committed] = std::tie(group->second.topics, group->second.committed);
    if (std::ranges::find(topics, place.first) == topics.end()) return 0;
    const auto found = committed.find(place);
    return std::ssize(log_.at(place)) - (found == committed.end() ? 0 : found->second);
}

std::string Broker::lagging(const std::string& name) const {
    std::string text;
    for (const auto& [place, records] : log_) {
        if (const auto lag = lag_at(name, place); lag > 0)
            text +=
                fmt::format("{} of {} in {}/{} ", lag, records.size(), place.first, place.second);
    }
    return text;
}

void SimBus::ensure_topics(std::span<const std::string> topics) {
    ping();
    broker_.ensure(topics);
}

void SimBus::ping() {
    if (process_.is_destroyed || broker_.is_away) throw std::runtime_error("the broker is away");
}

std::unique_ptr<bus::Publisher> SimBus::publisher() {
    return std::make_unique<SimPublisher>(process_, broker_);
}

std::unique_ptr<bus::Subscription> SimBus::subscribe(std::string_view group,
                                                     std::span<const std::string> topics) {
    Broker::Group& joined = broker_.group(group);
    joined.topics.assign(topics.begin(), topics.end());
    return std::make_unique<SimSubscription>(process_, broker_, joined);
}

std::vector<bus::TopicState> SimBus::state(std::string_view) { return {}; }

}  // namespace trackops::sim
