#include "testing/query_column.hpp"

#include "platform/sql/database.hpp"

namespace trackops::testing {

std::vector<std::string> query_column(sql::Database& database, std::string_view text) {
    const auto tx = database.begin(sql::Access::read);
    const sql::Statement& found = tx->add({text, text}, {});
    tx->flush();
    std::vector<std::string> column;
    column.reserve(found.rows().size());
    for (const sql::Row& row : found.rows()) column.push_back(row.text(0));
    return column;
}

}  // namespace trackops::testing
