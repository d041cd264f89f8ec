#include "sim/invariants.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "order/domain/events.hpp"
#include "sim/acknowledged.hpp"
#include "sim/answers.hpp"
#include "sim/customers_are_kept.hpp"

namespace trackops::sim {
namespace {

bool is_live(const std::string& status) { return status == "RESERVED"; }

CheckResult stock_is_consistent(const Evidence& on) {
    std::map<std::string, std::int64_t> held;
    std::map<std::string, std::int64_t> moved;
    for (const auto& [order, reservation] : on.ledger.reservations) {
        if (!is_live(reservation.status)) continue;
        for (const auto& [sku, quantity] : reservation.lines) held[sku] += quantity;
    }
    for (const MovementRow& row : on.ledger.movements) {
        moved[row.sku] += row.delta;
        if (moved[row.sku] != row.on_hand_after || row.on_hand_after < 0)
            return fmt::format("the ledger of {} says {} after a sum of {}", row.sku,
                               row.on_hand_after, moved[row.sku]);
    }
    for (const auto& [sku, stock] : on.ledger.stock) {
        if (stock.reserved < 0 || stock.reserved > stock.on_hand)
            return fmt::format("{}: {} reserved of {}", sku, stock.reserved, stock.on_hand);
        if (stock.reserved != held[sku])
            return fmt::format("{}: {} reserved, reservations hold {}", sku, stock.reserved,
                               held[sku]);
        if (stock.on_hand != moved[sku])
            return fmt::format("{}: {} on hand, the ledger says {}", sku, stock.on_hand,
                               moved[sku]);
    }
    return {};
}

CheckResult no_unit_is_sold_twice(const Evidence& on) {
    std::map<std::pair<Uuid, std::string>, std::int64_t> shipped;
    for (const MovementRow& row : on.ledger.movements) {
        if (!row.order) continue;
        if (!shipped.emplace(std::pair(*row.order, row.sku), -row.delta).second)
            return fmt::format("{} of {} left the house twice", row.sku,
                               on.world.trace_log.name_of(*row.order));
    }
    for (const auto& [order, reservation] : on.ledger.reservations) {
        if (reservation.status != "FULFILLED") continue;
        for (const auto& [sku, quantity] : reservation.lines) {
            const auto found = shipped.find({order, sku});
            if (found == shipped.end() || found->second != quantity)
                return fmt::format("{} was shipped without {} of {}",
                                   on.world.trace_log.name_of(order), quantity, sku);
            shipped.erase(found);
        }
    }
    if (shipped.empty()) return {};
    return fmt::format("{} left the house for {}, which is not fulfilled",
                       shipped.begin()->first.second,
                       on.world.trace_log.name_of(shipped.begin()->first.first));
}

CheckResult orders_settle(const Evidence& on) {
    for (const auto& [id, order] : on.ledger.orders) {
        if (order.status == "PENDING") return on.world.trace_log.name_of(id) + " is PENDING";
    }
    for (const SagaRow& saga : on.ledger.sagas) {
        if (saga.status != "COMPLETED" && saga.status != "COMPENSATED")
            return fmt::format("the {} of {} is {}", saga.type,
                               on.world.trace_log.name_of(saga.order), saga.status);
    }
    return {};
}

constexpr auto topics_of =
    std::to_array<std::string_view>({"", "ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_DELIVERED",
                                     "ORDER_CANCELLED", "ORDER_UPDATED"});

// The sum of the rows of one order's history so far.
struct Life {
    std::int64_t revision = 0;
    std::int64_t version = 0;
    std::string status;
};

// Each row of the history is one step of a life, and is told by the one event that it names.
CheckResult tell_step(const Evidence& on, const HistoryRow& row, Life& life,
                      std::map<Uuid, const EventRow*>& events) {
    const std::string& name = on.world.trace_log.name_of(row.order);
    const auto* const rule = order::domain::event_rule_named(row.type);
    if (rule == nullptr) return fmt::format("{} is in the history of {}", row.type, name);
    const std::string status(rule->leads_to ? name_of(*rule->leads_to) : life.status);
    if (row.revision <= life.revision || row.version != life.version + (rule->is_shown ? 1 : 0) ||
        row.status != status)
        return fmt::format("{} leads {} to {} in version {} after {} in version {}", row.type, name,
                           row.status, row.version, life.status, life.version);
    life.revision = row.revision;
    life.version = row.version;
    life.status = row.status;
    const auto topic = topics_of.at(static_cast<std::size_t>(rule->heard_as));
    if (topic.empty()) return {};
    const auto event = row.event ? events.find(*row.event) : events.end();
    if (event == events.end() || event->second->order != row.order ||
        event->second->type != topic || event->second->sequence != row.sequence ||
        event->second->correlation != row.correlation || event->second->cause != row.cause)
        return fmt::format("{} of {} in version {} has no event", row.type, name, row.version);
    events.erase(event);
    return {};
}

CheckResult every_change_has_one_event(const Evidence& on) {
    std::map<Uuid, std::int64_t> sequences;
    std::map<Uuid, const EventRow*> events;
    for (const EventRow& event : on.ledger.order_events) {
        if (event.sequence != ++sequences[event.order])
            return fmt::format("event #{} of {} stands where #{} should", event.sequence,
                               on.world.trace_log.name_of(event.order), sequences[event.order]);
        if (event.type == "CUSTOMER_ERASED") continue;  // of no order
        if (!events.emplace(event.id, &event).second)
            return fmt::format("two events of {} have one id",
                               on.world.trace_log.name_of(event.order));
    }
    std::map<Uuid, Life> lives;
    for (const HistoryRow& row : on.ledger.history) {
        if (auto found = tell_step(on, row, lives[row.order], events)) return found;
    }
    for (const auto& [id, event] : events)
        return fmt::format("event #{} ({}) of {} is in no history", event->sequence, event->type,
                           on.world.trace_log.name_of(event->order));
    for (const auto& [id, order] : on.ledger.orders) {
        const Life& life = lives[id];
        if (life.version != order.version || life.status != order.status ||
            life.revision > order.revision || sequences[id] != order.events_sent) {
            return fmt::format(
                "{} is {} in version {} with {} events, by its history {} in {} with {}",
                on.world.trace_log.name_of(id), order.status, order.version, order.events_sent,
                life.status, life.version, sequences[id]);
        }
    }
    return {};
}

std::set<Uuid> published_ids(const Broker& broker) {
    std::set<Uuid> ids;
    for (const auto& [place, records] : broker.log()) {
        for (const auto& record : records)
            ids.insert(Uuid::parse(record.message.header("ce_id")).value_or(Uuid{}));
    }
    return ids;
}

CheckResult every_event_reaches_its_groups(const Evidence& on) {
    const auto published = published_ids(on.broker);
    const auto lost = [&](const EventRow& event, const std::set<Uuid>& handled) -> CheckResult {
        const auto words = fmt::format("{} {} #{}", event.type,
                                       on.world.trace_log.name_of(event.order), event.sequence);
        if (!published.contains(event.id)) return words + " was never published";
        if (!handled.contains(event.id)) return words + " was never handled";
        return {};
    };
    for (const EventRow& event : on.ledger.order_events) {
        // Inventory must handle each event of these two types. For the others publication is
        // enough.
        const bool concerns_stock =
            event.type == "ORDER_CREATED" || event.type == "ORDER_CANCELLED";
        if (auto found = lost(event, concerns_stock ? on.ledger.handled_by_stock : published))
            return found;
    }
    for (const EventRow& event : on.ledger.stock_events) {
        if (auto found = lost(event, on.ledger.handled_by_orders)) return found;
    }
    for (const auto* group : {"trackops-orders", "inventory-service"}) {
        if (on.broker.lag(group) == 0) continue;
        return fmt::format("{} has not caught up: {}", group, on.broker.lagging(group));
    }
    return {};
}

CheckResult events_keep_their_order(const Evidence& on) {
    struct First {
        std::int64_t order;
        std::int64_t sequence;
        std::string source;
        Uuid key;
    };
    std::map<Uuid, First> firsts;
    for (const auto& [place, records] : on.broker.log()) {
        for (const auto& record : records) {
            const auto id = Uuid::parse(record.message.header("ce_id")).value_or(Uuid{});
            const auto key = Uuid::parse(record.message.key).value_or(Uuid{});
            const auto sequence = std::string(record.message.header("ce_sequence"));
            First first{record.order, std::atoll(sequence.c_str()),
                        std::string(record.message.header("ce_source")), key};
            const auto [found, is_new] = firsts.try_emplace(id, first);
            if (!is_new && record.order < found->second.order) found->second = first;
        }
    }
    std::vector<First> in_order;
    in_order.reserve(firsts.size());
    for (const auto& [id, first] : firsts) in_order.push_back(first);
    std::ranges::sort(in_order, {}, &First::order);
    std::map<std::pair<std::string, Uuid>, std::int64_t> last;
    for (const First& first : in_order) {
        std::int64_t& before = last[{first.source, first.key}];
        if (first.sequence <= before)
            return fmt::format("event #{} of {} ({}) came after #{}", first.sequence,
                               on.world.trace_log.name_of(first.key), first.source, before);
        before = first.sequence;
    }
    return {};
}

CheckResult a_message_has_one_effect(const Evidence& on) {
    std::set<std::string> answered;
    for (const EventRow& reply : on.ledger.stock_events) {
        if (!answered.insert(reply.cause).second)
            return fmt::format("stock answered message {} about {} twice", reply.cause,
                               on.world.trace_log.name_of(reply.order));
    }
    std::set<Uuid> settled;
    for (const HistoryRow& row : on.ledger.history) {
        const auto cause = Uuid::parse(row.cause);
        const bool is_message = cause && on.ledger.handled_by_orders.contains(*cause);
        if (is_message && !settled.insert(*cause).second)
            return fmt::format("one message changed {} twice",
                               on.world.trace_log.name_of(row.order));
    }
    return {};
}

// An event that a client caused carries the correlation id which the client sent. An event that a
// saga's timer caused carries an id of its own. A reply to a message, and all events that follow
// from it, carry the correlation id of that message.
CheckResult events_name_their_cause(const Evidence& on) {
    constexpr std::string_view erasure = "erase ";    // before the customer
    std::map<std::string, std::string> correlations;  // by event id
    for (const auto* events : {&on.ledger.order_events, &on.ledger.stock_events}) {
        for (const EventRow& event : *events) correlations[event.id.text()] = event.correlation;
    }
    const auto is_of_client = [&](const EventRow& event) {
        const std::string_view correlation = event.correlation;
        const bool is_erasure = correlation.starts_with(erasure);
        if (event.type == "CUSTOMER_ERASED") {
            return is_erasure &&
                   on.model.customers().contains(std::string(correlation.substr(erasure.size())));
        }
        const auto order = on.ledger.orders.find(event.order);
        if (order == on.ledger.orders.end()) return false;
        if (event.sequence == 1) return event.correlation == order->second.reference;
        const auto asked = on.model.orders().find(order->second.reference);
        if (asked == on.model.orders().end()) return false;
        if (is_erasure && event.type == "ORDER_UPDATED")
            return correlation.substr(erasure.size()) == asked->second.customer;
        const int number = number_in(event.correlation);
        return event.correlation == fmt::format("change-{}", number) &&
               (asked->second.changes.contains(number) || asked->second.patches.contains(number));
    };
    for (const auto* events : {&on.ledger.order_events, &on.ledger.stock_events}) {
        for (const EventRow& event : *events) {
            const auto message = correlations.find(event.cause);
            const bool is_right =
                message != correlations.end()
                    ? event.correlation == message->second
                    : event.correlation == event.cause &&
                          (on.ledger.saga_causes.contains(event.cause) || is_of_client(event));
            if (!is_right)
                return fmt::format("{} {} #{} is correlated with '{}', caused by '{}'", event.type,
                                   on.world.trace_log.name_of(event.order), event.sequence,
                                   event.correlation, event.cause);
        }
    }
    for (const auto& [place, records] : on.broker.log()) {
        for (const auto& record : records) {
            const auto event = correlations.find(std::string(record.message.header("ce_id")));
            if (event == correlations.end() ||
                event->second != record.message.header("ce_correlationid"))
                return fmt::format("a message of {} is correlated with '{}'", place.first,
                                   record.message.header("ce_correlationid"));
        }
    }
    return {};
}

CheckResult no_reservation_without_its_order(const Evidence& on) {
    for (const auto& [id, reservation] : on.ledger.reservations) {
        const auto order = on.ledger.orders.find(id);
        const std::string status = order == on.ledger.orders.end() ? "gone" : order->second.status;
        const bool is_wanted = status == "CONFIRMED" || status == "PROCESSING";
        const bool has_left = status == "SHIPPED" || status == "DELIVERED";
        if (is_live(reservation.status) != is_wanted ||
            (reservation.status == "FULFILLED") != has_left)
            return fmt::format("the reservation of {} is {}, the order {}",
                               on.world.trace_log.name_of(id), reservation.status, status);
    }
    for (const auto& [id, order] : on.ledger.orders) {
        if (order.status != "CANCELLED" && !on.ledger.reservations.contains(id))
            return fmt::format("{} is {} without a reservation", on.world.trace_log.name_of(id),
                               order.status);
    }
    return {};
}

CheckResult nothing_is_dead_lettered(const Evidence& on) {
    for (const auto& [place, records] : on.broker.log()) {
        if (!place.first.ends_with(".DLT") || records.empty()) continue;
        return fmt::format("{} of {}: {}", place.first, records.front().message.key,
                           records.front().message.header("dlt-reason"));
    }
    return {};
}

CheckResult outcome_of(const Evidence& on, const std::string& reference, const ModelOrder& asked,
                       const OrderRow& order) {
    const auto status = order::domain::status_named(order.status);
    if (!status || !asked.possible.has(*status))
        return fmt::format("{} is {}; possible are {}", reference, order.status,
                           asked.possible.text());
    const bool is_cancel_sent = std::ranges::any_of(asked.changes, [](const auto& entry) {
        return entry.second.action == order::domain::Action::cancel && !entry.second.is_refused;
    });
    if (order.cancel_reason == "CUSTOMER_REQUEST" && !is_cancel_sent)
        return reference + " was cancelled by nobody";
    if (order.cancel_reason == "OUT_OF_STOCK" && !on.model.may_be_out_of_stock(reference))
        return reference + " is out of stock, and there is enough for all";
    const bool knows_all = std::ranges::all_of(
        asked.lines, [&](const auto& line) { return on.model.initial().contains(line.first); });
    if (order.cancel_reason == "UNKNOWN_SKU" && knows_all)
        return reference + " was refused for a SKU that there is not, and each of its SKUs exists";
    if (order.cancel_reason == "TIMED_OUT" && on.is_faultless)
        return reference + " timed out, and nothing went wrong";
    return {};
}

CheckResult model_allows_every_state(const Evidence& on) {
    for (const auto& [id, order] : on.ledger.orders) {
        const auto asked = on.model.orders().find(order.reference);
        if (asked == on.model.orders().end()) return order.reference + " was asked for by nobody";
        if (auto found = outcome_of(on, asked->first, asked->second, order)) return found;
    }
    std::map<std::string, std::int64_t> expected = on.model.initial();
    for (const MovementRow& row : on.ledger.movements) {
        const auto adjustment = on.model.adjustments().find(row.reason);
        if (adjustment != on.model.adjustments().end())
            expected[row.sku] += adjustment->second.delta;
    }
    for (const auto& [id, order] : on.ledger.orders) {
        if (order.status != "SHIPPED" && order.status != "DELIVERED") continue;
        for (const auto& [sku, quantity] : order.lines) expected[sku] -= quantity;
    }
    for (const auto& [sku, stock] : on.ledger.stock) {
        if (stock.on_hand != expected[sku])
            return fmt::format("{}: {} on hand, the model says {}", sku, stock.on_hand,
                               expected[sku]);
    }
    return {};
}

constexpr auto all = std::to_array<Invariant>({
    {"stock_is_consistent",
     "0 <= reserved <= on hand; reserved is what live reservations hold, on hand "
     "what the ledger sums up to",
     stock_is_consistent},
    {"no_unit_is_sold_twice", "what left the house is what fulfilled reservations held, once",
     no_unit_is_sold_twice},
    {"acknowledged_requests_are_kept", "who was told yes finds it done, to the line and version",
     acknowledged_requests_are_kept},
    {"acknowledged_details_are_kept",
     "who was told yes to new details finds them, or newer ones, and their version",
     acknowledged_details_are_kept},
    {"customers_are_kept", "a customer is what the answers said, with one default address",
     customers_are_kept},
    {"orders_keep_their_address",
     "an order that names an address has a copy of it, until its customer is erased",
     orders_keep_their_address},
    {"erased_customers_are_forgotten",
     "no recorded answer tells of an erased customer, and only finished orders are erased",
     erased_customers_are_forgotten},
    {"requests_have_one_effect", "a request counts once, however often it is repeated",
     requests_have_one_effect},
    {"orders_settle", "every order leaves PENDING and every saga ends, once faults stop",
     orders_settle},
    {"every_change_has_one_event", "history, outbox and order agree without a gap",
     every_change_has_one_event},
    {"every_event_reaches_its_groups", "what was committed is published and handled at least once",
     every_event_reaches_its_groups},
    {"events_keep_their_order", "no event of an order is first published after its successor",
     events_keep_their_order},
    {"a_message_has_one_effect", "a message that comes twice is answered and counted once",
     a_message_has_one_effect},
    {"events_name_their_cause",
     "an event carries the correlation id of the request it follows from", events_name_their_cause},
    {"no_reservation_without_its_order",
     "stock is held for orders that want it and shipped for "
     "orders that left",
     no_reservation_without_its_order},
    {"nothing_is_dead_lettered", "no message of ours is a dead letter", nothing_is_dead_lettered},
    {"model_allows_every_state", "orders and stock are what a plain shop could have come to",
     model_allows_every_state},
});

}  // namespace

std::span<const Invariant> invariants() { return all; }

CheckResult stock_is_consistent_now(sql::Database& stock) {
    const auto skus = inconsistent_skus(stock);
    if (skus.empty()) return {};
    return fmt::format("the stock of {} is not what reservations and ledger say", skus.front());
}

CheckResult events_are_dated_at_emission(sql::Database& orders, std::int64_t& seen,
                                         Instant oldest) {
    const auto tx = orders.begin(sql::Access::read);
    const sql::Statement& found = tx->add({"look.events", R"sql(
        SELECT max(position), min(occurred_at) FROM outbox_events WHERE position > $1
    )sql"},
                                          {seen});
    tx->commit();
    const sql::Row& row = found.rows().at(0);
    seen = row.maybe_integer(0).value_or(seen);
    const auto dated = row.maybe_instant(1);
    if (!dated || *dated >= oldest) return {};
    return fmt::format("an event that was just said says it is of {}", dated->text());
}

// At every moment the statuses of an order and of its sagas agree with its reservation.
CheckResult sagas_match_stock(const CurrentStatuses& statuses, World& world) {
    const auto held = [&](Uuid order) {
        const auto found = statuses.reservations.find(order);
        return found == statuses.reservations.end() ? std::string("absent") : found->second;
    };
    for (const SagaRow& saga : statuses.sagas) {
        const bool says_free = saga.status == "COMPENSATED" ||
                               (saga.type == "ORDER_CANCELLATION" && saga.status == "COMPLETED");
        if (says_free && is_live(held(saga.order)))
            return fmt::format("the {} of {} is {}, and its stock is held", saga.type,
                               world.trace_log.name_of(saga.order), saga.status);
        if (saga.status == "BLOCKED")
            return fmt::format("the {} of {} is BLOCKED", saga.type,
                               world.trace_log.name_of(saga.order));
    }
    for (const auto& [order, status] : statuses.orders) {
        if ((status == "CONFIRMED" || status == "PROCESSING") && !is_live(held(order)))
            return fmt::format("{} is {}, and its reservation is {}",
                               world.trace_log.name_of(order), status, held(order));
    }
    return {};
}

CheckResult reads_are_recent(const DatabaseServer& orders, Uuid order, const std::string& status,
                             std::int64_t version, Instant asked_at) {
    // The 30 seconds of the cache, plus the longest time that an answer is under way.
    constexpr Duration staleness_max = std::chrono::seconds(30) + std::chrono::seconds(2);
    const auto changes = orders.changes.find(order);
    if (changes == orders.changes.end()) return "an order is read that was never committed";
    const auto then = changes->second.find(version);
    if (then == changes->second.end() || then->second.status != status)
        return fmt::format("a read says {} in version {}, which never was", status, version);
    const auto next = changes->second.find(version + 1);
    if (next != changes->second.end() && next->second.at + staleness_max < asked_at)
        return fmt::format("a read says {} in version {}, {} s after it was replaced", status,
                           version, (asked_at - next->second.at).count() / 1'000'000);
    return {};
}

}  // namespace trackops::sim
