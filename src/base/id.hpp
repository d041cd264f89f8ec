// Typed ids: using OrderId = Id<struct OrderTag>. Ids with different tags neither compare nor
// convert.
#pragma once
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace trackops {

template <class Tag>
struct Id {
    Uuid uuid;

    constexpr Id() = default;
    constexpr explicit Id(Uuid value) : uuid(value) {}
    auto operator<=>(const Id&) const = default;

    // As Uuid::parse().
    static std::optional<Id> parse(std::string_view text) {
        const auto parsed = Uuid::parse(text);
        if (!parsed) return std::nullopt;
        return Id(*parsed);
    }
    std::string text() const { return uuid.text(); }
};

}  // namespace trackops

template <class Tag>
struct std::hash<trackops::Id<Tag>> {
    std::size_t operator()(const trackops::Id<Tag>& id) const noexcept {
        return std::hash<trackops::Uuid>{}(id.uuid);
    }
};
