// The response form of lists: pages with {items, nextCursor} and a Link to the next page.
#pragma once
#include <functional>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::json {
class Writer;
}

namespace trackops::http {

// `write_items` writes the elements of the array. An empty `next_cursor` marks the last page. The
// Link is the request's own target with that cursor.
Response page_response(const Request& request, std::string_view next_cursor,
                       const std::function<void(json::Writer&)>& write_items);

}  // namespace trackops::http
