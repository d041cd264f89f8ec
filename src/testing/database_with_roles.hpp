// A fresh PostgreSQL database with the roles of servers/roles.sql. The destructor drops both.
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
    // The URL of the database for the server's superuser.
    const std::string& url() const { return database_->url(); }
    // The URL of the database for the role "owner", "service" or "relay".
    std::string url_as(std::string_view role) const;
    // The role's name in PostgreSQL: DATABASE_owner, DATABASE_service or DATABASE_relay.
    std::string name_of(std::string_view role) const;
    // Runs servers/roles.sql again.
    void make_roles() const;

private:
    std::optional<FreshDatabase> database_{"postgres"};
    std::string name_;
};

}  // namespace trackops::testing
