#include "order/adapters/read_requests.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/sku.hpp"
#include "platform/json/reader.hpp"

namespace trackops::order::adapters {
namespace {

using json::ObjectReader;
using json::Value;

constexpr std::size_t metadata_bytes_max = 16 * 1024;
constexpr std::size_t limit_max = 500;
constexpr Duration wait_max = std::chrono::seconds(5);
constexpr std::string_view not_valid = "the request is not valid";

// A word that a client may give as reason: not one that is ours to say.
bool is_clients_reason(std::string_view text) {
    if (text == domain::out_of_stock || text == domain::timed_out || text.front() < 'A' ||
        text.front() > 'Z')
        return false;
    return std::ranges::all_of(
        text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
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

// A member object, read with its own pointer; faults gather in the same list.
void read_shipping_address(ObjectReader& in, std::vector<FieldError>& faults,
                           domain::OrderTerms& terms) {
    const auto value = in.object("shippingAddress", true);
    if (!value || !in.has("shippingAddress")) return;
    ObjectReader fields(value, in.pointer_to("shippingAddress"), faults);
    terms.shipping_address = read_address(fields);
}

bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// In a text or a name, however deep: a document nests no deeper than its limit.
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
    } else if (holds_nul(*value)) {  // PostgreSQL's jsonb has no room for it
        in.fault("metadata", "must not contain U+0000", "format");
    }
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

// Reads the body as one object with `read` and gives what it made, or every fault.
template <class T>
Result<T> read_body(std::string_view body,
                    const std::function<T(ObjectReader&, std::vector<FieldError>&)>& read) {
    const json::Document document = TRY(json::Document::parse(body.empty() ? "{}" : body));
    std::vector<FieldError> faults;
    ObjectReader in(document.root(), "", faults);
    T made = read(in, faults);
    in.finish();
    if (!faults.empty()) return fail(Errc::invalid, std::string(not_valid), std::move(faults));
    return made;
}

// Query parameters, each fault named by the parameter's name.
class QueryReader {
public:
    explicit QueryReader(const http::Request& request) : request_(request) {}
    template <class T, class Read>
    std::optional<T> value(std::string_view name, std::string_view expected, Read read) {
        const auto text = request_.query_value(name);
        if (!text) return std::nullopt;
        const std::optional<T> made = read(*text);
        if (!made) faults_.push_back({std::string(name), std::string(expected), "format"});
        return made;
    }
    std::size_t limit() {
        const auto read = [](std::string_view text) -> std::optional<std::size_t> {
            std::size_t number = 0;
            const auto [end, failure] =
                std::from_chars(text.data(), text.data() + text.size(), number);
            const bool whole = failure == std::errc() && end == text.data() + text.size();
            return whole && number >= 1 && number <= limit_max ? std::optional(number)
                                                               : std::nullopt;
        };
        return value<std::size_t>("limit", "must be between 1 and 500", read).value_or(50);
    }
    template <class T>
    std::optional<T> id(std::string_view name) {
        return value<T>(name, "must be a UUID",
                        [](std::string_view text) { return T::parse(text); });
    }
    std::optional<Instant> instant(std::string_view name) {
        return value<Instant>(name, "must be an RFC 3339 time",
                              [](std::string_view text) { return Instant::parse(text); });
    }
    template <class T>
    Result<T> finish(T made) {
        if (!faults_.empty())
            return fail(Errc::invalid, std::string(not_valid), std::move(faults_));
        return made;
    }

private:
    const http::Request& request_;
    std::vector<FieldError> faults_;
};

template <class Enum>
std::optional<Enum> named(std::span<const std::string_view> names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

Result<domain::OrderTerms> read_order_terms(std::string_view body) {
    domain::OrderTerms terms = TRY(
        read_body<domain::OrderTerms>(body, [](ObjectReader& in, std::vector<FieldError>& faults) {
            domain::OrderTerms made;
            made.customer = domain::CustomerId(in.uuid("customerId"));
            made.currency = in.text(
                "currency",
                {.max_bytes = 8, .is_valid = is_currency, .expected = "must be an ISO 4217 code"});
            made.shipping_amount_minor =
                in.maybe_integer("shippingAmount", {.min = 0, .max = max_amount_minor});
            made.total_amount_minor =
                in.maybe_integer("totalAmount", {.min = 0, .max = max_amount_minor});
            in.array("items", true, 1, domain::max_lines,
                     [&](Value value, const std::string& pointer) {
                         ObjectReader line(value, pointer, faults);
                         made.items.push_back(read_line(line));
                     });
            read_shipping_address(in, faults, made);
            made.delivery_instructions = in.maybe_text("deliveryInstructions", {.max_bytes = 1000});
            made.external_ref = in.maybe_text("externalRef", {.max_bytes = 100});
            read_metadata(in, made);
            return made;
        }));
    (void)TRY(domain::total_of(
        terms));  // named together with its own kind of fault, once the shape is right
    return terms;
}

Result<domain::Command> read_command(domain::Action action, std::string_view body) {
    return read_body<domain::Command>(body, [action](ObjectReader& in, std::vector<FieldError>&) {
        domain::Command command{action, "", {}};
        if (action == domain::Action::ship) command.shipment = read_shipment(in);
        if (action == domain::Action::cancel) command.reason = read_reason(in);
        return command;
    });
}

Result<domain::Command> read_status_change(std::string_view body) {
    std::optional<domain::Status> status;
    domain::Command command =
        TRY(read_body<domain::Command>(body, [&status](ObjectReader& in, std::vector<FieldError>&) {
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
    TRY(http::check_query(request, {"status", "customerId", "externalRef", "createdFrom",
                                    "createdTo", "limit", "cursor"}));
    QueryReader in(request);
    ListRequest list;
    list.filter.status =
        in.value<domain::Status>("status", "must be a status of an order", domain::status_named);
    list.filter.customer = in.id<domain::CustomerId>("customerId");
    if (const auto reference = request.query_value("externalRef"))
        list.filter.external_ref = std::string(*reference);
    list.filter.created_from = in.instant("createdFrom");
    list.filter.created_to = in.instant("createdTo");
    list.after = in.id<domain::OrderId>("cursor");
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<SagaListRequest> read_saga_list_request(const http::Request& request) {
    TRY(http::check_query(request, {"status", "type", "orderId", "limit", "cursor"}));
    QueryReader in(request);
    SagaListRequest list;
    list.filter.status = in.value<domain::SagaStatus>(
        "status", "must be a status of a saga", [](std::string_view text) {
            return named<domain::SagaStatus>(domain::saga_status_names, text);
        });
    list.filter.type =
        in.value<domain::SagaType>("type", "must be a type of saga", [](std::string_view text) {
            return named<domain::SagaType>(domain::saga_type_names, text);
        });
    list.filter.order = in.id<domain::OrderId>("orderId");
    list.after = in.id<domain::SagaId>("cursor");
    list.limit = in.limit();
    return in.finish(list);
}

Result<std::optional<Duration>> read_wait(const http::Request& request) {
    TRY(http::check_query(request, {"wait"}));
    std::optional<Duration> wait;
    if (const auto value = request.query_value("wait")) {
        if (*value != "confirmed")
            return fail(Errc::invalid, std::string(not_valid),
                        {{"wait", "must be 'confirmed'", "format"}});
        wait = wait_max;
    }
    // RFC 7240: a preference that is not understood is ignored.
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

Result<std::optional<std::int64_t>> read_if_match(const http::Request& request) {
    const auto header = request.header("if-match");
    if (!header || *header == "*") return std::optional<std::int64_t>();
    std::int64_t version = 0;
    if (header->size() > 2 && header->front() == '"' && header->back() == '"') {
        const auto [end, failure] =
            std::from_chars(header->data() + 1, header->data() + header->size() - 1, version);
        if (failure == std::errc() && end == header->data() + header->size() - 1)
            return std::optional(version);
    }
    return fail(Errc::precondition_failed, "If-Match names no version of this order");
}

}  // namespace trackops::order::adapters
