#include "sim/clients.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "sim/customer_requests.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view customer = "Shopper 1";
constexpr std::string_view address =
    R"({"line1":"1 Quay","city":"Cork","postalCode":"T12","country":"IE"})";

class Customer final : public Client {
public:
    Customer(const Clients& among, int number, int actions, OnRead on_read)
        : world_(among.world),
          model_(among.model),
          answers_(among.answers),
          network_(among.network),
          skus_(among.skus),
          known_(among.known),
          broker_(among.broker),
          random_(among.seed, fmt::format("customer {}", number)),
          name_(fmt::format("customer-{}", number)),
          first_change_(number * 1'000'000),
          pace_(among.pace),
          left_(actions),
          on_read_(std::move(on_read)) {}

    void begin() override { rest(); }
    bool is_done() const override { return left_ == 0 && waiting_for_ == 0; }

private:
    void rest() {
        if (left_ == 0) return;
        world_.after(random_.between(milliseconds(1), pace_), [this] { act(); });
    }
    // An answer has arrived that calls for no further request.
    void end() {
        if (--waiting_for_ == 0) rest();
    }
    void again(std::function<void()> what) {
        world_.after(random_.between(milliseconds(50), milliseconds(900)), std::move(what));
    }
    void act();
    void place();
    std::string draw_items(ModelOrder& asked);
    void send(std::size_t at, bool waits);
    void hear(std::size_t at, bool has_waited, bool is_repeated, const Answer& answer);
    void check(Placement& placement, bool has_waited, bool is_repeated, const Answer& answer);
    void repeat();
    void ask_otherwise(const Placement& placement);
    void ask_for_nothing();
    void lose_patience(std::size_t order);
    void change();
    void change(std::size_t order, order::domain::Action action);
    void change_details();
    Change draw(std::size_t order, order::domain::Action action);
    Change draw_details(std::size_t order);
    void add_headers(Change& change);
    void send(const Change& change);
    void hear(const Change& change, const Answer& answer);
    void succeed(Change change, const Answer& answer);
    void read(std::size_t order);
    const ModelOrder& asked(const KnownOrder& known) const {
        return model_.orders().at(known.reference);
    }
    void learn(KnownOrder& known, const ReadOrder& read);
    order::domain::Action likely_action(order::domain::Status known);

    World& world_;
    ReferenceModel& model_;
    Answers& answers_;
    Network& network_;
    const std::vector<std::string>& skus_;
    std::vector<KnownOrder>& known_;
    const Broker& broker_;
    RandomStream random_;
    const std::string name_;
    const int first_change_;
    const Duration pace_;
    int left_;
    int waiting_for_ = 0;
    int changes_ = 0;
    std::map<std::string, int> keys_;  // the number of keys used, by path
    const OnRead on_read_;
    std::vector<Placement> placements_;
};

void Customer::act() {
    --left_;
    const std::size_t dice = random_.below(100);
    if (known_.empty() || dice < 38) return place();
    if (dice < 72) return change();
    if (dice < 80) return change_details();
    if (dice < 90) {
        ++waiting_for_;
        return read(random_.below(known_.size()));
    }
    if (dice < 92) return ask_for_nothing();
    repeat();
}

// Repeats an earlier placement, or reuses its key with another body.
void Customer::repeat() {
    if (placements_.empty()) return place();
    const std::size_t at = random_.below(placements_.size());
    if (placements_[at].key.empty()) return rest();
    ++waiting_for_;
    if (placements_[at].known && random_.happens(0.25)) return ask_otherwise(placements_[at]);
    world_.trace(name_, "repeats {}", placements_[at].reference);
    send(at, random_.happens(0.25));
}

std::string Customer::draw_items(ModelOrder& asked) {
    std::string items;
    std::string shown;
    std::int64_t total = 0;
    const std::size_t count = 1 + random_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& sku = random_.pick(skus_);
        const auto quantity = static_cast<std::int64_t>(1 + random_.below(4));
        const auto price = static_cast<std::int64_t>(50 * (1 + random_.below(9)));
        const std::string line =
            fmt::format(R"("sku":"{}","quantity":{},"unitAmount":{})", sku, quantity, price);
        // Of a SKU that has stock, so that a reservation for it would be noticed.
        const bool is_tracked = !random_.happens(0.15);
        const std::string_view tracked = is_tracked ? "" : R"(,"tracked":false)";
        if (is_tracked) asked.lines[sku] += quantity;
        total += quantity * price;
        items += fmt::format("{}{{{}{}}}", items.empty() ? "" : ",", line, tracked);
        shown += fmt::format(R"({}{{{},"lineAmount":{}{}}})", shown.empty() ? "" : ",", line,
                             quantity * price, tracked);
    }
    std::string adjustments;
    if (random_.happens(0.2)) {
        const auto discount = static_cast<std::int64_t>(1 + random_.below(50));
        adjustments = fmt::format(
            R"(,"adjustments":[{{"kind":"DISCOUNT","label":"sale","amount":{}}}])", -discount);
        total -= discount;
    }
    asked.after_status =
        fmt::format(R"("currency":"EUR","totalAmount":{},"items":[{}]{},"shippingAddress":{})",
                    total, shown, adjustments, address);
    return "[" + items + "]" + adjustments;
}

void Customer::place() {
    Placement placement;
    placement.reference = fmt::format("{}.{}", name_, placements_.size() + 1);
    if (random_.happens(0.7)) placement.key = "key-" + placement.reference;
    ModelOrder asked;
    const std::string items = draw_items(asked);
    std::string metadata;
    if (random_.happens(0.3))
        metadata = fmt::format(R"(,"metadata":{{"of":"{}","gift":true}})", name_);
    asked.metadata = metadata;
    asked.before_status =
        fmt::format(R"("externalRef":"{}","customerId":"{}")", placement.reference, customer);
    placement.body =
        fmt::format(R"({{"customerId":"{}","currency":"EUR","items":{},"shippingAddress":{},)"
                    R"("externalRef":"{}"{}}})",
                    customer, items, address, placement.reference, metadata);
    model_.order_requested(placement.reference, asked);
    placements_.push_back(std::move(placement));
    ++waiting_for_;
    send(placements_.size() - 1, random_.happens(0.25));
}

void Customer::send(std::size_t at, bool waits) {
    const Placement& placement = placements_[at];
    http::Request request = request_of("POST", "/api/orders", placement.body);
    request.context.correlation_id = placement.reference;
    if (!placement.key.empty()) request.headers.emplace_back("idempotency-key", placement.key);
    if (waits) request.query.emplace_back("wait", "confirmed");
    world_.trace(name_, "asks for {}{}{}", placement.reference,
                 placement.key.empty() ? "" : " with a key", waits ? " and waits" : "");
    const bool is_repeated = placement.known.has_value();
    network_.call(Service::order, std::move(request), !placement.key.empty(),
                  [this, at, waits, is_repeated](const Answer& answer) {
                      hear(at, waits, is_repeated, answer);
                  });
}

void Customer::hear(std::size_t at, bool has_waited, bool is_repeated, const Answer& answer) {
    Placement& placement = placements_[at];
    world_.trace(name_, "hears {} for {}", answer.status, placement.reference);
    if (is_unknown(answer)) {
        // The outcome stays unknown: a request without a key is not sent twice.
        if (placement.key.empty()) return end();
        return again([this, at] { send(at, random_.happens(0.25)); });
    }
    if (answer.status != 201) {
        return world_.broken("no_defects", fmt::format("{} for {}: {}", answer.status,
                                                       placement.reference, answer.body));
    }
    check(placement, has_waited, is_repeated, answer);
    const std::size_t order = *placement.known;
    if (known_[order].status == order::domain::Status::pending && random_.happens(0.3))
        lose_patience(order);
    // An impatient customer reads the order, repeats the request with `wait`, and may read again.
    if (has_waited && random_.happens(0.5)) return read(order);
    if (has_waited || placement.key.empty() ||
        known_[order].status != order::domain::Status::pending || !random_.happens(0.25))
        return end();
    ++waiting_for_;
    read(order);
    again([this, at] { send(at, true); });
}

void Customer::check(Placement& placement, bool has_waited, bool is_repeated,
                     const Answer& answer) {
    const ReadOrder order =
        answers_.order(answer, placement.reference, model_.orders().at(placement.reference));
    if (!placement.known) {
        placement.known = known_.size();
        known_.push_back({placement.reference, order.id});
        model_.order_accepted(placement.reference, order.id);
    }
    KnownOrder& known = known_[*placement.known];
    if (is_repeated && !answer.is_replayed)
        world_.broken("requests_have_one_effect", placement.reference + " is news when repeated");
    if (known.id != order.id) {
        world_.broken("requests_have_one_effect",
                      placement.reference + " was answered with two orders");
    }
    if (!has_waited) {
        if (placement.first) {
            answers_.replay(*placement.first, answer, placement.reference);
        } else {
            placement.first = answer;
        }
    }
    learn(known, order);
}

// Reuses the key with another body. Only a refusal is a correct answer.
void Customer::ask_otherwise(const Placement& placement) {
    world_.trace(name_, "asks otherwise under the key of {}", placement.reference);
    http::Request request = request_of("POST", "/api/orders", placement.body);
    request.body.insert(1, R"("deliveryInstructions":"ring",)");
    request.headers.emplace_back("idempotency-key", placement.key);
    network_.call(Service::order, std::move(request), true, [this](const Answer& answer) {
        if (!is_unknown(answer)) answers_.problem(answer, 422, "idempotency-key-reused");
        end();
    });
}

// Reads or cancels an order that does not exist.
void Customer::ask_for_nothing() {
    ++waiting_for_;
    const Uuid none = uuid_v7(world_.now, random_.next(), random_.next());
    const bool is_read = random_.happens(0.5);
    network_.call(Service::order,
                  request_of(is_read ? "GET" : "POST",
                             "/api/orders/" + none.text() + (is_read ? "" : "/cancel")),
                  false, [this](const Answer& answer) {
                      if (!is_unknown(answer)) answers_.problem(answer, 404, "not-found");
                      end();
                  });
}

// Cancels the order if it is still PENDING when its saga asks inventory again: another replica may
// be saving the order at that time.
void Customer::lose_patience(std::size_t order) {
    constexpr Duration first_retry = std::chrono::seconds(1);  // as in replica.cpp
    ++waiting_for_;
    world_.after(first_retry + random_.between(Duration::zero(), milliseconds(300)), [this, order] {
        if (known_[order].status != order::domain::Status::pending) return end();
        change(order, order::domain::Action::cancel);
    });
}

// Ignores an older version than the known one.
void Customer::learn(KnownOrder& known, const ReadOrder& read) {
    if (read.version < known.version) return;
    known.status = order::domain::status_named(read.status).value_or(known.status);
    known.version = read.version;
}

order::domain::Action Customer::likely_action(order::domain::Status known) {
    using order::domain::Action;
    using order::domain::Status;
    if (random_.happens(0.2)) return Action::cancel;
    if (known == Status::processing) return Action::ship;
    if (known == Status::shipped) return Action::deliver;
    if (known == Status::confirmed || random_.happens(0.7)) return Action::process;
    return random_.happens(0.5) ? Action::ship : Action::cancel;
}

void Customer::change() {
    std::vector<std::size_t> alive;
    std::vector<std::size_t> parked;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        if (order::domain::is_final(known_[i].status)) continue;
        alive.push_back(i);
        if (broker_.may_be_parked(known_[i].id)) parked.push_back(i);
    }
    if (alive.empty()) return rest();
    // Queues of parked events grow, and some later events come while the queue moves.
    const bool is_drawn_to_parked = !parked.empty() && random_.happens(0.5);
    const std::size_t order = random_.pick(is_drawn_to_parked ? parked : alive);
    const bool has_second_thoughts = random_.happens(0.2);
    const bool looks_meanwhile = random_.happens(0.3);
    waiting_for_ += 1 + (has_second_thoughts ? 1 : 0) + (looks_meanwhile ? 1 : 0);
    change(order, likely_action(known_[order].status));
    if (looks_meanwhile) read(order);
    if (has_second_thoughts) change(order, order::domain::Action::cancel);
}

void Customer::change_details() {
    const std::size_t order = random_.below(known_.size());
    ++waiting_for_;
    send(draw_details(order));
}

Change Customer::draw(std::size_t order, order::domain::Action action) {
    const KnownOrder& known = known_[order];
    const int number = first_change_ + ++changes_;
    Change change{.order = order,
                  .name = world_.trace_log.name_of(known.id),
                  .number = number,
                  .attempt = {known.id, action, {}, world_.now},
                  .request = request_of("POST", fmt::format("/api/orders/{}/{}", known.id.text(),
                                                            order::domain::name_of(action))),
                  .has_key = random_.happens(0.5)};
    if (action == order::domain::Action::ship)
        change.request.body =
            fmt::format(R"({{"carrier":"Mail","trackingNumber":"change-{}"}})", number);
    add_headers(change);
    return change;
}

// Draws a change of the delivery instructions, or of the tracking number of an order that has left.
Change Customer::draw_details(std::size_t order) {
    const KnownOrder& known = known_[order];
    const int number = first_change_ + ++changes_;
    const bool has_left = known.status == order::domain::Status::shipped;
    Change change{.order = order,
                  .name = world_.trace_log.name_of(known.id),
                  .number = number,
                  .attempt = {known.id, {}, {}, world_.now},
                  .request = request_of("PATCH", "/api/orders/" + known.id.text()),
                  .has_key = random_.happens(0.5)};
    change.attempt.kind = has_left ? ChangeKind::shipment : ChangeKind::terms;
    change.request.body =
        fmt::format(fmt::runtime(has_left ? R"({{"shipment":{{"trackingNumber":"change-{}"}}}})"
                                          : R"({{"deliveryInstructions":"change-{}"}})"),
                    number);
    add_headers(change);
    return change;
}

void Customer::add_headers(Change& change) {
    const KnownOrder& known = known_[change.order];
    change.request.context.correlation_id = fmt::format("change-{}", change.number);
    // Different paths reuse the same keys: a key is valid for its path only.
    if (change.has_key)
        change.request.headers.emplace_back(
            "idempotency-key", fmt::format("{}-{}", name_, ++keys_[change.request.path]));
    if (random_.happens(0.25)) {
        constexpr std::array<std::int64_t, 4> differences = {0, 0, -1, 1};
        const std::int64_t version =
            std::max<std::int64_t>(1, known.version + random_.pick(differences));
        change.attempt.expected_version = version;
        change.request.headers.emplace_back("if-match", fmt::format("\"{}\"", version));
    }
}

void Customer::change(std::size_t order, order::domain::Action action) {
    send(draw(order, action));
}

void Customer::send(const Change& change) {
    world_.trace(name_, "asks to {} {}{}", change.attempt.name(), change.name,
                 change.has_key ? " with a key" : "");
    const std::string& reference = known_[change.order].reference;
    if (change.attempt.kind == ChangeKind::step) {
        model_.change_sent(reference, change.number, change.attempt.action);
    } else {
        model_.patch_sent(reference, change.number, change.attempt.kind == ChangeKind::shipment);
    }
    network_.call(Service::order, change.request, change.has_key,
                  [this, change](const Answer& answer) { hear(change, answer); });
}

void Customer::hear(const Change& change, const Answer& answer) {
    const KnownOrder& known = known_[change.order];
    const std::string action = change.attempt.name();
    world_.trace(name_, "hears {} to {} {}", answer.status, action, change.name);
    if (is_unknown(answer)) {
        if (!change.has_key) return end();
        return again([this, change] { send(change); });
    }
    if (change.first) {
        answers_.replay(*change.first, answer, fmt::format("to {} {}", action, change.name));
        return end();
    }
    if (answer.status == 200) return succeed(change, answer);
    if (answer.status != 409 && answer.status != 412) {
        return world_.broken(
            answer.status == 404 ? "acknowledged_requests_are_kept" : "no_defects",
            fmt::format("{} to {} {}: {}", answer.status, action, change.name, answer.body));
    }
    answers_.refusal(answer, change.attempt);
    if (!change.has_key && change.attempt.kind == ChangeKind::step)
        model_.change_refused(known.reference, change.number);
    if (!change.has_key && change.attempt.kind != ChangeKind::step)
        model_.patch_refused(known.reference, change.number);
    read(change.order);  // learns the new status
}

void Customer::succeed(Change change, const Answer& answer) {
    KnownOrder& known = known_[change.order];
    const ReadOrder order = answers_.order(answer, known.reference, asked(known));
    if (change.attempt.kind != ChangeKind::step) {
        answers_.patch(order, change.attempt, change.number);
        model_.patch_confirmed(known.reference, change.number, order.version);
        learn(known, order);
        if (change.has_key && random_.happens(0.1)) {
            change.first = answer;
            return send(change);
        }
        return random_.happens(0.5) ? read(change.order) : end();
    }
    answers_.change(order, change.attempt, change.number);
    const auto status = order::domain::status_named(order.status);
    if (!status ||
        !model_.change_confirmed(known.reference, change.number, *status, order.version)) {
        world_.broken(
            "model_allows_every_state",
            fmt::format("to {} {} is answered with {}",
                        order::domain::name_of(change.attempt.action), change.name, order.status));
    }
    learn(known, order);
    if (broker_.may_be_parked(known.id) && !order::domain::is_final(known.status) &&
        random_.happens(0.7))
        return again(
            [this, at = change.order] { this->change(at, likely_action(known_[at].status)); });
    if (change.has_key && random_.happens(0.1)) {
        change.first = answer;
        return send(change);
    }
    if (random_.happens(0.3)) return read(change.order);
    end();
}

void Customer::read(std::size_t order) {
    const bool is_whole = random_.happens(0.7);
    network_.call(
        Service::order,
        request_of("GET", "/api/orders/" + known_[order].id.text() + (is_whole ? "" : "/status")),
        false, [this, order, is_whole, asked_at = world_.now](const Answer& answer) {
            KnownOrder& known = known_[order];
            if (answer.status == 200) {
                const ReadOrder read = is_whole
                                           ? answers_.order(answer, known.reference, asked(known))
                                           : answers_.status(answer);
                if (read.id != known.id)
                    world_.broken("answers_are_true", "a read is answered with another order");
                on_read_(read.id, read.status, read.version, asked_at);
                learn(known, read);
            } else if (!is_unknown(answer)) {
                world_.broken("acknowledged_requests_are_kept",
                              fmt::format("{} for a read of {}", answer.status, known.reference));
            }
            end();
        });
}

}  // namespace

std::unique_ptr<Client> make_customer(const Clients& among, int number, int actions,
                                      OnRead on_read) {
    return std::make_unique<Customer>(among, number, actions, std::move(on_read));
}

http::Request request_of(std::string_view method, std::string path, std::string body) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.body = std::move(body);
    request.context.correlation_id = "simulated";
    return request;
}

bool is_unknown(const Answer& answer) { return answer.status == 0 || answer.status == 503; }

}  // namespace trackops::sim
