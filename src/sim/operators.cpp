#include <algorithm>
#include <set>
#include <utility>

#include "platform/json/reader.hpp"
#include "sim/clients.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

struct Adjustment {
    std::string sku;
    std::int64_t delta = 0;
    std::string reason;
    http::Request request;
    // The first answer, once the request is being repeated.
    std::optional<Answer> first = {};
};

class Operator final : public Client {
public:
    Operator(const Clients& among, int actions)
        : world_(among.world),
          model_(among.model),
          answers_(among.answers),
          network_(among.network),
          skus_(among.skus),
          random_(among.seed, "operator"),
          left_(actions) {}

    void begin() override { rest(); }
    bool is_done() const override { return left_ == 0 && !is_busy_; }

private:
    void rest() {
        is_busy_ = false;
        if (left_ == 0) return;
        world_.after(random_.between(milliseconds(50), milliseconds(1200)), [this] {
            --left_;
            is_busy_ = true;
            adjust();
        });
    }

    void adjust() {
        const std::string& sku = random_.pick(skus_);
        auto delta = static_cast<std::int64_t>(random_.below(12)) - 4;
        if (delta == 0) delta = 6;
        Adjustment adjustment{sku, delta, fmt::format("A{}", ++count_), {}};
        model_.adjustment_sent(adjustment.reason, sku, delta);
        adjustment.request =
            request_of("POST", "/api/inventory/items/" + sku + "/adjustments",
                       fmt::format(R"({{"delta":{},"reason":"{}"}})", delta, adjustment.reason));
        // Different items reuse the same keys: a key is valid for its path only.
        adjustment.request.headers.emplace_back("idempotency-key",
                                                fmt::format("adjust-{}", ++keys_[sku]));
        world_.trace("operator", "adjusts {} by {} ({})", sku, delta, adjustment.reason);
        send(adjustment);
    }

    void send(const Adjustment& adjustment) {
        network_.call(Service::inventory, adjustment.request, true,
                      [this, adjustment](const Answer& answer) { hear(adjustment, answer); });
    }

    void hear(Adjustment adjustment, const Answer& answer) {
        const std::string& reason = adjustment.reason;
        world_.trace("operator", "hears {} for {}", answer.status, reason);
        if (is_unknown(answer)) {
            world_.after(random_.between(milliseconds(50), milliseconds(900)),
                         [this, adjustment] { send(adjustment); });
            return;
        }
        if (adjustment.first) {
            answers_.replay(*adjustment.first, answer, reason);
        } else if (answer.status == 200) {
            model_.adjustment_confirmed(reason);
            check(adjustment, answer);
            if (random_.happens(0.1)) return ask_otherwise(adjustment);
            if (random_.happens(0.2)) {
                adjustment.first = answer;
                return send(adjustment);
            }
        } else if (adjustment.delta > 0 || (answer.status != 409 && answer.status != 422)) {
            world_.broken("no_defects",
                          fmt::format("{} for {}: {}", answer.status, reason, answer.body));
        }
        rest();
    }

    void check(const Adjustment& adjustment, const Answer& answer) {
        const auto document = json::Document::parse(answer.body);
        const auto version = document ? document->root().find("version") : std::nullopt;
        const auto sku = document ? document->root().find("sku") : std::nullopt;
        answers_.etag(answer, version ? version->integer().value_or(0) : 0);
        if (!sku || sku->text().value_or("") != adjustment.sku)
            world_.broken("answers_are_true",
                          fmt::format("{} of {} is answered with {}", adjustment.reason,
                                      adjustment.sku, answer.body));
    }

    // Reuses the key with another body.
    void ask_otherwise(const Adjustment& adjustment) {
        http::Request request = adjustment.request;
        request.body =
            fmt::format(R"({{"delta":{},"reason":"{}"}})", 2 * adjustment.delta, adjustment.reason);
        network_.call(Service::inventory, std::move(request), true, [this](const Answer& answer) {
            if (!is_unknown(answer)) answers_.problem(answer, 422, "idempotency-key-reused");
            rest();
        });
    }

    World& world_;
    ReferenceModel& model_;
    Answers& answers_;
    Network& network_;
    const std::vector<std::string>& skus_;
    RandomStream random_;
    int left_;
    int count_ = 0;
    std::map<std::string, int> keys_;
    bool is_busy_ = false;
};

class Keeper final : public Client {
public:
    Keeper(const Clients& among, Service service)
        : world_(among.world),
          network_(among.network),
          broker_(among.broker),
          service_(service),
          name_(service == Service::inventory ? "stock-keeper" : "order-keeper"),
          random_(among.seed, name_) {}

    void begin() override { rest(false); }
    bool is_done() const override { return true; }  // its work never ends

private:
    void rest(bool has_found) {
        const bool is_soon = has_found || world_.faults.is_fault_free();
        const Duration most = is_soon ? milliseconds(500) : milliseconds(1200);
        world_.after(random_.between(milliseconds(100), most), [this] { look(); });
    }

    void look() {
        http::Request request = request_of("GET", "/api/relay/events");
        request.query = {{"state", "parked"}, {"limit", "500"}};
        network_.call(service_, std::move(request), false, [this](const Answer& answer) {
            if (answer.status != 200) {
                if (!is_unknown(answer)) world_.broken("no_defects", "no list: " + answer.body);
                return rest(false);
            }
            retry_some_of(answer.body);
        });
    }

    // Retries some of the refused events, and sometimes one that waits behind a refused event.
    void retry_some_of(const std::string& body) {
        const auto document = json::Document::parse(body);
        const auto items = document ? document->root().find("items") : std::nullopt;
        if (!items) return world_.broken("no_defects", "no list: " + body);
        bool has_found = false;
        items->each_element([&](std::size_t, json::Value item) {
            const auto id = item.find("id");
            const auto state = item.find("state");
            if (!id || !state) return;
            const bool is_refused = state->text() == "PARKED";
            has_found = has_found || is_refused;
            if (!random_.happens(is_refused ? 0.6 : 0.05)) return;
            const Uuid event = Uuid::parse(id->text().value_or("")).value_or(Uuid{});
            if (retried_.insert(event).second) retry(event);
        });
        rest(has_found);
    }

    void retry(Uuid event) {
        world_.trace(name_, "retries {}", event.text());
        network_.call(service_, request_of("POST", "/api/relay/events/" + event.text() + "/retry"),
                      false, [this, event](const Answer& answer) {
                          retried_.erase(event);
                          hear(event, answer);
                      });
    }

    // 404: the event was published before the retry. 409: it waits behind another event. 422: the
    // bus refuses it again.
    void hear(Uuid event, const Answer& answer) {
        world_.trace(name_, "hears {} for {}", answer.status, event.text());
        if (answer.status == 200) {
            if (!broker_.has_taken(event)) kind(event, answer);
        } else if (answer.status == 422) {
            if (!broker_.has_refused(event)) kind(event, answer);
        } else if (answer.status == 404) {
            if (!broker_.has_taken(event)) kind(event, answer);
        } else if (answer.status != 409 && answer.status != 408 && !is_unknown(answer)) {
            kind(event, answer);
        }
    }
    void kind(Uuid event, const Answer& answer) {
        world_.broken(
            "parked_events_are_listed",
            fmt::format("{} for the retry of {}: {}", answer.status, event.text(), answer.body));
    }

    World& world_;
    Network& network_;
    const Broker& broker_;
    const Service service_;
    const std::string name_;
    RandomStream random_;
    std::set<Uuid> retried_;  // the retries that are not answered yet
};

}  // namespace

std::unique_ptr<Client> make_operator(const Clients& among, int actions) {
    return std::make_unique<Operator>(among, actions);
}

std::unique_ptr<Client> make_keeper(const Clients& among, Service service) {
    return std::make_unique<Keeper>(among, service);
}

}  // namespace trackops::sim
