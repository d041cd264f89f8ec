// The server that a postgres:// URL names, and the settings of each connection to it.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "platform/sql/database.hpp"

namespace trackops::sql::postgres {

struct Target {
    // libpq's connection parameters, without secrets
    std::vector<std::pair<std::string, std::string>> settings;
    std::vector<std::pair<std::string, Secret>> secrets;  // those that carry one: password
    std::string database;
    std::string description;  // hosts, ports and database: no user
};

// Accepts postgres://, postgresql:// and jdbc:postgresql://, with several hosts, and with user and
// password before the host or as parameters. Throws std::invalid_argument if the URL cannot be
// parsed. The message never quotes a password.
Target parse_target(std::string_view url, const Options& options);

// The arguments of PQconnectStartParams: names and values without the null at their ends.
struct ConnectionParameters {
    std::vector<const char*> names;
    std::vector<const char*> values;
    // A later value of a name replaces an earlier one.
    void add(const char* name, const char* value);
};

// The pointers are valid as long as `target`.
ConnectionParameters connection_parameters(const Target& target);

}  // namespace trackops::sql::postgres
