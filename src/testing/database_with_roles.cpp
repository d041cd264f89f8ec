#include "testing/database_with_roles.hpp"

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace trackops::testing {
namespace {

std::string file_of_roles() {
    const std::ifstream file(TRACKOPS_ROLES_SQL);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void run(const std::string& url, const std::string& script) {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()),
                                                                  &PQfinish);
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), script.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
}

}  // namespace

DatabaseWithRoles::DatabaseWithRoles() : name_(url().substr(url().rfind('/') + 1)) { make_roles(); }

DatabaseWithRoles::~DatabaseWithRoles() {
    database_.reset();  // drops the objects that depend on the roles
    const char* server = std::getenv("TRACKOPS_TEST_POSTGRES");
    if (server == nullptr) return;  // then the constructor has made no database
    try {
        run(server, fmt::format("DROP ROLE IF EXISTS {}, {}, {}", name_of("owner"),
                                name_of("service"), name_of("relay")));
    } catch (const std::exception& error) {
        fmt::print(stderr, "the roles of {} could not be dropped: {}\n", name_, error.what());
    }
}

std::string DatabaseWithRoles::url_as(std::string_view role) const {
    std::string url = database_->url();
    const auto user = url.find("://") + 3;
    return url.replace(user, url.find('@') - user, name_of(role));
}

std::string DatabaseWithRoles::name_of(std::string_view role) const {
    return fmt::format("{}_{}", name_, role);
}

void DatabaseWithRoles::make_roles() const { run(url(), file_of_roles()); }

}  // namespace trackops::testing
