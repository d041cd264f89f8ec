#include "order/adapters/customer_json.hpp"

#include "order/adapters/order_json.hpp"
#include "platform/http/target.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

void write_given(json::Writer& out, std::string_view name,
                 const std::optional<std::string>& value) {
    if (value) out.member(name, *value);
}

}  // namespace

void write_customer(json::Writer& out, const domain::Customer& customer) {
    out.begin_object().member("id", customer.id);
    write_given(out, "name", customer.details.name);
    write_given(out, "email", customer.details.email);
    write_given(out, "phone", customer.details.phone);
    if (customer.details.metadata) out.name("metadata").raw(*customer.details.metadata);
    out.member("version", customer.version)
        .member("createdAt", customer.created_at)
        .member("updatedAt", customer.updated_at)
        .end_object();
}

void write_customer_address(json::Writer& out, const domain::CustomerAddress& address,
                            std::string_view customer) {
    out.begin_object().member("id", address.id.uuid).member("customerId", customer);
    write_given(out, "label", address.label);
    write_address_members(out, address.address);
    out.member("isDefault", address.is_default)
        .member("version", address.version)
        .member("createdAt", address.created_at)
        .member("updatedAt", address.updated_at)
        .end_object();
}

std::string customer_json(const domain::Customer& customer) {
    std::string text;
    json::Writer out(text);
    write_customer(out, customer);
    return text;
}

std::string customer_address_json(const domain::CustomerAddress& address,
                                  std::string_view customer) {
    std::string text;
    json::Writer out(text);
    write_customer_address(out, address, customer);
    return text;
}

std::string path_of_customer(std::string_view id) {
    return "/api/customers/" + http::percent_encoded_segment(id);
}

std::string path_of_address(std::string_view customer, domain::AddressId id) {
    return path_of_customer(customer) + "/addresses/" + id.text();
}

}  // namespace trackops::order::adapters
