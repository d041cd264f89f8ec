// The readers of the customer API's requests. An error is Errc::malformed for a body that is not
// JSON, else Errc::invalid, and names every fault at once.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "order/app/customer_ports.hpp"
#include "platform/http/message.hpp"

namespace trackops::order::adapters {

struct NewCustomer {
    std::optional<std::string> id;
    domain::CreateCustomer command;
};
// Reads the body of POST /api/customers. An empty body counts as {}.
Result<NewCustomer> read_new_customer(std::string_view body);
// Reads the body of PATCH /api/customers/{id}, without its condition.
Result<domain::ChangeCustomer> read_customer_patch(std::string_view body);
// Reads the body of POST .../addresses, without the id of the address.
Result<domain::AddAddress> read_new_address(std::string_view body);
// Reads the body of PATCH .../addresses/{addressId}, without id and condition.
Result<domain::ChangeAddress> read_address_change(std::string_view body);

// Reads the body of POST .../erase: whether it is a dry run. An empty body counts as {}.
Result<bool> read_erase_request(std::string_view body);

struct ExportRequest {
    std::optional<domain::OrderId> after;
    std::size_t limit = 50;  // orders
};
Result<ExportRequest> read_export_request(const http::Request& request);

struct CustomerListRequest {
    app::CustomerFilter filter;
    std::optional<std::string> after;
    std::size_t limit = 50;
};
Result<CustomerListRequest> read_customer_list_request(const http::Request& request);

}  // namespace trackops::order::adapters
