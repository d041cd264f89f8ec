// Customers and their addresses as the bodies of answers.
#pragma once
#include <string>
#include <string_view>

#include "order/domain/customer.hpp"

namespace trackops::json {
class Writer;
}

namespace trackops::order::adapters {

void write_customer(json::Writer& out, const domain::Customer& customer);
// Each address names the customer to whom it belongs.
void write_customer_address(json::Writer& out, const domain::CustomerAddress& address,
                            std::string_view customer);

std::string customer_json(const domain::Customer& customer);
std::string customer_address_json(const domain::CustomerAddress& address,
                                  std::string_view customer);

std::string path_of_customer(std::string_view id);
std::string path_of_address(std::string_view customer, domain::AddressId id);

}  // namespace trackops::order::adapters
