#include "sim/people.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "platform/json/reader.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

// No answer, or one that says that it may be asked again.
bool is_unknown(const Answer& answer) { return answer.status == 0 || answer.status == 503; }

struct Placement {
    std::string reference;
    std::string key;  // "": sent once, without one
    std::string body;
    std::string first_answer;          // to the call without waiting
    std::optional<std::size_t> known;  // among the known orders
};

struct Change {
    std::size_t order = 0;  // among the known orders
    std::string name;
    int number = 0;
    order::Action action = order::Action::process;
    http::Request request;
    bool has_key = false;
};

class Customer final : public Person {
public:
    Customer(const People& among, int number, int actions, OnRead on_read)
        : world_(among.world),
          shop_(among.shop),
          network_(among.network),
          skus_(among.skus),
          known_(among.known),
          chance_(among.seed, fmt::format("customer {}", number)),
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
        world_.after(chance_.between(milliseconds(1), pace_), [this] { act(); });
    }
    // An answer has come that asks for nothing more.
    void end() {
        if (--waiting_for_ == 0) rest();
    }
    void again(std::function<void()> what) {
        world_.after(chance_.between(milliseconds(50), milliseconds(900)), std::move(what));
    }
    void act();
    void place();
    void send(std::size_t at);
    void hear(std::size_t at, bool has_waited, const Answer& answer);
    void change();
    void change(std::size_t order, order::Action action);
    void send(const Change& change);
    void hear(const Change& change, const Answer& answer);
    void read(std::size_t order);
    void learn(KnownOrder& known, const ReadOrder& read);
    order::Action likely_action(order::Status known);

    World& world_;
    Shop& shop_;
    Network& network_;
    const std::vector<std::string>& skus_;
    std::vector<KnownOrder>& known_;
    Chance chance_;
    const std::string name_;
    const int first_change_;
    const Duration pace_;
    int left_;
    int waiting_for_ = 0;
    int changes_ = 0;
    const OnRead on_read_;
    std::vector<Placement> placements_;
};

void Customer::act() {
    --left_;
    const std::size_t dice = chance_.below(100);
    if (known_.empty() || dice < 40) return place();
    if (dice < 85) return change();
    if (dice < 93) {
        ++waiting_for_;
        return read(chance_.below(known_.size()));
    }
    // Repeats what was asked long ago.
    if (placements_.empty()) return place();
    const std::size_t at = chance_.below(placements_.size());
    if (placements_[at].key.empty()) return rest();
    world_.tell(name_, "repeats {}", placements_[at].reference);
    ++waiting_for_;
    send(at);
}

void Customer::place() {
    Placement placement;
    placement.reference = fmt::format("{}.{}", name_, placements_.size() + 1);
    if (chance_.happens(0.7)) placement.key = "key-" + placement.reference;
    Lines lines;
    std::string items;
    const std::size_t count = 1 + chance_.below(3);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& sku = chance_.one_of(skus_);
        const auto quantity = static_cast<std::int64_t>(1 + chance_.below(4));
        lines[sku] += quantity;
        items += fmt::format(R"({}{{"sku":"{}","quantity":{},"unitAmount":250}})",
                             items.empty() ? "" : ",", sku, quantity);
    }
    placement.body = fmt::format(
        R"({{"customerId":"018f0000-0000-7000-8000-000000000001","currency":"EUR","items":[{}],)"
        R"("shippingAddress":{{"line1":"1 Quay","city":"Cork","postalCode":"T12","country":"IE"}},)"
        R"("externalRef":"{}"}})",
        items, placement.reference);
    shop_.asks_for(placement.reference, lines);
    placements_.push_back(std::move(placement));
    ++waiting_for_;
    send(placements_.size() - 1);
}

void Customer::send(std::size_t at) {
    const Placement& placement = placements_[at];
    http::Request request = request_of("POST", "/api/orders", placement.body);
    if (!placement.key.empty()) request.headers.emplace_back("idempotency-key", placement.key);
    const bool waits = chance_.happens(0.25);
    if (waits) request.query.emplace_back("wait", "confirmed");
    world_.tell(name_, "asks for {}{}{}", placement.reference,
                placement.key.empty() ? "" : " with a key", waits ? " and waits" : "");
    network_.call(Service::order, std::move(request), !placement.key.empty(),
                  [this, at, waits](const Answer& answer) { hear(at, waits, answer); });
}

void Customer::hear(std::size_t at, bool has_waited, const Answer& answer) {
    Placement& placement = placements_[at];
    world_.tell(name_, "hears {} for {}", answer.status, placement.reference);
    if (is_unknown(answer)) {
        if (placement.key.empty()) return end();  // who knows; it is not sent twice
        return again([this, at] { send(at); });
    }
    if (answer.status != 201) {
        return world_.broken("no_defects", fmt::format("{} for {}: {}", answer.status,
                                                       placement.reference, answer.body));
    }
    const ReadOrder order = read_order(answer.body);
    if (!placement.known) {
        placement.known = known_.size();
        known_.push_back({placement.reference, order.id});
        shop_.placed(placement.reference, order.id);
    }
    KnownOrder& known = known_[*placement.known];
    if (known.id != order.id) {
        world_.broken("requests_have_one_effect",
                      placement.reference + " was answered with two orders");
    }
    if (!has_waited) {
        if (!placement.first_answer.empty() && placement.first_answer != answer.body)
            world_.broken("requests_have_one_effect",
                          placement.reference + " was answered differently when repeated");
        placement.first_answer = answer.body;
    }
    learn(known, order);
    end();
}

// What is old is no news.
void Customer::learn(KnownOrder& known, const ReadOrder& read) {
    if (read.version < known.version) return;
    known.status = order::status_named(read.status).value_or(known.status);
    known.version = read.version;
}

order::Action Customer::likely_action(order::Status known) {
    using order::Action;
    using order::Status;
    if (chance_.happens(0.2)) return Action::cancel;
    if (known == Status::processing) return Action::ship;
    if (known == Status::shipped) return Action::deliver;
    if (known == Status::confirmed || chance_.happens(0.7)) return Action::process;
    return chance_.happens(0.5) ? Action::ship : Action::cancel;
}

void Customer::change() {
    std::vector<std::size_t> alive;
    for (std::size_t i = 0; i < known_.size(); ++i) {
        if (!order::is_final(known_[i].status)) alive.push_back(i);
    }
    if (alive.empty()) return rest();
    const std::size_t order = chance_.one_of(alive);
    const bool has_second_thoughts = chance_.happens(0.2);
    waiting_for_ += has_second_thoughts ? 2 : 1;
    change(order, likely_action(known_[order].status));
    if (has_second_thoughts) change(order, order::Action::cancel);
}

void Customer::change(std::size_t order, order::Action action) {
    const KnownOrder& known = known_[order];
    Change change{.order = order,
                  .name = world_.story.name_of(known.id),
                  .number = first_change_ + ++changes_,
                  .action = action,
                  .request = request_of("POST", fmt::format("/api/orders/{}/{}", known.id.text(),
                                                            order::name_of(action))),
                  .has_key = chance_.happens(0.5)};
    if (change.has_key)
        change.request.headers.emplace_back("idempotency-key", fmt::format("c{}", change.number));
    if (chance_.happens(0.15))
        change.request.headers.emplace_back("if-match", fmt::format("\"{}\"", known.version));
    send(change);
}

void Customer::send(const Change& change) {
    world_.tell(name_, "asks to {} {}{}", order::name_of(change.action), change.name,
                change.has_key ? " with a key" : "");
    shop_.sends(known_[change.order].reference, change.number, change.action);
    network_.call(Service::order, change.request, change.has_key,
                  [this, change](const Answer& answer) { hear(change, answer); });
}

void Customer::hear(const Change& change, const Answer& answer) {
    KnownOrder& known = known_[change.order];
    world_.tell(name_, "hears {} to {} {}", answer.status, order::name_of(change.action),
                change.name);
    if (is_unknown(answer)) {
        if (!change.has_key) return end();
        return again([this, change] { send(change); });
    }
    if (answer.status == 200) {
        const ReadOrder order = read_order(answer.body);
        const auto status = order::status_named(order.status);
        if (!status || !shop_.hears(known.reference, change.number, *status, order.version)) {
            world_.broken("the_model_allows_it",
                          fmt::format("to {} {} is answered with {}", order::name_of(change.action),
                                      change.name, order.status));
        }
        learn(known, order);
        return end();
    }
    if (answer.status != 409 && answer.status != 412) {
        return world_.broken(answer.status == 404 ? "acknowledged_requests_are_kept" : "no_defects",
                             fmt::format("{} to {} {}: {}", answer.status,
                                         order::name_of(change.action), change.name, answer.body));
    }
    if (!change.has_key) shop_.hears_refusal(known.reference, change.number);
    read(change.order);  // learns what it has become
}

void Customer::read(std::size_t order) {
    network_.call(Service::order, request_of("GET", "/api/orders/" + known_[order].id.text()),
                  false, [this, order, asked_at = world_.now](const Answer& answer) {
                      KnownOrder& known = known_[order];
                      if (answer.status == 200) {
                          const ReadOrder read = read_order(answer.body);
                          on_read_(read.id, read.status, read.version, asked_at);
                          learn(known, read);
                      } else if (!is_unknown(answer)) {
                          world_.broken(
                              "acknowledged_requests_are_kept",
                              fmt::format("{} for a read of {}", answer.status, known.reference));
                      }
                      end();
                  });
}

class Operator final : public Person {
public:
    Operator(const People& among, int actions)
        : world_(among.world),
          shop_(among.shop),
          network_(among.network),
          skus_(among.skus),
          chance_(among.seed, "operator"),
          left_(actions) {}

    void begin() override { rest(); }
    bool is_done() const override { return left_ == 0 && !is_busy_; }

private:
    void rest() {
        is_busy_ = false;
        if (left_ == 0) return;
        world_.after(chance_.between(milliseconds(50), milliseconds(1200)), [this] {
            --left_;
            is_busy_ = true;
            adjust();
        });
    }

    void adjust() {
        const std::string& sku = chance_.one_of(skus_);
        auto delta = static_cast<std::int64_t>(chance_.below(12)) - 4;
        if (delta == 0) delta = 6;
        const std::string reason = fmt::format("A{}", ++count_);
        shop_.adjusts(reason, sku, delta);
        http::Request request =
            request_of("POST", "/api/inventory/items/" + sku + "/adjustments",
                       fmt::format(R"({{"delta":{},"reason":"{}"}})", delta, reason));
        request.headers.emplace_back("idempotency-key", "adjust-" + reason);
        world_.tell("operator", "adjusts {} by {} ({})", sku, delta, reason);
        send(reason, request);
    }

    void send(const std::string& reason, const http::Request& request) {
        network_.call(
            Service::inventory, request, true, [this, reason, request](const Answer& answer) {
                world_.tell("operator", "hears {} for {}", answer.status, reason);
                if (is_unknown(answer)) {
                    world_.after(chance_.between(milliseconds(50), milliseconds(900)),
                                 [this, reason, request] { send(reason, request); });
                    return;
                }
                if (answer.status == 200) {
                    shop_.adjusted(reason);
                } else if (answer.status != 409 && answer.status != 422) {
                    world_.broken("no_defects",
                                  fmt::format("{} for {}: {}", answer.status, reason, answer.body));
                }
                rest();
            });
    }

    World& world_;
    Shop& shop_;
    Network& network_;
    const std::vector<std::string>& skus_;
    Chance chance_;
    int left_;
    int count_ = 0;
    bool is_busy_ = false;
};

}  // namespace

std::unique_ptr<Person> make_customer(const People& among, int number, int actions,
                                      OnRead on_read) {
    return std::make_unique<Customer>(among, number, actions, std::move(on_read));
}

std::unique_ptr<Person> make_operator(const People& among, int actions) {
    return std::make_unique<Operator>(among, actions);
}

http::Request request_of(std::string_view method, std::string path, std::string body) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.body = std::move(body);
    request.correlation_id = "simulated";
    return request;
}

ReadOrder read_order(const std::string& body) {
    const auto document = json::Document::parse(body);
    if (!document) throw std::logic_error("an answer that is no JSON: " + body);
    const auto text = [&](std::string_view name) {
        const auto member = document->root().find(name);
        return std::string(member ? member->text().value_or("") : "");
    };
    const auto version = document->root().find("version");
    return {Uuid::parse(text("id")).value_or(Uuid{}), text("status"),
            version ? version->integer().value_or(0) : 0};
}

}  // namespace trackops::sim
