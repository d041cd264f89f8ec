// A fresh PostgreSQL database with the roles of servers/roles.sql, gone with the object.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "testing/databases.hpp"

namespace trackops::testing {

class DatabaseWithRoles {
public:
    DatabaseWithRoles();
    ~DatabaseWithRoles();
    DatabaseWithRoles(const DatabaseWithRoles&) = delete;
    DatabaseWithRoles& operator=(const DatabaseWithRoles&) = delete;
    // The server's superuser.
    const std::string& url() const { return database_->url(); }
    // role: "owner", "service" or "relay".
    std::string url_as(std::string_view role) const;
    // DATABASE_owner and so on.
    std::string name_of(std::string_view role) const;
    // Runs servers/roles.sql, once more.
    void make_roles() const;

private:
    std::optional<FreshDatabase> database_{"postgres"};
    std::string name_;
};

}  // namespace trackops::testing
