#include "inventory/adapters/read_requests.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/money.hpp"
#include "base/reason.hpp"
#include "base/sku.hpp"
#include "base/text.hpp"
#include "inventory/adapters/reservation_state_names.hpp"
#include "platform/http/query_reader.hpp"
#include "platform/http/target.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::inventory::adapters {

namespace {

using json::ObjectReader;

constexpr json::TextRule sku_rule{
    .max_characters = max_sku_bytes, .is_valid = is_plain_sku, .expected = plain_sku_form};
constexpr json::TextRule name_rule{.max_characters = 200, .form = json::TextForm::line};
constexpr json::TextRule category_rule{.max_characters = 100, .form = json::TextForm::line};
constexpr json::TextRule description_rule{.max_characters = 2000,
                                          .form = json::TextForm::paragraph};
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

// An absent member leaves the value unchanged. Null clears it, and so does a text without content.
template <class T>
std::optional<std::optional<T>> item_patch_of(ObjectReader& in, std::string_view name,
                                              std::optional<T> value) {
    const bool clears =
        std::is_same_v<T, std::string> ? in.is_given_as_nothing(name) : is_given_as_null(in, name);
    if (value || clears) return std::optional(std::move(value));
    return std::nullopt;
}

std::optional<std::optional<domain::Price>> read_price(ObjectReader& in) {
    const auto amount = in.maybe_integer(
        "unitAmount",
        {.min = 0,
         .max = max_amount_minor,
         .explanation = " in the smallest unit of the currency, such as 1999 for 19.99"});
    auto currency = in.maybe_text(
        "currency",
        {.is_valid = is_currency, .expected = "must be an ISO 4217 code in capitals, such as GBP"});
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
        item_patch_of(in, "description", in.maybe_text("description", description_rule));
    words.category = item_patch_of(in, "category", in.maybe_text("category", category_rule));
    words.price = read_price(in);
    words.low_stock_threshold =
        item_patch_of(in, "lowStockThreshold", in.maybe_integer("lowStockThreshold", units_rule));
    return words;
}

std::optional<std::string> sku_named(std::string_view text) {
    return is_sku(text) ? std::optional(std::string(text)) : std::nullopt;
}

// The states that a client sees; the others are of no reservation.
constexpr auto listed_states =
    std::to_array<std::string_view>({"RESERVED", "FULFILLED", "RELEASED", "EXPIRED"});
constexpr std::size_t filter_characters_max = 200;
constexpr std::string_view must_be_sku =
    "must be a SKU: 1 to 64 letters, digits and ' ._/:-', such as TSHIRT-RED-M";

// A set of SKUs that a client asks for, and the faults of those that are none.
class AskedSkus {
public:
    void add(std::string_view sku, std::string pointer) {
        if (!is_sku(sku) && faults_.size() < json::faults_max)
            faults_.push_back({std::move(pointer), std::string(must_be_sku), "format"});
        skus_.emplace(sku);
    }
    Result<std::vector<std::string>> take(std::string_view detail) {
        if (!faults_.empty()) return fail(Errc::invalid, std::string(detail), std::move(faults_));
        return std::vector<std::string>(skus_.begin(), skus_.end());
    }
    std::vector<FieldError>& faults() { return faults_; }
    bool empty() const { return skus_.empty(); }

private:
    std::set<std::string> skus_;
    std::vector<FieldError> faults_;
};

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

Result<BulkRequest> read_bulk_request(const http::Request& request) {
    http::QueryReader in(request, {"errorPolicy", "mode"});
    BulkRequest bulk;
    bulk.error_policy = http::read_error_policy(in);
    const auto named = [](std::string_view text) {
        return text == "set"         ? std::optional(BulkMode::set)
               : text == "catalogue" ? std::optional(BulkMode::catalogue)
                                     : std::nullopt;
    };
    bulk.mode = in.value("mode", "must be catalogue or set", named).value_or(BulkMode::catalogue);
    return in.finish(bulk);
}

Result<ItemRequest> read_bulk_line(std::string_view line, BulkMode mode, std::string& sku) {
    return json::read_object(line, [&](ObjectReader& in) {
        sku = in.text("sku", sku_rule);
        domain::UpsertItem command;
        auto name = in.maybe_text("name", name_rule);
        command.patch = read_item_patch(in);
        command.patch.name = std::move(name);
        if (mode == BulkMode::set) {
            command.on_hand = in.integer("onHand", units_rule);
            command.expected_on_hand = in.integer("expectedOnHand", units_rule);
        } else {
            command.on_hand = in.maybe_integer("onHand", units_rule);
            if (in.any("expectedOnHand"))
                in.fault("expectedOnHand", "is known with mode=set only, which sets counts",
                         "unknown");
        }
        return ItemRequest{sku, std::move(command)};
    });
}

Result<domain::PatchItem> read_patch(std::string_view body) {
    return json::read_object(body, [](ObjectReader& in) {
        auto name = in.maybe_text("name", name_rule);
        if (in.is_given_as_nothing("name")) in.fault("name", "cannot be cleared", "required");
        if (in.has("onHand")) {
            (void)in.any("onHand");
            in.fault("onHand",
                     "is not known here; POST .../adjustments {delta, reason} changes the stock",
                     "unknown");
        }
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
            "reason", {.max_characters = 64,
                       .is_valid = is_clients_reason,
                       .expected = "must be capitals, digits and '_', such as RETURN, and not "
                                   "CREATED, DELETED, BULK or SHIPMENT, which are the service's"});
        command.expected_on_hand = in.maybe_integer("expectedOnHand", units_rule);
        if (in.any("orderId") && in.has("orderId"))
            command.order_id = domain::OrderId(in.uuid("orderId"));
        return command;
    });
}

Result<ListRequest<app::ItemFilter, std::string>> read_item_list(const http::Request& request) {
    http::QueryReader in(request, {"category", "lowStock", "q", "limit", "cursor"});
    ListRequest<app::ItemFilter, std::string> list;
    list.filter.category = in.text("category", filter_characters_max).value_or(std::string());
    list.filter.words = in.text("q", filter_characters_max).value_or(std::string());
    list.filter.low_stock =
        in.value("lowStock", "must be true or false", [](std::string_view text) {
              return text == "true" || text == "false" ? std::optional(text == "true")
                                                       : std::nullopt;
          }).value_or(false);
    list.cursor = in.cursor(sku_named);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<ListRequest<app::ReservationFilter, domain::ReservationId>> read_reservation_list(
    const http::Request& request) {
    http::QueryReader in(request, {"orderId", "sku", "status", "limit", "cursor"});
    ListRequest<app::ReservationFilter, domain::ReservationId> list;
    list.filter.order_id = in.id<domain::OrderId>("orderId");
    list.filter.sku = in.value("sku", must_be_sku, sku_named).value_or(std::string());
    if (const auto status = in.choice("status", listed_states))
        list.filter.status = reservation_state_named(listed_states.at(*status));
    list.cursor = in.cursor(domain::ReservationId::parse);
    list.limit = in.limit();
    return in.finish(std::move(list));
}

Result<ListRequest<NoFilter, std::int64_t>> read_movement_list(const http::Request& request) {
    http::QueryReader in(request, {"limit", "cursor"});
    ListRequest<NoFilter, std::int64_t> list;
    list.cursor = in.cursor(http::whole_number);
    list.limit = in.limit();
    return in.finish(list);
}

static_assert(availability_skus_max <= http::query_parameters_max);

Result<std::vector<std::string>> read_availability(const http::Request& request) {
    TRY(http::check_query(request, {"sku"}, {"sku"}));
    AskedSkus skus;
    for (const auto& [name, value] : request.query) {
        if (!value.empty()) skus.add(value, "sku");
    }
    if (skus.empty())
        skus.faults().push_back({"sku", "is required, such as sku=TSHIRT-RED-M", "required"});
    if (request.query.size() > availability_skus_max) {
        skus.faults() = {
            {"sku", fmt::format("may be given {} times at most", availability_skus_max), "range"}};
    }
    return skus.take("the query is not valid");
}

Result<std::vector<std::string>> read_availability(std::string_view body) {
    const auto read = [](ObjectReader& in) {
        AskedSkus skus;
        in.array("skus", true, 1, availability_skus_max,
                 [&](json::Value element, const std::string& pointer) {
                     skus.add(element.text().value_or(""), pointer);
                 });
        return skus;
    };
    return TRY(json::read_object(body, read)).take("the request is not valid");
}

}  // namespace trackops::inventory::adapters
