#include "sim/answers.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "platform/json/reader.hpp"

namespace trackops::sim {
namespace {

std::string text_of(json::Value in, std::string_view name) {
    const auto member = in.find(name);
    return std::string(member ? member->text().value_or("") : "");
}

// Returns the versions that were the newest at some time since `since`, with their statuses.
std::vector<std::pair<std::int64_t, order::domain::Status>> versions_since(
    const DatabaseServer& orders, Uuid order, Instant since) {
    std::vector<std::pair<std::int64_t, order::domain::Status>> found;
    const auto changes = orders.changes.find(order);
    if (changes == orders.changes.end()) return found;
    for (const auto& [version, committed] : changes->second) {
        const auto next = changes->second.find(version + 1);
        if (next != changes->second.end() && next->second.at < since) continue;
        found.emplace_back(version, order::domain::status_named(committed.status).value());
    }
    return found;
}

// Returns the expected body for the order in the state `read`.
std::string body_of(const ReadOrder& read, const ModelOrder& asked) {
    std::string body = fmt::format(R"({{"id":"{}",{},"status":"{}",{})", read.id.text(),
                                   asked.before_status, read.status, asked.after_status);
    if (!read.instructions.empty())
        body += fmt::format(R"(,"deliveryInstructions":"{}")", read.instructions);
    body += asked.metadata;
    if (!read.cancel_reason.empty())
        body += fmt::format(R"(,"cancelReason":"{}")", read.cancel_reason);
    if (!read.cancel_details.empty()) body += R"(,"cancelDetails":)" + read.cancel_details;
    if (!read.shipment.empty()) body += R"(,"shipment":)" + read.shipment;
    return body + fmt::format(R"(,"version":{},"createdAt":"{}","updatedAt":"{}"}})", read.version,
                              read.created_at, read.updated_at);
}

// Whether an order in the status can take the change.
bool is_possible(order::domain::Status status, const Attempt& attempt) {
    using order::domain::Status;
    if (attempt.kind == ChangeKind::terms) return status < Status::shipped;
    if (attempt.kind == ChangeKind::shipment) return status < Status::delivered;
    return order::domain::next(status, attempt.action).has_value();
}

}  // namespace

int number_in(std::string_view text) {
    int number = 0;
    text.remove_prefix(std::min(text.size(), text.rfind('-') + 1));
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::string Attempt::name() const {
    if (kind == ChangeKind::terms) return "patch";
    return kind == ChangeKind::shipment ? "correct" : std::string(order::domain::name_of(action));
}

ReadOrder read_order(const std::string& body) {
    const auto document = json::Document::parse(body);
    if (!document) throw std::logic_error("an answer that is no JSON: " + body);
    const json::Value root = document->root();
    const auto version = root.find("version");
    ReadOrder read{Uuid::parse(text_of(root, "id")).value_or(Uuid{}), text_of(root, "status"),
                   version ? version->integer().value_or(0) : 0};
    read.created_at = text_of(root, "createdAt");
    read.updated_at = text_of(root, "updatedAt");
    read.cancel_reason = text_of(root, "cancelReason");
    if (const auto details = root.find("cancelDetails")) read.cancel_details = details->minified();
    read.instructions = text_of(root, "deliveryInstructions");
    if (const auto shipment = root.find("shipment")) {
        read.shipment = shipment->minified();
        read.tracking_number = text_of(*shipment, "trackingNumber");
    }
    return read;
}

void Answers::etag(const Answer& answer, std::int64_t version) {
    if (answer.etag != fmt::format("\"{}\"", version))
        kind(fmt::format("ETag {} of version {}", answer.etag, version));
}

void Answers::same_as_before(const ReadOrder& read) {
    const auto [found, is_new] = versions_.try_emplace({read.id, read.version}, read);
    if (is_new) return;
    const ReadOrder& before = found->second;
    if (before.status != read.status || before.updated_at != read.updated_at ||
        before.cancel_reason != read.cancel_reason)
        kind(fmt::format("version {} of {} is shown in two ways", read.version,
                         world_.trace_log.name_of(read.id)));
}

ReadOrder Answers::order(const Answer& answer, const std::string& reference,
                         const ModelOrder& asked) {
    ReadOrder read = read_order(answer.body);
    etag(answer, read.version);
    if (answer.status == 201 && answer.location != "/api/orders/" + read.id.text())
        kind(fmt::format("{} is at {}", reference, answer.location));
    if (asked.id && *asked.id != read.id) kind("asked for " + reference + ", told of another");
    if (answer.body != body_of(read, asked))
        kind(fmt::format("{} is shown as {}", reference, answer.body));
    same_as_before(read);
    const auto [created, is_new] = created_at_.try_emplace(read.id, read.created_at);
    if (!is_new && created->second != read.created_at)
        kind(fmt::format("{} was created at {} and at {}", reference, created->second,
                         read.created_at));
    const bool is_cancelled = read.status == "CANCELLED";
    const bool has_left = read.status == "SHIPPED" || read.status == "DELIVERED";
    // Every order that inventory refused tells the lines that it lacked, and no other order does.
    const bool is_refused =
        read.cancel_reason == "OUT_OF_STOCK" || read.cancel_reason == "UNKNOWN_SKU";
    if (is_cancelled == read.cancel_reason.empty() || has_left == read.shipment.empty() ||
        is_refused == read.cancel_details.empty())
        kind(fmt::format("{} has the wrong members: {}", reference, answer.body));
    details(read, asked, reference);
    return read;
}

// The details of an order are those that some client asked for. All answers that show one version
// show the same ones; an answer with the status alone shows none.
void Answers::details(const ReadOrder& read, const ModelOrder& asked,
                      const std::string& reference) {
    const auto is_patch = [&asked](int number, bool is_of_shipment) {
        const auto found = asked.patches.find(number);
        return found != asked.patches.end() && found->second.is_of_shipment == is_of_shipment;
    };
    if (!read.shipment.empty()) {
        const int number = number_in(read.tracking_number);
        const auto shipped = asked.changes.find(number);
        const bool is_of_ship =
            shipped != asked.changes.end() && shipped->second.action == order::domain::Action::ship;
        if (!is_of_ship && !is_patch(number, true))
            kind(fmt::format("{} was shipped by nobody: {}", reference, read.shipment));
    }
    if (!read.instructions.empty() && !is_patch(number_in(read.instructions), false))
        kind(fmt::format("{} has the instructions of nobody: {}", reference, read.instructions));
    const std::string shown = read.shipment + read.instructions + read.cancel_details;
    const auto [found, is_new] = details_.try_emplace({read.id, read.version}, shown);
    if (!is_new && found->second != shown)
        kind(fmt::format("version {} of {} has two sets of details", read.version, reference));
}

ReadOrder Answers::status(const Answer& answer) {
    ReadOrder read = read_order(answer.body);
    etag(answer, read.version);
    const std::string reason = read.cancel_reason.empty()
                                   ? ""
                                   : fmt::format(R"(,"cancelReason":"{}")", read.cancel_reason);
    const std::string expected =
        fmt::format(R"({{"id":"{}","status":"{}","version":{},"updatedAt":"{}"{}}})",
                    read.id.text(), read.status, read.version, read.updated_at, reason);
    if (answer.body != expected) kind("a status is shown as " + answer.body);
    same_as_before(read);
    return read;
}

void Answers::change(const ReadOrder& read, const Attempt& attempt, int number) {
    const std::string& name = world_.trace_log.name_of(attempt.order);
    const auto status = order::domain::status_named(read.status);
    if (read.id != attempt.order || !status || order::domain::action_to(*status) != attempt.action)
        kind(fmt::format("to {} {} is answered with {} {}", order::domain::name_of(attempt.action),
                         name, world_.trace_log.name_of(read.id), read.status));
    if (attempt.expected_version && read.version != *attempt.expected_version + 1)
        kind(fmt::format("version {} of {} follows on If-Match {}", read.version, name,
                         *attempt.expected_version));
    if (attempt.action == order::domain::Action::ship && number_in(read.tracking_number) != number)
        kind(fmt::format("{} was shipped by change {}: {}", name, number, read.shipment));
}

void Answers::patch(const ReadOrder& read, const Attempt& attempt, int number) {
    const std::string& name = world_.trace_log.name_of(attempt.order);
    const auto status = order::domain::status_named(read.status);
    const bool is_of_shipment = attempt.kind == ChangeKind::shipment;
    const std::string& shown = is_of_shipment ? read.tracking_number : read.instructions;
    if (read.id != attempt.order || !status || !is_possible(*status, attempt) ||
        number_in(shown) != number)
        kind(fmt::format("to {} {} by change {} is answered with {} {} {}", attempt.name(), name,
                         number, world_.trace_log.name_of(read.id), read.status, shown));
    if (attempt.expected_version && read.version != *attempt.expected_version + 1)
        kind(fmt::format("version {} of {} follows on If-Match {}", read.version, name,
                         *attempt.expected_version));
}

void Answers::refusal(const Answer& answer, const Attempt& attempt) {
    const auto versions = versions_since(orders_, attempt.order, attempt.first_sent);
    const auto is_reason = [&](const auto& entry) {
        const auto& [version, status] = entry;
        if (answer.status == 412)
            return attempt.expected_version && *attempt.expected_version != version;
        return !is_possible(status, attempt) &&
               attempt.expected_version.value_or(version) == version;
    };
    problem(answer, answer.status,
            answer.status == 412 ? "precondition-failed" : "illegal-transition");
    if (std::ranges::none_of(versions, is_reason))
        kind(fmt::format("{} to {} {}, which it never had reason for", answer.status,
                         attempt.name(), world_.trace_log.name_of(attempt.order)));
}

void Answers::problem(const Answer& answer, int status, std::string_view code) {
    if (answer.status != status || !answer.body.contains(fmt::format(R"("status":{},)", status)) ||
        !answer.body.contains(fmt::format(R"("code":"{}")", code)))
        kind(fmt::format("{} instead of {} {}: {}", answer.status, status, code, answer.body));
}

void Answers::replay(const Answer& first, const Answer& again, const std::string& what) {
    if (again.is_replayed && first.status == again.status && first.body == again.body &&
        first.etag == again.etag && first.location == again.location)
        return;
    world_.broken("requests_have_one_effect",
                  fmt::format("{} was answered differently when repeated ({}): {} {} {}", what,
                              again.is_replayed ? "marked" : "not marked", again.status, again.etag,
                              again.body));
}

}  // namespace trackops::sim
