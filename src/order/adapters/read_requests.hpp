// The readers of the order API's requests: JSON bodies, queries and headers. An error is
// Errc::malformed for a body that is not JSON, else Errc::invalid, and names every fault at once.
#pragma once
#include <optional>
#include <string_view>

#include "order/app/change_orders.hpp"
#include "order/app/ports.hpp"
#include "platform/http/message.hpp"

namespace trackops::order::adapters {

// Reads the body of POST /api/orders. Checks the sums with domain::total_of() when the form of
// every field is right.
Result<domain::OrderTerms> read_order_terms(std::string_view body);
// One line of POST /api/orders/bulk: the members of an order, and idempotencyKey.
struct OrderLine {
    std::optional<std::string> key;  // as the client wrote it
    domain::OrderTerms terms;
};
// As read_order_terms(). Sets `line.key` as far as it can be read, also when the line is refused.
Result<void> read_order_line(std::string_view text, OrderLine& line);
// Reads the body of POST .../{action}. Only ship and cancel have members. An empty body counts as
// {}.
Result<domain::Command> read_command(domain::Action action, std::string_view body);
// Reads the body of PUT .../status. Errc::illegal_transition for PENDING and CONFIRMED, which no
// client can set.
Result<domain::Command> read_status_change(std::string_view body);

// Reads the body of PATCH /api/orders/{id}, a JSON merge patch (RFC 7396) of the members that a
// client may change. Errc::invalid names each fault that no order could have. The returned command
// reads the merged members when it knows the order, by the rules of POST /api/orders.
Result<app::ChangeDetails> read_details_patch(std::string_view body);

struct ListRequest {
    app::OrderFilter filter;
    bool is_by_update = false;  // the oldest change first, behind `after_update`
    std::optional<domain::OrderId> after;
    std::optional<app::UpdatedCursor> after_update;
    bool is_summary = false;
    std::size_t limit = 50;
};
// The cursor of a list by update, as parse_updated_cursor() takes it.
std::string text_of(const app::UpdatedCursor& cursor);
std::optional<app::UpdatedCursor> parse_updated_cursor(std::string_view text);
// A list with `updatedFrom` or `sort=updatedAt` is one by update.
Result<ListRequest> read_list_request(const http::Request& request);

struct SagaListRequest {
    app::SagaFilter filter;
    std::optional<domain::SagaId> after;
    std::size_t limit = 50;
};
Result<SagaListRequest> read_saga_list_request(const http::Request& request);

// Returns how long the response may wait until the order is no longer PENDING, from the query
// wait=confirmed&timeout=N or the header Prefer: wait=N (RFC 7240); N in seconds. At most 5
// seconds, which is also the default. Nothing when the request does not ask for a wait.
Result<std::optional<Duration>> read_wait(const http::Request& request);

}  // namespace trackops::order::adapters
