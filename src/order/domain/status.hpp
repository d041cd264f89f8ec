// The statuses of an order and the table of its transitions. A pair of status and action that is
// not in the table is illegal.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trackops::order::domain {

enum class Status : std::uint8_t { pending, confirmed, processing, shipped, delivered, cancelled };
enum class Action : std::uint8_t { confirm, process, ship, deliver, cancel };

inline constexpr auto statuses =
    std::to_array({Status::pending, Status::confirmed, Status::processing, Status::shipped,
                   Status::delivered, Status::cancelled});
inline constexpr auto actions = std::to_array(
    {Action::confirm, Action::process, Action::ship, Action::deliver, Action::cancel});

struct Transition {
    Status from;
    Action action;
    Status to;
};
inline constexpr auto transitions = std::to_array<Transition>({
    {Status::pending, Action::confirm, Status::confirmed},
    {Status::pending, Action::cancel, Status::cancelled},
    {Status::confirmed, Action::process, Status::processing},
    {Status::confirmed, Action::cancel, Status::cancelled},
    {Status::processing, Action::ship, Status::shipped},
    {Status::processing, Action::cancel, Status::cancelled},
    {Status::shipped, Action::deliver, Status::delivered},
});

// Returns the status after the action; nothing when the action is illegal in that status.
constexpr std::optional<Status> next(Status from, Action action) {
    for (const Transition& row : transitions) {
        if (row.from == from && row.action == action) return row.to;
    }
    return std::nullopt;
}

// Whether no action leads out of the status.
constexpr bool is_final(Status status) {
    return std::ranges::none_of(transitions,
                                [status](const Transition& row) { return row.from == status; });
}
static_assert(is_final(Status::delivered) && is_final(Status::cancelled));
static_assert(std::ranges::count_if(statuses, is_final) == 2);

// The names of the API, the events and the database, in the order of the enumerators.
inline constexpr auto status_names = std::to_array<std::string_view>(
    {"PENDING", "CONFIRMED", "PROCESSING", "SHIPPED", "DELIVERED", "CANCELLED"});
static_assert(status_names.size() == statuses.size());
inline constexpr auto action_names =
    std::to_array<std::string_view>({"confirm", "process", "ship", "deliver", "cancel"});
static_assert(action_names.size() == actions.size());

constexpr std::string_view name_of(Status status) {
    return status_names[static_cast<std::size_t>(status)];
}
constexpr std::string_view name_of(Action action) {
    return action_names[static_cast<std::size_t>(action)];
}

// Returns the status with the name; nothing when there is none. Case-sensitive.
constexpr std::optional<Status> status_named(std::string_view name) {
    const auto* const found = std::ranges::find(status_names, name);
    if (found == status_names.end()) return std::nullopt;
    return statuses[static_cast<std::size_t>(found - status_names.begin())];
}

// Returns the action that leads to the status, from any other one; nothing for PENDING.
constexpr std::optional<Action> action_to(Status to) {
    for (const Transition& row : transitions) {
        if (row.to == to) return row.action;
    }
    return std::nullopt;
}

}  // namespace trackops::order::domain
