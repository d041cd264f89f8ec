// Requests of the order API from JSON and query text; every fault named at once.
#pragma once
#include <optional>
#include <string_view>

#include "order/app/ports.hpp"
#include "platform/http/message.hpp"

namespace trackops::order::adapters {

Result<domain::OrderTerms> read_order_terms(std::string_view body);
// The body of ship, cancel and of PUT status; the other actions take none. An empty body counts as
// {}.
Result<domain::Command> read_command(domain::Action action, std::string_view body);
Result<domain::Command> read_status_change(std::string_view body);

struct ListRequest {
    app::OrderFilter filter;
    std::optional<domain::OrderId> after;
    std::size_t limit = 50;
};
Result<ListRequest> read_list_request(const http::Request& request);

struct SagaListRequest {
    app::SagaFilter filter;
    std::optional<domain::SagaId> after;
    std::size_t limit = 50;
};
Result<SagaListRequest> read_saga_list_request(const http::Request& request);

// How long the answer may wait for the order to leave PENDING: ?wait=confirmed, Prefer: wait=N.
// Nothing: not at all. At most 5 s.
Result<std::optional<Duration>> read_wait(const http::Request& request);
// The version that If-Match names; nothing without the header or for "*". Errc::precondition_failed
// for what names none of ours.
Result<std::optional<std::int64_t>> read_if_match(const http::Request& request);

}  // namespace trackops::order::adapters
