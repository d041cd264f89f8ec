#include "platform/relay/poll_source.hpp"

#include "platform/relay/poll_source_postgres.hpp"
#include "platform/relay/poll_source_sqlite.hpp"

namespace trackops::relay {

std::unique_ptr<Source> make_poll_source(sql::Database& database) {
    if (database.dialect() == sql::Dialect::postgres) return make_postgres_poll_source(database);
    return make_sqlite_poll_source(database);
}

}  // namespace trackops::relay
