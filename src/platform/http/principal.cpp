#include "platform/http/principal.hpp"

#include <algorithm>
#include <array>

namespace trackops::http {
namespace {

constexpr auto scope_names = std::to_array<std::string_view>(
    {"everybody", "authenticated", "orders:read", "orders:write", "orders:own", "inventory:read",
     "inventory:write", "relay:read", "operate", "audit:read", "metrics:read", "admin"});
static_assert(scope_names.size() == scope_count);

}  // namespace

std::string_view name_of(Scope scope) { return scope_names.at(static_cast<std::size_t>(scope)); }

std::optional<Scope> scope_named(std::string_view name) {
    const auto* const found = std::find(scope_names.begin() + 2, scope_names.end(), name);
    if (found == scope_names.end()) return std::nullopt;
    return static_cast<Scope>(found - scope_names.begin());
}

const std::shared_ptr<const Principal>& local_principal() {
    static const auto local =
        std::make_shared<const Principal>(Principal{.name = "local", .scopes = Scopes::all()});
    return local;
}

const std::shared_ptr<const Principal>& nobody() {
    static const auto nobody =
        std::make_shared<const Principal>(Principal{.name = "nobody", .is_authenticated = false});
    return nobody;
}

}  // namespace trackops::http
