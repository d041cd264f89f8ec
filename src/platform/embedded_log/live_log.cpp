#include "platform/embedded_log/live_log.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "platform/bus/partition.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::bus {
namespace {

constexpr std::size_t fetch_bytes_max = 8 * 1024 * 1024;  // a poll

std::size_t bytes_of(const Message& message) {
    std::size_t bytes =
        sizeof(Message) + message.topic.size() + message.key.size() + message.value.size();
    for (const Header& header : message.headers) {
        bytes += sizeof(Header) + header.name.size() + header.value.size();
    }
    return bytes;
}

}  // namespace

class LiveLog::Member {
public:
    Member(Group& of, std::span<const std::string> wanted)
        : group(of), topics(wanted.begin(), wanted.end()) {}

    Group& group;
    const std::vector<std::string> topics;
    std::vector<Place*> places;
    std::size_t turn = 0;  // index of the place to read first
    bool signalled = false;
    bool woken = false;
    std::condition_variable arrived;
};

LiveLog::LiveLog(std::size_t recent_bytes_max) : recent_bytes_max_(recent_bytes_max) {}
LiveLog::~LiveLog() = default;

void LiveLog::add(std::span<const StoredPartition> stored) {
    const std::scoped_lock lock(mutex_);
    for (const StoredPartition& one : stored) {
        if (by_id_.contains(one.id)) continue;
        auto& partitions = topics_[one.topic].partitions;
        partitions.push_back(std::make_unique<Partition>(Partition{one, {}}));
        by_id_[one.id] = partitions.back().get();
    }
    for (auto& [name, group] : groups_) rebalance(group);
}

void LiveLog::correct_ends(std::span<const StoredPartition> stored) {
    const std::scoped_lock lock(mutex_);
    for (const StoredPartition& now : stored) {
        const auto known = by_id_.find(now.id);
        if (known == by_id_.end() || known->second->stored.next == now.next) continue;
        Partition& partition = *known->second;
        for (const SharedMessage& message : partition.recent) recent_bytes_ -= bytes_of(*message);
        std::erase(arrivals_, &partition);
        partition.recent.clear();
        partition.stored.next = now.next;
        signal_owners(now.id);
    }
}

void LiveLog::restore(std::span<const StoredCommit> commits) {
    const std::scoped_lock lock(mutex_);
    for (const StoredCommit& commit : commits) {
        Group& group = groups_[commit.group];
        group.name = commit.group;
        group.places[commit.partition_id] = {.partition = by_id_.at(commit.partition_id),
                                             .position = commit.next,
                                             .committed = commit.next};
    }
}

bool LiveLog::has_topic(std::string_view topic) const {
    const std::scoped_lock lock(mutex_);
    return topics_.contains(topic);
}

std::optional<StoredPartition> LiveLog::route(std::string_view topic, std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return std::nullopt;
    auto& [partitions, turn] = found->second;
    const auto count = static_cast<std::int32_t>(partitions.size());
    const std::size_t number = key.empty() ? turn++ % partitions.size()
                                           : static_cast<std::size_t>(partition_of(key, count));
    return partitions[number]->stored;
}

void LiveLog::append(std::span<const Arrival> arrivals) {
    const std::scoped_lock lock(mutex_);
    std::int64_t signalled = -1;
    for (const auto& [partition_id, message] : arrivals) {
        Partition& partition = *by_id_.at(partition_id);
        partition.stored.next = message->offset + 1;
        remember(partition, message);
        if (std::exchange(signalled, partition_id) != partition_id) signal_owners(partition_id);
    }
    forget_oldest();
}

void LiveLog::remember(Partition& partition, SharedMessage message) {
    recent_bytes_ += bytes_of(*message);
    arrivals_.push_back(&partition);
    partition.recent.push_back(std::move(message));
}

void LiveLog::forget_oldest() {
    while (recent_bytes_ > recent_bytes_max_) {
        Partition& partition = *arrivals_.front();
        arrivals_.pop_front();
        recent_bytes_ -= bytes_of(*partition.recent.front());
        partition.recent.pop_front();
    }
}

void LiveLog::signal_owners(std::int64_t partition_id) {
    for (auto& [name, group] : groups_) {
        const auto place = group.places.find(partition_id);
        if (place == group.places.end() || place->second.owner == nullptr) continue;
        place->second.owner->signalled = true;
        place->second.owner->arrived.notify_one();
    }
}

LiveLog::Member& LiveLog::join(std::string_view name, std::span<const std::string> topics) {
    const std::scoped_lock lock(mutex_);
    Group& group = groups_[std::string(name)];
    group.name = name;
    Member& member = *group.members.emplace_back(std::make_unique<Member>(group, topics));
    rebalance(group);
    return member;
}

void LiveLog::leave(Member& member) {
    const std::scoped_lock lock(mutex_);
    Group& group = member.group;
    for (auto& [id, place] : group.places) {
        if (place.owner == &member) place.owner = nullptr;
    }
    std::erase_if(group.members, [&](const auto& other) { return other.get() == &member; });
    rebalance(group);
}

void LiveLog::rebalance(Group& group) {
    for (const auto& member : group.members) member->places.clear();
    std::size_t turn = 0;
    for (auto& [name, topic] : topics_) {
        std::vector<Member*> takers;
        for (const auto& member : group.members) {
            if (std::ranges::find(member->topics, name) != member->topics.end())
                takers.push_back(member.get());
        }
        if (takers.empty()) continue;
        for (const auto& partition : topic.partitions) {
            assign(group, *partition, takers[turn++ % takers.size()]);
        }
    }
    for (const auto& member : group.members) {
        member->signalled = true;
        member->arrived.notify_one();
    }
}

void LiveLog::assign(Group& group, Partition& partition, Member* owner) {
    const auto [found, added] = group.places.try_emplace(partition.stored.id);
    Place& place = found->second;
    place.partition = &partition;
    if (std::exchange(place.owner, owner) != owner) {
        place.position = place.committed;
        place.paused = false;
    }
    if (added) mark_unsaved(group, place);  // retention waits for this group from now on
    owner->places.push_back(&place);
}

LiveLog::FetchResult LiveLog::take(Member& member, std::size_t max) {
    const std::scoped_lock lock(mutex_);
    member.signalled = false;
    FetchResult given;
    std::size_t bytes = 0;
    const auto is_full = [&] { return given.messages.size() >= max || bytes >= fetch_bytes_max; };
    const std::size_t start = member.turn;
    for (std::size_t i = 0; i < member.places.size() && !is_full(); ++i) {
        Place& place = *member.places[(start + i) % member.places.size()];
        const auto& [stored, recent] = *place.partition;
        place.position = std::max(place.position, stored.first);
        if (place.paused || place.position >= stored.next) continue;
        const std::int64_t oldest = stored.next - static_cast<std::int64_t>(recent.size());
        if (place.position < oldest) {
            member.turn = start + i;  // served now, or first next time
            if (!given.messages.empty()) break;
            member.turn = start + i + 1;
            return {{}, stored, place.position};
        }
        for (; place.position < stored.next && !is_full(); ++place.position) {
            given.messages.push_back(recent[static_cast<std::size_t>(place.position - oldest)]);
            bytes += bytes_of(*given.messages.back());
        }
        member.turn = start + i + 1;
    }
    return given;
}

bool LiveLog::advance(Member& member, std::int64_t partition_id, std::int64_t from,
                      std::int64_t to) {
    const std::scoped_lock lock(mutex_);
    Place& place = member.group.places.at(partition_id);
    if (place.owner != &member || place.position != from) return false;
    place.position = to;
    return true;
}

LiveLog::Place* LiveLog::owned(Member& member, std::string_view topic, std::int32_t partition) {
    const auto found = topics_.find(topic);
    if (found == topics_.end() || partition < 0 ||
        static_cast<std::size_t>(partition) >= found->second.partitions.size()) {
        throw std::logic_error(
            fmt::format("bus: there is no partition {} of topic {}", partition, topic));
    }
    const std::int64_t id =
        found->second.partitions[static_cast<std::size_t>(partition)]->stored.id;
    const auto place = member.group.places.find(id);
    const bool is_mine = place != member.group.places.end() && place->second.owner == &member;
    return is_mine ? &place->second : nullptr;
}

bool LiveLog::commit(Member& member, std::string_view topic, std::int32_t partition,
                     std::int64_t next) {
    const std::scoped_lock lock(mutex_);
    Place* place = owned(member, topic, partition);
    if (place != nullptr && next > place->partition->stored.next) {
        throw std::logic_error(
            fmt::format("bus: commit of {} beyond the end of topic {}", next - 1, topic));
    }
    if (place == nullptr || next > place->position) {
        telemetry::log(telemetry::Level::info, "bus", "commit of a partition that has moved on",
                       {{"group", member.group.name}, {"topic", std::string(topic)}});
        return false;
    }
    if (next > place->committed) {
        place->committed = next;
        mark_unsaved(member.group, *place);
    }
    return true;
}

void LiveLog::mark_unsaved(Group& group, Place& place) {
    if (!std::exchange(place.unsaved, true)) unsaved_.emplace_back(&group, &place);
}

void LiveLog::pause(Member& member, std::string_view topic, std::int32_t partition, bool paused) {
    const std::scoped_lock lock(mutex_);
    Place* place = owned(member, topic, partition);
    if (place != nullptr) place->paused = paused;
}

bool LiveLog::wait(Member& member, Duration max_wait) {
    std::unique_lock lock(mutex_);
    member.arrived.wait_for(lock, max_wait, [&] { return member.signalled || member.woken; });
    return std::exchange(member.woken, false);
}

void LiveLog::wake(Member& member) {
    const std::scoped_lock lock(mutex_);
    member.woken = true;
    member.arrived.notify_one();
}

std::vector<StoredCommit> LiveLog::take_unsaved_commits() {
    const std::scoped_lock lock(mutex_);
    std::vector<StoredCommit> commits;
    for (auto& [group, place] : std::exchange(unsaved_, {})) {
        place->unsaved = false;
        commits.push_back({group->name, place->partition->stored.id, place->committed});
    }
    return commits;
}

void LiveLog::put_back(std::span<const StoredCommit> commits) {
    const std::scoped_lock lock(mutex_);
    for (const StoredCommit& commit : commits) {
        Group& group = groups_.find(commit.group)->second;
        mark_unsaved(group, group.places.at(commit.partition_id));
    }
}

std::int64_t LiveLog::lag_of(const Place& place) {
    const StoredPartition& stored = place.partition->stored;
    return stored.next - std::max(place.committed, stored.first);
}

std::vector<TopicState> LiveLog::state(std::string_view group_name) const {
    const std::scoped_lock lock(mutex_);
    const auto group = groups_.find(group_name);
    std::vector<TopicState> states;
    for (const auto& [name, topic] : topics_) {
        TopicState& state = states.emplace_back(TopicState{name});
        for (const auto& partition : topic.partitions) {
            state.messages += partition->stored.next;
            if (group == groups_.end()) continue;
            const auto place = group->second.places.find(partition->stored.id);
            if (place != group->second.places.end()) state.lag += lag_of(place->second);
        }
    }
    return states;
}

std::map<std::string, std::int64_t> LiveLog::lag_by_group() const {
    const std::scoped_lock lock(mutex_);
    std::map<std::string, std::int64_t> lags;
    for (const auto& [name, group] : groups_) {
        for (const auto& [id, place] : group.places) lags[name] += lag_of(place);
    }
    return lags;
}

std::vector<DropLimit> LiveLog::droppable() const {
    const std::scoped_lock lock(mutex_);
    std::vector<DropLimit> limits;
    for (const auto& [id, partition] : by_id_) {
        std::int64_t below = partition->stored.next - 1;
        for (const auto& [name, group] : groups_) {
            const auto place = group.places.find(id);
            if (place != group.places.end()) below = std::min(below, place->second.committed);
        }
        if (below > partition->stored.first) limits.push_back({id, below});
    }
    return limits;
}

void LiveLog::dropped(std::span<const DropLimit> first) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, oldest] : first) by_id_.at(id)->stored.first = oldest;
}

}  // namespace trackops::bus
