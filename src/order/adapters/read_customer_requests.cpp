#include "order/adapters/read_customer_requests.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "order/adapters/read_address.hpp"
#include "order/adapters/read_metadata.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/json/object_reader.hpp"

namespace trackops::order::adapters {
namespace {

using json::ObjectReader;

constexpr std::size_t name_characters_max = 200;
constexpr std::size_t email_characters_max = 254;  // of a path in SMTP (RFC 5321, section 4.5.3.1)

// Whether the text can be an address of e-mail: a part before and a part behind the last '@', and
// no blank. Only a message that arrives proves more.
bool is_email(std::string_view text) {
    const std::size_t at = text.rfind('@');
    return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
           text.find(' ') == std::string_view::npos;
}

// As the customerId of an order.
constexpr json::TextRule id_rule{.max_characters = domain::customer_id_characters_max,
                                 .form = json::TextForm::line};
constexpr json::TextRule customer_name_rule{.max_characters = name_characters_max,
                                            .form = json::TextForm::line};
constexpr json::TextRule customer_phone_rule{.max_characters = 40, .form = json::TextForm::line};
constexpr json::TextRule label_rule{.max_characters = 100, .form = json::TextForm::line};
constexpr json::TextRule email_rule{
    .max_characters = email_characters_max,
    .form = json::TextForm::line,
    .is_valid = is_email,
    .expected = "must be an address of e-mail, such as ada@example.com"};

domain::TextPatch text_patch_of(ObjectReader& in, std::string_view name,
                                const json::TextRule& rule) {
    auto value = in.maybe_text(name, rule);
    if (value || in.is_given_as_nothing(name)) return std::optional(std::move(value));
    return std::nullopt;
}

bool read_truth(ObjectReader& in, std::string_view name) {
    const auto value = in.any(name);
    if (!value || value->is_null()) return false;
    const auto truth = value->boolean();
    if (!truth) in.fault(name, "must be true or false", "type");
    return truth.value_or(false);
}

// A customer with addresses always has a default one, so an address can only be made the default,
// not cease to be it.
bool read_is_default(ObjectReader& in) { return read_truth(in, "isDefault"); }

}  // namespace

Result<NewCustomer> read_new_customer(std::string_view body) {
    return json::read_object(body.empty() ? "{}" : body, [](ObjectReader& in) {
        NewCustomer customer;
        customer.id = in.maybe_text("id", id_rule);
        domain::CustomerDetails& details = customer.command.details;
        details.name = in.maybe_text("name", customer_name_rule);
        details.email = in.maybe_text("email", email_rule);
        details.phone = in.maybe_text("phone", customer_phone_rule);
        details.metadata = read_metadata(in);
        return customer;
    });
}

Result<domain::ChangeCustomer> read_customer_patch(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        domain::ChangeCustomer command;
        command.patch.name = text_patch_of(in, "name", customer_name_rule);
        command.patch.email = text_patch_of(in, "email", email_rule);
        command.patch.phone = text_patch_of(in, "phone", customer_phone_rule);
        const auto given = in.any("metadata");
        auto metadata = read_metadata(in);
        if (given && (metadata || given->is_null()))
            command.patch.metadata = std::optional(std::move(metadata));
        return command;
    });
}

Result<domain::AddAddress> read_new_address(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        domain::AddAddress command;
        command.label = in.maybe_text("label", label_rule);
        command.address = read_address(in);
        command.makes_default = read_is_default(in);
        return command;
    });
}

Result<domain::ChangeAddress> read_address_change(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        domain::ChangeAddress command;
        command.patch = read_address_patch(in);
        command.patch.label = text_patch_of(in, "label", label_rule);
        command.patch.makes_default = read_is_default(in);
        return command;
    });
}

Result<bool> read_erase_request(std::string_view body) {
    return json::read_object(body.empty() ? "{}" : body,
                             [](ObjectReader& in) { return read_truth(in, "dryRun"); });
}

Result<ExportRequest> read_export_request(const http::Request& request) {
    http::QueryReader in(request, {"limit", "cursor"});
    ExportRequest wanted;
    wanted.after = in.cursor(domain::OrderId::parse);
    wanted.limit = in.limit();
    return in.finish(wanted);
}

Result<CustomerListRequest> read_customer_list_request(const http::Request& request) {
    http::QueryReader in(request, {"email", "name", "limit", "cursor"});
    CustomerListRequest list;
    list.filter.email = in.text("email", email_characters_max);
    list.filter.name = in.text("name", name_characters_max);
    list.after = in.cursor([](std::string_view text) {
        return domain::is_customer_id(text) ? std::optional(std::string(text)) : std::nullopt;
    });
    list.limit = in.limit();
    return in.finish(std::move(list));
}

}  // namespace trackops::order::adapters
