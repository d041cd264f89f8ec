// Lists leave in pages: {items, nextCursor} and a Link to the next one.
#pragma once
#include <functional>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::json {
class Writer;
}

namespace trackops::http {

// write_items puts the elements; next_cursor "" says that this is the last page. The Link is the
// request's own target with that cursor.
Response page_response(const Request& request, std::string_view next_cursor,
                       const std::function<void(json::Writer&)>& write_items);

}  // namespace trackops::http
