// The two ways to poll; only poll_source.cpp chooses.
#pragma once
#include "platform/outbox/source.hpp"

namespace trackops::outbox {

inline constexpr std::int64_t backlog_counted_max = 100'000;

std::unique_ptr<Source> make_sqlite_poll_source(sql::Database& database);
std::unique_ptr<Source> make_postgres_poll_source(sql::Database& database);

}  // namespace trackops::outbox
