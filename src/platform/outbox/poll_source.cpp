#include "platform/outbox/poll_sources.hpp"

namespace trackops::outbox {

std::unique_ptr<Source> make_poll_source(sql::Database& database) {
    return database.dialect() == sql::Dialect::postgres ? make_postgres_poll_source(database)
                                                        : make_sqlite_poll_source(database);
}

}  // namespace trackops::outbox
