// The response form of lists: pages with {items, nextCursor} and a Link to the next page.
#pragma once
#include <cstddef>
#include <functional>
#include <string_view>

#include "platform/http/message.hpp"
#include "platform/json/writer.hpp"

namespace trackops::http {

// A page ends with the element that reaches this size, however many were asked for.
inline constexpr std::size_t page_bytes_max = 4 * 1024 * 1024;

// Builds a page element by element.
class PageWriter {
public:
    PageWriter();
    json::Writer& out() { return out_; }  // writes the elements of the array
    std::size_t bytes() const { return response_.body.size(); }
    bool is_full() const { return bytes() >= page_bytes_max; }  // no further element belongs on it
    // Returns how many elements to read next, of `left` that may follow the `count` ones that were
    // written: as many as fill the page if they are as large as those. A page is read in parts,
    // because the elements that do not fit may be hundreds of megabytes.
    std::size_t next_part(std::size_t count, std::size_t left) const;
    // An empty `next_cursor` marks the last page. The Link is the request's own target with that
    // cursor. Call it once, as the last.
    Response finish(const Request& request, std::string_view next_cursor);

private:
    Response response_;
    json::Writer out_;
};

// The same at once, for elements that cannot be large.
Response page_response(const Request& request, std::string_view next_cursor,
                       const std::function<void(json::Writer&)>& write_items);

}  // namespace trackops::http
