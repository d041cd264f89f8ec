// Fuzzes request targets, the parameters of lists with their cursors, and the link to the next
// page.
#include "fuzz/refusal.hpp"
#include "inventory/adapters/read_requests.hpp"
#include "order/adapters/read_requests.hpp"
#include "platform/http/page.hpp"
#include "platform/http/target.hpp"

namespace trackops::fuzz {
namespace {

template <class List>
void check_list(const Result<List>& list) {
    if (is_taken(list)) promise(list->limit >= 1 && list->limit <= 500, "a page has a limit");
}

// The link to the next page repeats the query with another cursor.
void check_page(const http::Request& request, std::string_view cursor) {
    const http::Response page = http::page_response(request, cursor, [](json::Writer&) {});
    promise(json::Document::parse(page.body).has_value(), "a page is JSON");
    promise(page.headers.size() == 1, "a page that is not the last has a link");
    const std::string_view link = page.headers[0].second;
    const std::size_t end = link.find('>');
    promise(link.starts_with('<') && end != std::string_view::npos, "a link is a URI reference");
    const auto target = http::parse_target(link.substr(1, end - 1));
    promise(target.has_value(), "a link can be followed");
    auto expected = request.query;
    std::erase_if(expected, [](const auto& pair) { return pair.first == "cursor"; });
    expected.emplace_back("cursor", cursor);
    promise(target->query == expected, "a link asks for the same list");
    promise(target->path == "/api/items/" + request.params[0].second + "/movements",
            "a link is of the same path");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    const auto target = http::parse_target(fuzz::text_of(data, size));
    if (!fuzz::is_taken(target)) return 0;
    const auto again = http::parse_target(http::percent_encoded_path(target->path));
    // A path may end with an encoded slash, which is part of it, unlike one that is not encoded.
    promise(again && (again->path == target->path || target->path.ends_with('/')),
            "a path is encoded as it was decoded");
    http::Request request{.path = target->path,
                          .route = "/api/items/{sku}/movements",
                          .params = {{"sku", target->path}},
                          .query = target->query};
    fuzz::check_refusal({Errc::not_found, target->path, {{target->path, target->path}}});
    fuzz::check_page(request, target->path);
    fuzz::check_list(order::adapters::read_list_request(request));
    fuzz::check_list(order::adapters::read_saga_list_request(request));
    fuzz::check_list(inventory::adapters::read_item_list(request));
    fuzz::check_list(inventory::adapters::read_reservation_list(request));
    fuzz::check_list(inventory::adapters::read_movement_list(request));
    if (const auto skus = inventory::adapters::read_availability(request); fuzz::is_taken(skus))
        promise(!skus->empty() && skus->size() <= inventory::adapters::availability_skus_max,
                "some SKUs are asked for");
    return 0;
}
