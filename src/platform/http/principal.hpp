// The caller of a request: its name and its scopes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace trackops::http {

// The right that a route asks for. The table in principal.cpp has the text of each.
enum class Scope : std::uint8_t {
    everybody,      // no right: callers without credentials have it, too
    authenticated,  // no right, but credentials: every caller that is known has it
    orders_read,
    orders_write,
    orders_own,  // the orders of Principal::customer_id, and no others
    inventory_read,
    inventory_write,
    relay_read,
    operate,
    audit_read,
    metrics_read,
    admin,
};
inline constexpr std::size_t scope_count = static_cast<std::size_t>(Scope::admin) + 1;

std::string_view name_of(Scope scope);  // e.g. orders:read
// Returns the scope with this name. Scope::everybody and Scope::authenticated have none: nobody
// needs to be given them.
std::optional<Scope> scope_named(std::string_view name);

// A set of scopes. Every set contains Scope::everybody.
class Scopes {
public:
    constexpr Scopes(std::initializer_list<Scope> scopes) {
        for (const Scope scope : scopes) bits_ = static_cast<std::uint16_t>(bits_ | bit(scope));
    }
    static constexpr Scopes all() {
        Scopes scopes{};
        scopes.bits_ = static_cast<std::uint16_t>((1U << scope_count) - 1);
        return scopes;
    }
    constexpr bool contains(Scope scope) const { return (bits_ & bit(scope)) != 0; }
    constexpr bool contains(Scopes others) const { return (bits_ & others.bits_) == others.bits_; }
    constexpr void add(Scopes others) { bits_ = static_cast<std::uint16_t>(bits_ | others.bits_); }
    bool operator==(const Scopes&) const = default;

private:
    static_assert(scope_count <= 16);
    static constexpr std::uint16_t bit(Scope scope) {
        return static_cast<std::uint16_t>(1U << static_cast<unsigned>(scope));
    }
    std::uint16_t bits_ = bit(Scope::everybody);
};

struct Principal {
    std::string name;  // the actor that history and events record
    Scopes scopes{};
    bool is_authenticated = true;  // false: a refusal asks for credentials
    // Why the credentials of this caller were not accepted; the caller sees it. Empty: there was
    // nothing to refuse. Holds no quotation mark.
    std::string_view fault = {};
    // The kind of that fault; Errc::unavailable: the credentials could not be checked.
    Errc fault_code = Errc::unauthorized;
    // The customer whose orders are all that this caller sees and makes; "": it is not confined.
    std::string customer_id = {};
    std::string session = {};  // the handle of an operator's session; "": the caller has none
};

// The caller on this machine, who has every scope. In a service that has no access file every
// request that passes the edge is a request of `local`.
const std::shared_ptr<const Principal>& local_principal();
// A caller without credentials. Its only scope is Scope::everybody.
const std::shared_ptr<const Principal>& nobody();

}  // namespace trackops::http
