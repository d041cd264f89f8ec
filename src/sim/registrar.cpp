#include <algorithm>
#include <utility>

#include "platform/json/reader.hpp"
#include "sim/clients.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

// A change of a customer, and what the model says once it is answered.
struct Registration {
    http::Request request;
    int expected = 0;  // the status of the answer
    std::function<void(ModelCustomer&, const Answer&)> confirm;
    // The first answer, once the request is being repeated.
    std::optional<Answer> first = {};
};

// Changes customers that nobody else changes, one request after the other, each with a key and
// repeated until it is answered. So the model knows each customer exactly.
class Registrar final : public Client {
public:
    Registrar(const Clients& among, int actions)
        : world_(among.world),
          model_(among.model),
          answers_(among.answers),
          network_(among.network),
          random_(among.seed, "registrar"),
          left_(actions) {}

    void begin() override { rest(); }
    bool is_done() const override { return left_ == 0 && !is_busy_; }

private:
    void rest() {
        is_busy_ = false;
        if (left_ == 0) return;
        world_.after(random_.between(milliseconds(20), milliseconds(900)), [this] {
            --left_;
            is_busy_ = true;
            send(draw());
        });
    }

    Registration draw() {
        if (ids_.empty() || random_.happens(0.15)) return create();
        id_ = random_.pick(ids_);
        const ModelCustomer& customer = model_.customers().at(id_);
        const std::size_t dice = random_.below(100);
        if (customer.addresses.empty() || dice < 40) return add_address();
        if (dice < 55) return rename();
        const auto chosen =
            std::next(customer.addresses.begin(),
                      static_cast<std::ptrdiff_t>(random_.below(customer.addresses.size())));
        return dice < 75 ? move_default(chosen->first) : delete_address(chosen->first);
    }

    Registration create() {
        id_ = fmt::format("C {}", ids_.size() + 1);
        ids_.push_back(id_);
        model_.customers()[id_].name = id_;
        return {
            request("POST", "/api/customers", fmt::format(R"({{"id":"{0}","name":"{0}"}})", id_)),
            201, [](ModelCustomer&, const Answer&) {}};
    }
    Registration rename() {
        const std::string name = fmt::format("name {}", ++count_);
        return {request("PATCH", path(), fmt::format(R"({{"name":"{}"}})", name)), 200,
                [name](ModelCustomer& customer, const Answer&) {
                    customer.name = name;
                    ++customer.version;
                }};
    }
    Registration add_address() {
        const bool becomes_default = random_.happens(0.3);
        return {request("POST", path() + "/addresses",
                        fmt::format(R"({{"line1":"{} Quay","city":"Cork","country":"IE",)"
                                    R"("isDefault":{}}})",
                                    ++count_, becomes_default)),
                201, [becomes_default](ModelCustomer& customer, const Answer& answer) {
                    const std::string id = text_in(answer, "id");
                    customer.addresses[id] = text_in(answer, "line1");
                    if (becomes_default || customer.addresses.size() == 1)
                        customer.default_address = id;
                }};
    }
    Registration move_default(const std::string& address) {
        return {request("PATCH", path() + "/addresses/" + address, R"({"isDefault":true})"), 200,
                [address](ModelCustomer& customer, const Answer&) {
                    customer.default_address = address;
                }};
    }
    Registration delete_address(const std::string& address) {
        return {request("DELETE", path() + "/addresses/" + address, ""), 204,
                [address](ModelCustomer& customer, const Answer&) {
                    customer.addresses.erase(address);
                    if (customer.default_address != address) return;
                    // The ids of addresses grow, so the first one is the oldest.
                    customer.default_address =
                        customer.addresses.empty() ? "" : customer.addresses.begin()->first;
                }};
    }

    std::string path() const {
        return "/api/customers/" + id_;  // the router of the simulator takes decoded paths
    }
    http::Request request(std::string_view method, std::string at, std::string body) {
        http::Request made = request_of(method, std::move(at), std::move(body));
        made.headers.emplace_back("idempotency-key", fmt::format("registrar-{}", ++keys_));
        return made;
    }

    void send(const Registration& registration) {
        world_.trace("registrar", "{} {}", registration.request.method, registration.request.path);
        network_.call(Service::order, registration.request, true,
                      [this, registration](const Answer& answer) { hear(registration, answer); });
    }

    void hear(Registration registration, const Answer& answer) {
        world_.trace("registrar", "hears {}", answer.status);
        if (is_unknown(answer)) {
            world_.after(random_.between(milliseconds(50), milliseconds(900)),
                         [this, registration] { send(registration); });
            return;
        }
        const std::string what =
            fmt::format("{} {}", registration.request.method, registration.request.path);
        if (registration.first) {
            answers_.replay(*registration.first, answer, what);
            return rest();
        }
        if (answer.status != registration.expected) {
            return world_.broken("customers_are_kept",
                                 fmt::format("{} to {}: {}", answer.status, what, answer.body));
        }
        registration.confirm(model_.customers().at(id_), answer);
        if (random_.happens(0.2)) {
            registration.first = answer;
            return send(registration);
        }
        rest();
    }

    static std::string text_in(const Answer& answer, std::string_view name) {
        const auto document = json::Document::parse(answer.body);
        const auto member = document ? document->root().find(name) : std::nullopt;
        return member ? std::string(member->text().value_or("")) : std::string();
    }

    World& world_;
    ReferenceModel& model_;
    Answers& answers_;
    Network& network_;
    RandomStream random_;
    int left_;
    int count_ = 0;
    int keys_ = 0;
    bool is_busy_ = false;
    std::string id_;  // the customer of the present request
    std::vector<std::string> ids_;
};

}  // namespace

std::unique_ptr<Client> make_registrar(const Clients& among, int actions) {
    return std::make_unique<Registrar>(among, actions);
}

}  // namespace trackops::sim
