#include "inventory/adapters/read_requests.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/money.hpp"
#include "base/reason.hpp"
#include "base/sku.hpp"
#include "inventory/adapters/reservation_state_names.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/http/target.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::inventory::adapters {

namespace {

using json::ObjectReader;

constexpr json::TextRule sku_rule{
    .max_bytes = max_sku_bytes,
    .is_valid = is_sku,
    .expected = "must start with a letter or digit and hold only those and ' ._/:-'"};
constexpr json::TextRule name_rule{.max_bytes = 200};
constexpr json::IntegerRule units_rule{.min = 0, .max = domain::max_units};

// Whether a client may give the text as a reason. Only the service itself writes the reasons in
// `ours` to the ledger.
bool is_clients_reason(std::string_view text) {
    constexpr std::string_view ours[] = {"CREATED", "DELETED", "BULK", "SHIPMENT"};
    return is_reason(text) && std::ranges::find(ours, text) == std::end(ours);
}

bool is_given_as_null(ObjectReader& in, std::string_view name) {
    const auto value = in.any(name);
    return value && value->is_null();
}

// An absent member leaves the value unchanged; null clears it.
template <class T>
std::optional<std::optional<T>> item_patch_of(ObjectReader& in, std::string_view name,
                                              std::optional<T> value) {
    if (value || is_given_as_null(in, name)) return std::optional(std::move(value));
    return std::nullopt;
}

std::optional<std::optional<domain::Price>> read_price(ObjectReader& in) {
    const auto amount = in.maybe_integer("unitAmount", {.min = 0, .max = max_amount_minor});
    auto currency = in.maybe_text(
        "currency",
        {.max_bytes = 3, .is_valid = is_currency, .expected = "must be an ISO 4217 code"});
    const bool gives_amount = in.any("unitAmount").has_value();  // true also for null
    const bool gives_currency = in.any("currency").has_value();
    if (gives_amount != gives_currency || in.has("unitAmount") != in.has("currency")) {
        in.fault(!gives_amount || in.has("currency") ? "unitAmount" : "currency",
                 "is required: an amount and its currency go together", "required");
    }
    if (amount && currency) return std::optional(domain::Price{*amount, *std::move(currency)});
    if (is_given_as_null(in, "unitAmount") && is_given_as_null(in, "currency")) {
        return std::optional<domain::Price>();
    }
    return std::nullopt;
}

// Reads every member of the patch but the name.
domain::ItemPatch read_item_patch(ObjectReader& in) {
    domain::ItemPatch words;
    words.description =
        item_patch_of(in, "description", in.maybe_text("description", {.max_bytes = 2000}));
    words.category = item_patch_of(in, "category", in.maybe_text("category", {.max_bytes = 100}));
    words.price = read_price(in);
    words.low_stock_threshold =
        item_patch_of(in, "lowStockThreshold", in.maybe_integer("lowStockThreshold", units_rule));
    return words;
}

std::optional<std::string> sku_named(std::string_view text) {
    return is_sku(text) ? std::optional(std::string(text)) : std::nullopt;
}

std::optional<domain::ReservationState> listed_state(std::string_view text) {
    const auto state = reservation_state_named(text);
    if (state == domain::ReservationState::refused ||
        state == domain::ReservationState::cancelled_first)
        return std::nullopt;
    return state;
}

}  // namespace

Result<ItemRequest> read_new_item(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        ItemRequest request{in.text("sku", sku_rule), {}};
        domain::CreateItem command;
        std::string name = in.text("name", name_rule);
        command.patch = read_item_patch(in);
        command.patch.name = std::move(name);
        command.on_hand = in.maybe_integer("onHand", units_rule).value_or(0);
        request.command = std::move(command);
        return request;
    });
}

Result<ItemRequest> read_bulk_line(std::string_view line, std::string& sku) {
    return json::read_object(line, [&](ObjectReader& in) {
        sku = in.text("sku", sku_rule);
        domain::UpsertItem command;
        auto name = in.maybe_text("name", name_rule);
        command.patch = read_item_patch(in);
        command.patch.name = std::move(name);
        command.on_hand = in.maybe_integer("onHand", units_rule);
        return ItemRequest{sku, std::move(command)};
    });
}

Result<domain::PatchItem> read_patch(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        auto name = in.maybe_text("name", name_rule);
        if (is_given_as_null(in, "name")) in.fault("name", "cannot be cleared", "required");
        domain::PatchItem command{read_item_patch(in), {}};
        command.patch.name = std::move(name);
        return command;
    });
}

Result<domain::AdjustStock> read_adjustment(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        domain::AdjustStock command;
        command.delta = in.integer("delta", {.min = -domain::max_units, .max = domain::max_units});
        if (command.delta == 0 && in.has("delta")) {
            const auto given = in.any("delta");
            if (given->integer() == 0) in.fault("delta", "must not be 0", "range");
        }
        command.reason = in.text(
            "reason", {.max_bytes = 64,
                       .is_valid = is_clients_reason,
                       .expected = "must be a word in capitals, such as RETURN, and none of "
                                   "CREATED, DELETED, BULK, SHIPMENT"});
        command.expected_on_hand = in.maybe_integer("expectedOnHand", units_rule);
        return command;
    });
}

Result<ListRequest<app::ItemFilter, std::string>> read_item_list(const http::Request& request) {
    http::QueryReader in(request, {"category", "lowStock", "q", "limit", "cursor"});
    ListRequest<app::ItemFilter, std::string> list;
    const auto word = [](std::string_view text) {
        return !text.empty() && text.size() <= 200 ? std::optional(std::string(text))
                                                   : std::nullopt;
    };
    list.filter.category =
        in.value("category", "must have 1 to 200 bytes", word).value_or(std::string());
    list.filter.words = in.value("q", "must have 1 to 200 bytes", word).value_or(std::string());
    list.filter.low_stock =
        in.value("lowStock", "must be true or false", [](std::string_view text) {
              return text == "true" || text == "false" ? std::optional(text == "true")
                                                       : std::nullopt;
          }).value_or(false);
    list.cursor = in.value("cursor", "is no SKU", sku_named);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<ListRequest<app::ReservationFilter, domain::ReservationId>> read_reservation_list(
    const http::Request& request) {
    http::QueryReader in(request, {"orderId", "sku", "status", "limit", "cursor"});
    ListRequest<app::ReservationFilter, domain::ReservationId> list;
    list.filter.order_id = in.value("orderId", "must be a UUID", domain::OrderId::parse);
    list.filter.sku = in.value("sku", "is no SKU", sku_named).value_or(std::string());
    list.filter.status =
        in.value("status", "must be RESERVED, FULFILLED, RELEASED or EXPIRED", listed_state);
    list.cursor = in.value("cursor", "is no cursor of this list", domain::ReservationId::parse);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<ListRequest<NoFilter, std::int64_t>> read_movement_list(const http::Request& request) {
    http::QueryReader in(request, {"limit", "cursor"});
    ListRequest<NoFilter, std::int64_t> list;
    list.cursor = in.value("cursor", "is no cursor of this list", http::whole_number);
    list.limit = in.limit();
    return in.finish(list);
}

static_assert(availability_skus_max <= http::query_parameters_max);

Result<std::vector<std::string>> read_availability(const http::Request& request) {
    TRY(http::check_query(request, {"sku"}, {"sku"}));
    std::vector<FieldError> faults;
    std::set<std::string> skus;
    for (const auto& [name, value] : request.query) {
        if (!is_sku(value)) faults.push_back({"sku", "is no SKU", "format"});
        skus.insert(value);
    }
    if (skus.empty()) faults.push_back({"sku", "is required", "required"});
    if (request.query.size() > availability_skus_max) {
        faults = {
            {"sku", fmt::format("may be given {} times at most", availability_skus_max), "range"}};
    }
    if (!faults.empty()) return fail(Errc::invalid, "the query is not valid", std::move(faults));
    return std::vector<std::string>(skus.begin(), skus.end());
}

}  // namespace trackops::inventory::adapters
