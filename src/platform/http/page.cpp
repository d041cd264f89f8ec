#include "platform/http/page.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "platform/http/target.hpp"

namespace trackops::http {
namespace {

constexpr std::size_t first_part_max = 50;  // elements

// Rebuilds the request's path from the route. Each parameter is encoded as one segment, whatever it
// contains.
std::string path_of(const Request& request) {
    std::string path;
    std::string_view rest = request.route;
    for (std::size_t brace = rest.find('{'); brace != std::string_view::npos;
         brace = rest.find('{')) {
        const std::size_t end = rest.find('}');
        path += rest.substr(0, brace);
        path += percent_encoded_segment(request.param(rest.substr(brace + 1, end - brace - 1)));
        rest.remove_prefix(end + 1);
    }
    return path + std::string(rest);
}

}  // namespace

std::size_t PageWriter::next_part(std::size_t count, std::size_t left) const {
    if (is_full() || left == 0) return 0;
    if (count == 0) return std::min(left, first_part_max);
    const std::size_t bytes_each = std::max<std::size_t>(bytes() / count, 1);
    return std::min((page_bytes_max - bytes()) / bytes_each + 1, left);
}

PageWriter::PageWriter() : out_(response_.body) { out_.begin_object().name("items").begin_array(); }

Response page_response(const Request& request, std::string_view next_cursor,
                       const std::function<void(json::Writer&)>& write_items) {
    PageWriter page;
    write_items(page.out());
    return page.finish(request, next_cursor);
}

Response PageWriter::finish(const Request& request, std::string_view next_cursor) {
    out_.end_array().name("nextCursor");
    if (next_cursor.empty()) {
        out_.null().end_object();
        return std::move(response_);
    }
    out_.value(next_cursor).end_object();
    std::string target = path_of(request) + '?';
    for (const auto& [name, value] : request.query) {
        if (name != "cursor")
            target += fmt::format("{}={}&", percent_encoded_segment(name),
                                  percent_encoded_segment(value));
    }
    response_.headers.emplace_back("Link", fmt::format("<{}cursor={}>; rel=\"next\"", target,
                                                       percent_encoded_segment(next_cursor)));
    return std::move(response_);
}

}  // namespace trackops::http
