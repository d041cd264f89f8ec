#include "order/adapters/read_requests.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/reason.hpp"
#include "base/sku.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::order::adapters {
namespace {

using json::ObjectReader;
using json::Value;

constexpr std::size_t metadata_bytes_max = 16 * 1024;
constexpr Duration wait_max = std::chrono::seconds(5);
constexpr std::string_view must_be_uuid = "must be a UUID";
constexpr std::string_view must_be_time = "must be an RFC 3339 time";

// Whether a client may give the text as a reason. Only the system gives out_of_stock and timed_out.
bool is_clients_reason(std::string_view text) {
    return is_reason(text) && text != domain::out_of_stock && text != domain::timed_out;
}

domain::Address read_address(ObjectReader& in) {
    domain::Address address;
    address.recipient = in.maybe_text("recipient", {.max_bytes = 200});
    address.line1 = in.text("line1", {.max_bytes = 200});
    address.line2 = in.maybe_text("line2", {.max_bytes = 200});
    address.city = in.text("city", {.max_bytes = 100});
    address.region = in.maybe_text("region", {.max_bytes = 100});
    address.postal_code = in.text("postalCode", {.max_bytes = 20});
    address.country = in.text(
        "country",
        {.max_bytes = 8, .is_valid = is_country, .expected = "must be an ISO 3166-1 alpha-2 code"});
    address.phone = in.maybe_text("phone", {.max_bytes = 40});
    in.finish();
    return address;
}

domain::Line read_line(ObjectReader& in) {
    domain::Line line;
    line.sku = in.text(
        "sku", {.max_bytes = max_sku_bytes,
                .is_valid = is_sku,
                .expected = "must start with a letter or digit and hold only those and ' ._/:-'"});
    line.quantity = in.integer("quantity", {.min = 1, .max = domain::max_quantity});
    line.unit_amount_minor = in.integer("unitAmount", {.min = 0, .max = max_amount_minor});
    line.name = in.maybe_text("name", {.max_bytes = 200});
    in.finish();
    return line;
}

// The nested reader adds its faults to the list of `in`, with pointers below /shippingAddress.
void read_shipping_address(ObjectReader& in, domain::OrderTerms& terms) {
    const auto value = in.object("shippingAddress", true);
    if (!value || !in.has("shippingAddress")) return;
    ObjectReader fields = in.nested(value, in.pointer_to("shippingAddress"));
    terms.shipping_address = read_address(fields);
}

bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Whether a text or a member name contains U+0000, at any depth. The parser bounds the depth.
bool holds_nul(Value value) {
    bool found = holds_nul(value.text().value_or(""));
    value.each_member([&found](std::string_view name, Value member) {
        found = found || holds_nul(name) || holds_nul(member);
    });
    value.each_element(
        [&found](std::size_t, Value element) { found = found || holds_nul(element); });
    return found;
}

void read_metadata(ObjectReader& in, domain::OrderTerms& terms) {
    const auto value = in.object("metadata", false);
    if (!value || !in.has("metadata")) return;
    terms.metadata = value->minified();
    if (terms.metadata->size() > metadata_bytes_max) {
        in.fault("metadata", fmt::format("must not be longer than {} bytes", metadata_bytes_max),
                 "length");
    } else if (holds_nul(*value)) {  // jsonb in PostgreSQL cannot store it
        in.fault("metadata", "must not contain U+0000", "format");
    }
}

// Reads the members of an order.
domain::OrderTerms read_terms(ObjectReader& in) {
    domain::OrderTerms terms;
    terms.customer = domain::CustomerId(in.uuid("customerId"));
    terms.currency =
        in.text("currency",
                {.max_bytes = 8, .is_valid = is_currency, .expected = "must be an ISO 4217 code"});
    terms.shipping_amount_minor =
        in.maybe_integer("shippingAmount", {.min = 0, .max = max_amount_minor});
    terms.total_amount_minor = in.maybe_integer("totalAmount", {.min = 0, .max = max_amount_minor});
    in.array("items", true, 1, domain::max_lines, [&](Value value, const std::string& pointer) {
        ObjectReader line = in.nested(value, pointer);
        terms.items.push_back(read_line(line));
    });
    read_shipping_address(in, terms);
    terms.delivery_instructions = in.maybe_text("deliveryInstructions", {.max_bytes = 1000});
    terms.external_ref = in.maybe_text("externalRef", {.max_bytes = 100});
    read_metadata(in, terms);
    return terms;
}

std::optional<domain::Shipment> read_shipment(ObjectReader& in) {
    domain::Shipment shipment{in.maybe_text("carrier", {.max_bytes = 100}),
                              in.maybe_text("trackingNumber", {.max_bytes = 100})};
    if (!shipment.carrier && !shipment.tracking_number) return std::nullopt;
    return shipment;
}

std::string read_reason(ObjectReader& in) {
    return in
        .maybe_text("reason",
                    {.max_bytes = 64,
                     .is_valid = is_clients_reason,
                     .expected = "must be capitals, digits and '_', and not a reason of ours"})
        .value_or("");
}

// An empty body counts as {}.
std::string_view object_or_empty(std::string_view body) { return body.empty() ? "{}" : body; }

std::optional<Instant> instant(std::string_view text) { return Instant::parse(text); }

template <class Enum>
std::optional<Enum> named(std::span<const std::string_view> names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

Result<domain::OrderTerms> read_order_terms(std::string_view body) {
    domain::OrderTerms terms = TRY(json::read_object(object_or_empty(body), read_terms));
    // The sums are checked only when the form of every field is right.
    (void)TRY(domain::total_of(terms));
    return terms;
}

Result<void> read_order_line(std::string_view text, OrderLine& line) {
    line.terms = TRY(json::read_object(text, [&line](ObjectReader& in) {
        line.key = in.maybe_text("idempotencyKey", {.max_bytes = http::idempotency_key_bytes_max});
        return read_terms(in);
    }));
    (void)TRY(domain::total_of(line.terms));
    return {};
}

Result<domain::Command> read_command(domain::Action action, std::string_view body) {
    return json::read_object(object_or_empty(body), [action](ObjectReader& in) {
        domain::Command command{action, "", {}};
        if (action == domain::Action::ship) command.shipment = read_shipment(in);
        if (action == domain::Action::cancel) command.reason = read_reason(in);
        return command;
    });
}

Result<domain::Command> read_status_change(std::string_view body) {
    std::optional<domain::Status> status;
    domain::Command command =
        TRY(json::read_object(object_or_empty(body), [&status](ObjectReader& in) {
            const std::string name = in.text("status", {});
            status = domain::status_named(name);
            if (!status && in.has("status"))
                in.fault("status", "must be a status of an order", "format");
            domain::Command made;
            made.shipment = status == domain::Status::shipped ? read_shipment(in) : std::nullopt;
            made.reason = status == domain::Status::cancelled ? read_reason(in) : "";
            return made;
        }));
    const auto action = action_to(*status);
    if (!action || *action == domain::Action::confirm) {
        return fail(Errc::illegal_transition,
                    fmt::format("no client can make an order {}", name_of(*status)));
    }
    command.action = *action;
    return command;
}

Result<ListRequest> read_list_request(const http::Request& request) {
    http::QueryReader in(request, {"status", "customerId", "externalRef", "createdFrom",
                                   "createdTo", "limit", "cursor"});
    ListRequest list;
    list.filter.status = in.value("status", "must be a status of an order", domain::status_named);
    list.filter.customer = in.value("customerId", must_be_uuid, domain::CustomerId::parse);
    if (const auto reference = request.query_value("externalRef"))
        list.filter.external_ref = std::string(*reference);
    list.filter.created_from = in.value("createdFrom", must_be_time, instant);
    list.filter.created_to = in.value("createdTo", must_be_time, instant);
    list.after = in.value("cursor", must_be_uuid, domain::OrderId::parse);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<SagaListRequest> read_saga_list_request(const http::Request& request) {
    http::QueryReader in(request, {"status", "type", "orderId", "limit", "cursor"});
    SagaListRequest list;
    list.filter.status =
        in.value("status", "must be a status of a saga", [](std::string_view text) {
            return named<domain::SagaStatus>(domain::saga_status_names, text);
        });
    list.filter.type = in.value("type", "must be a type of saga", [](std::string_view text) {
        return named<domain::SagaType>(domain::saga_type_names, text);
    });
    list.filter.order = in.value("orderId", must_be_uuid, domain::OrderId::parse);
    list.after = in.value("cursor", must_be_uuid, domain::SagaId::parse);
    list.limit = in.limit();
    return in.finish(list);
}

Result<std::optional<Duration>> read_wait(const http::Request& request) {
    TRY(http::check_query(request, {"wait"}));
    std::optional<Duration> wait;
    if (const auto value = request.query_value("wait")) {
        if (*value != "confirmed")
            return fail(Errc::invalid, "the query is not valid",
                        {{"wait", "must be 'confirmed'", "format"}});
        wait = wait_max;
    }
    // A preference that is not understood is ignored (RFC 7240).
    const auto prefer = request.header("prefer");
    if (prefer && prefer->starts_with("wait=")) {
        int seconds = 0;
        const std::string_view number = prefer->substr(5);
        const auto [end, failure] =
            std::from_chars(number.data(), number.data() + number.size(), seconds);
        if (failure == std::errc() && seconds > 0)
            wait = std::min<Duration>(std::chrono::seconds(seconds), wait_max);
    }
    return wait;
}

}  // namespace trackops::order::adapters
