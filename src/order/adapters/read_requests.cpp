#include "order/adapters/read_requests.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/lenient_instant.hpp"
#include "base/reason.hpp"
#include "base/sku.hpp"
#include "base/text.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/read_address.hpp"
#include "order/adapters/read_metadata.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/json/merge_patch.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::order::adapters {
namespace {

using json::ObjectReader;
using json::Value;

constexpr Duration wait_max = std::chrono::seconds(5);
constexpr std::int64_t prefer_seconds_max = 1'000;  // a longer wait means the same
constexpr std::size_t external_ref_characters_max = 100;

// Whether a client may give the text as a reason. Only the system gives the others.
bool is_clients_reason(std::string_view text) {
    return is_reason(text) && text != domain::out_of_stock && text != domain::unknown_sku &&
           text != domain::timed_out;
}

// One of two words of a query; true for `yes`.
auto either(std::string_view no, std::string_view yes) {
    return [no, yes](std::string_view text) {
        return text == yes ? std::optional(true) : text == no ? std::optional(false) : std::nullopt;
    };
}

constexpr json::TextRule line_of(std::size_t max_characters) {
    return {.max_characters = max_characters, .form = json::TextForm::line};
}
constexpr json::IntegerRule amount_rule{
    .min = 0,
    .max = max_amount_minor,
    .explanation = " in the smallest unit of the currency, such as 1999 for 19.99"};

// A line has stock unless it says that it has none.
bool read_tracked(ObjectReader& in) {
    const auto value = in.any("tracked");
    if (!value || !in.has("tracked")) return true;
    const auto tracked = value->boolean();
    if (!tracked) in.fault("tracked", "must be true or false", "type");
    return tracked.value_or(true);
}

domain::Line read_line(ObjectReader& in) {
    domain::Line line;
    line.sku = in.text(
        "sku",
        {.max_characters = max_sku_bytes, .is_valid = is_plain_sku, .expected = plain_sku_form});
    line.quantity = in.integer("quantity", {.min = 1, .max = domain::max_quantity});
    line.unit_amount_minor = in.integer("unitAmount", amount_rule);
    line.name = in.maybe_text("name", line_of(200));
    line.is_tracked = read_tracked(in);
    in.finish();
    return line;
}

bool is_adjustment_kind(std::string_view text) {
    return std::ranges::find(domain::adjustment_kind_names, text) !=
           domain::adjustment_kind_names.end();
}

domain::AdjustmentKind read_adjustment_kind(ObjectReader& in) {
    const std::string kind = in.text("kind", {.is_valid = is_adjustment_kind,
                                              .expected = "must be DISCOUNT, TAX, FEE or OTHER"});
    const auto* const found = std::ranges::find(domain::adjustment_kind_names, kind);
    return static_cast<domain::AdjustmentKind>(found - domain::adjustment_kind_names.begin());
}

std::vector<domain::Adjustment> read_adjustments(ObjectReader& in) {
    constexpr json::IntegerRule signed_amount_rule{
        .min = -max_amount_minor,
        .max = max_amount_minor,
        .explanation =
            " in the smallest unit of the currency, such as -500 for a discount of 5.00"};
    std::vector<domain::Adjustment> adjustments;
    in.array("adjustments", false, 0, domain::adjustments_max,
             [&](Value value, const std::string& pointer) {
                 ObjectReader one = in.nested(value, pointer);
                 domain::Adjustment& adjustment = adjustments.emplace_back();
                 adjustment.kind = read_adjustment_kind(one);
                 adjustment.label = one.text("label", line_of(200));
                 adjustment.amount_minor = one.integer("amount", signed_amount_rule);
                 one.finish();
             });
    return adjustments;
}

// Reads the id of the customer's address that an order names in place of one of its own.
std::optional<domain::AddressId> read_shipping_address_id(ObjectReader& in) {
    if (!in.any("shippingAddressId") || !in.has("shippingAddressId")) return std::nullopt;
    if (in.has("shippingAddress")) {
        in.fault("shippingAddressId", "stands beside shippingAddress: an order has one of the two",
                 "mismatch");
    }
    return domain::AddressId(in.uuid("shippingAddressId"));
}

// The nested reader adds its faults to the list of `in`, with pointers below /shippingAddress.
domain::Address read_shipping_address(ObjectReader& in, bool required) {
    const auto value = in.object("shippingAddress", required);
    if (!value || !in.has("shippingAddress")) return {};
    ObjectReader fields = in.nested(value, in.pointer_to("shippingAddress"));
    domain::Address address = read_address(fields);
    fields.finish();
    return address;
}

std::optional<std::string> read_delivery_instructions(ObjectReader& in) {
    return in.maybe_text("deliveryInstructions",
                         {.max_characters = 1000, .form = json::TextForm::paragraph});
}
std::optional<std::string> read_external_ref(ObjectReader& in) {
    return in.maybe_text("externalRef", line_of(external_ref_characters_max));
}

// Reads the members of an order.
domain::OrderTerms read_terms(ObjectReader& in) {
    domain::OrderTerms terms;
    terms.customer =
        domain::customer_id_of(in.text("customerId", line_of(domain::customer_id_characters_max)));
    terms.currency = in.text(
        "currency",
        {.is_valid = is_currency, .expected = "must be an ISO 4217 code in capitals, such as GBP"});
    terms.shipping_amount_minor = in.maybe_integer("shippingAmount", amount_rule);
    terms.total_amount_minor = in.maybe_integer("totalAmount", amount_rule);
    in.array("items", true, 1, domain::max_lines, [&](Value value, const std::string& pointer) {
        ObjectReader line = in.nested(value, pointer);
        terms.items.push_back(read_line(line));
    });
    terms.adjustments = read_adjustments(in);
    terms.shipping_address_id = read_shipping_address_id(in);
    terms.shipping_address = read_shipping_address(in, !terms.shipping_address_id);
    terms.delivery_instructions = read_delivery_instructions(in);
    terms.external_ref = read_external_ref(in);
    terms.metadata = read_metadata(in);
    return terms;
}

std::optional<domain::Shipment> read_shipment(ObjectReader& in) {
    domain::Shipment shipment{in.maybe_text("carrier", line_of(100)),
                              in.maybe_text("trackingNumber", line_of(100))};
    if (!shipment.carrier && !shipment.tracking_number) return std::nullopt;
    return shipment;
}

std::optional<domain::Shipment> read_nested_shipment(ObjectReader& in) {
    const auto value = in.object("shipment", false);
    if (!value || !in.has("shipment")) return std::nullopt;
    ObjectReader fields = in.nested(value, in.pointer_to("shipment"));
    auto shipment = read_shipment(fields);
    fields.finish();
    return shipment;
}

void check_address_patch(ObjectReader& in) {
    const auto value = in.object("shippingAddress", true);
    if (!value || !in.has("shippingAddress")) return;
    ObjectReader fields = in.nested(value, in.pointer_to("shippingAddress"));
    (void)read_address_patch(fields);
    fields.finish();
}

// PostgreSQL stores metadata in a form of its own, which is no change of it.
std::optional<std::string> canonical_form(const std::optional<std::string>& json) {
    if (!json) return std::nullopt;
    const auto document = json::Document::parse(*json);
    return document ? document->root().canonical() : *json;
}

// The members that a client may change, each with its reader.
struct DetailMember {
    std::string_view name;
    void (*read)(ObjectReader&, domain::OrderDetails&);
};
constexpr auto detail_members = std::to_array<DetailMember>({
    {"shippingAddress",
     [](ObjectReader& in, domain::OrderDetails& to) {
         to.shipping_address = read_shipping_address(in, true);
     }},
    {"deliveryInstructions",
     [](ObjectReader& in, domain::OrderDetails& to) {
         to.delivery_instructions = read_delivery_instructions(in);
     }},
    {"externalRef",
     [](ObjectReader& in, domain::OrderDetails& to) { to.external_ref = read_external_ref(in); }},
    {"metadata",
     [](ObjectReader& in, domain::OrderDetails& to) {
         auto metadata = read_metadata(in);
         if (canonical_form(metadata) != canonical_form(to.metadata))
             to.metadata = std::move(metadata);
     }},
    {"shipment",
     [](ObjectReader& in, domain::OrderDetails& to) { to.shipment = read_nested_shipment(in); }},
});

// A member that the patch does not name stays as it is, whatever the rules of today say about it.
Result<domain::OrderDetails> patched(const domain::OrderDetails& current, std::string_view patch) {
    const json::Document named = TRY(json::Document::parse(patch));
    const std::string merged = TRY(json::merge_patch(details_json(current), patch));
    return json::read_object(merged, [&](ObjectReader& in) {
        domain::OrderDetails details = current;
        for (const DetailMember& member : detail_members) {
            if (named.root().find(member.name)) {
                member.read(in, details);
            } else {
                (void)in.any(member.name);
            }
        }
        return details;
    });
}

std::string read_reason(ObjectReader& in) {
    return in
        .maybe_text("reason",
                    {.max_characters = 64,
                     .is_valid = is_clients_reason,
                     .expected = "must be capitals, digits and '_', such as CHANGED_MIND, and not "
                                 "OUT_OF_STOCK, UNKNOWN_SKU or TIMED_OUT, which are the system's"})
        .value_or("");
}

// An empty body counts as {}.
std::string_view object_or_empty(std::string_view body) { return body.empty() ? "{}" : body; }

constexpr std::string_view timeout_form = "must be the seconds to wait, 1 to 5";

std::optional<Duration> wait_seconds(std::string_view text) {
    const auto seconds = http::whole_number(text);
    if (!seconds || *seconds < 1 ||
        *seconds > std::chrono::floor<std::chrono::seconds>(wait_max).count())
        return std::nullopt;
    return std::chrono::seconds(*seconds);
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
        line.key =
            in.maybe_text("idempotencyKey", {.max_characters = http::idempotency_key_bytes_max});
        return read_terms(in);
    }));
    (void)TRY(domain::total_of(line.terms));
    return {};
}

Result<domain::Command> read_command(domain::Action action, std::string_view body) {
    return json::read_object(object_or_empty(body), [action](ObjectReader& in) {
        domain::Command command{.action = action};
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
                in.fault("status", "must be PROCESSING, SHIPPED, DELIVERED or CANCELLED", "format");
            domain::Command made;
            made.shipment = status == domain::Status::shipped ? read_shipment(in) : std::nullopt;
            made.reason = status == domain::Status::cancelled ? read_reason(in) : "";
            return made;
        }));
    const auto action = action_to(*status);
    if (!action || *action == domain::Action::confirm) {
        return fail(Errc::illegal_transition,
                    fmt::format("no client can make an order {}; the system does. A client can "
                                "make it PROCESSING, SHIPPED, DELIVERED or CANCELLED",
                                name_of(*status)));
    }
    command.action = *action;
    return command;
}

Result<app::ChangeDetails> read_details_patch(std::string_view body) {
    const json::Document named = TRY(json::Document::parse(body));
    (void)TRY(json::read_object(body, [&named](ObjectReader& in) {
        domain::OrderDetails given;
        for (const DetailMember& member : detail_members) {
            if (!named.root().find(member.name)) {
                (void)in.any(member.name);
            } else if (member.name == "shippingAddress") {
                check_address_patch(in);
            } else {
                member.read(in, given);
            }
        }
        return given;
    }));
    return app::ChangeDetails{[patch = std::string(body)](const domain::OrderDetails& current) {
                                  return patched(current, patch);
                              },
                              body.size()};
}

std::string text_of(const app::UpdatedCursor& cursor) {
    return fmt::format("{}.{}", cursor.updated_at.micros, cursor.id.text());
}

std::optional<app::UpdatedCursor> parse_updated_cursor(std::string_view text) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const auto micros = http::whole_number(text.substr(0, dot));
    const auto id = domain::OrderId::parse(text.substr(std::min(dot + 1, text.size())));
    if (!micros || !id) return std::nullopt;
    return app::UpdatedCursor{Instant{*micros}, *id};
}

Result<ListRequest> read_list_request(const http::Request& request) {
    http::QueryReader in(request,
                         {"status", "customerId", "sku", "externalRef", "createdFrom", "createdTo",
                          "updatedFrom", "stuck", "sort", "view", "limit", "cursor"},
                         {"status"});
    ListRequest list;
    for (const std::size_t status : in.choices("status", domain::status_names))
        list.filter.statuses.push_back(domain::statuses.at(status));
    list.filter.sku = in.text("sku", max_sku_bytes);
    list.filter.is_stuck =
        in.value("stuck", "must be true or false", either("false", "true")).value_or(false);
    if (auto customer = in.text("customerId", domain::customer_id_characters_max))
        list.filter.customer = domain::customer_id_of(*std::move(customer));
    list.filter.external_ref = in.text("externalRef", external_ref_characters_max);
    list.filter.created_from = in.time("createdFrom");
    list.filter.created_to = in.time("createdTo");
    if (list.filter.created_from && list.filter.created_to &&
        *list.filter.created_to < *list.filter.created_from)
        in.fault("createdTo", "must not be before createdFrom", "range");
    list.filter.updated_from = in.time("updatedFrom");
    const auto sort = in.value(
        "sort", "must be createdAt (the newest first) or updatedAt (the oldest change first)",
        either("createdAt", "updatedAt"));
    list.is_by_update = sort.value_or(list.filter.updated_from.has_value());
    if (list.filter.updated_from && !list.is_by_update)
        in.fault("sort", "must be updatedAt beside updatedFrom", "format");
    list.is_summary =
        in.value("view", "must be full or summary", either("full", "summary")).value_or(false);
    if (list.is_by_update)
        list.after_update = in.cursor(parse_updated_cursor);
    else
        list.after = in.cursor(domain::OrderId::parse);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<SagaListRequest> read_saga_list_request(const http::Request& request) {
    http::QueryReader in(request, {"status", "type", "orderId", "limit", "cursor"});
    SagaListRequest list;
    if (const auto status = in.choice("status", domain::saga_status_names))
        list.filter.status = static_cast<domain::SagaStatus>(*status);
    if (const auto type = in.choice("type", domain::saga_type_names))
        list.filter.type = static_cast<domain::SagaType>(*type);
    list.filter.order = in.id<domain::OrderId>("orderId");
    list.after = in.cursor(domain::SagaId::parse);
    list.limit = in.limit();
    return in.finish(list);
}

Result<std::optional<Duration>> read_wait(const http::Request& request) {
    http::QueryReader in(request, {"wait", "timeout"});
    const auto confirmed = [](std::string_view text) {
        return text == "confirmed" || text == "CONFIRMED" ? std::optional(true) : std::nullopt;
    };
    const bool waits_for_query = in.value("wait", "must be confirmed", confirmed).has_value();
    const auto timeout = in.value("timeout", timeout_form, wait_seconds);
    std::optional<Duration> wait;
    if (waits_for_query) wait = timeout.value_or(wait_max);
    // A preference that is not understood is ignored (RFC 7240).
    const auto prefer = request.header("prefer");
    if (!waits_for_query && prefer && prefer->starts_with("wait=")) {
        const std::string_view number = prefer->substr(5);
        const auto seconds = http::whole_number(number.substr(0, number.find_first_of(",; ")));
        if (seconds && *seconds > 0)
            wait = std::min<Duration>(std::chrono::seconds(std::min(*seconds, prefer_seconds_max)),
                                      wait_max);
    }
    return in.finish(wait);
}

}  // namespace trackops::order::adapters
