// Keeps programs linking until the PostgreSQL driver is in.
#include <stdexcept>

#include "platform/sql/drivers.hpp"

namespace trackops::sql {
std::unique_ptr<Database> open_postgres(std::string_view, const Options&, telemetry::Registry&) {
    throw std::invalid_argument("the PostgreSQL driver is not built in yet");
}
}  // namespace trackops::sql
