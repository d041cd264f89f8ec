#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "platform/json/reader.hpp"
#include "sim/clients.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;

constexpr int first_change = 900'000'000;  // behind the numbers of customers

// A change of a customer, and what the model says once it is answered.
struct Registration {
    http::Request request;
    std::vector<int> expected;  // statuses that the answer may have
    std::function<void(ModelCustomer&, const Answer&)> confirm;
    // The first answer, and the customer, once the request may be repeated.
    std::optional<Answer> first = {};
    std::string customer = {};
};

// An order of a customer of the registrar.
struct Booking {
    std::string reference;
    std::string sku;
    Uuid id;
    bool is_final = false;  // known to be CANCELLED
};

// Changes customers that nobody else changes, places and cancels orders by their addresses, and
// erases them. One request follows the other, each with a key and repeated until it is answered. So
// the model knows each customer exactly.
class Registrar final : public Client {
public:
    Registrar(const Clients& among, int actions)
        : world_(among.world),
          model_(among.model),
          answers_(among.answers),
          network_(among.network),
          skus_(among.skus),
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
            send(!past_.empty() && random_.happens(0.15) ? random_.pick(past_) : draw());
        });
    }

    Registration draw() {
        if (ids_.empty() || random_.happens(0.15)) return create();
        id_ = random_.pick(ids_);
        const ModelCustomer& customer = model_.customers().at(id_);
        const std::size_t dice = random_.below(100);
        if (dice < 10) return erase();
        if (customer.addresses.empty() || dice < 30) return add_address();
        if (dice < 40) return rename();
        std::vector<Booking>& bookings = bookings_[id_];
        const auto open = std::ranges::find(bookings, false, &Booking::is_final);
        if (dice < 55 && open != bookings.end()) return cancel(*open);
        const auto chosen =
            std::next(customer.addresses.begin(),
                      static_cast<std::ptrdiff_t>(random_.below(customer.addresses.size())));
        if (dice < 75) return place(chosen->first, chosen->second);
        return dice < 90 ? move_default(chosen->first) : delete_address(chosen->first);
    }

    Registration create() {
        id_ = fmt::format("C {}", ++made_);
        ids_.push_back(id_);
        model_.customers()[id_].name = id_;
        return {
            request("POST", "/api/customers", fmt::format(R"({{"id":"{0}","name":"{0}"}})", id_)),
            {201},
            [](ModelCustomer&, const Answer&) {}};
    }
    Registration rename() {
        const std::string name = fmt::format("name {}", ++count_);
        return {request("PATCH", path(), fmt::format(R"({{"name":"{}"}})", name)),
                {200},
                [name](ModelCustomer& customer, const Answer&) {
                    customer.name = name;
                    ++customer.version;
                }};
    }
    Registration add_address() {
        const bool becomes_default = random_.happens(0.3);
        return {request("POST", path() + "/addresses",
                        fmt::format(R"({{"line1":"{} Pier","city":"Cork","country":"IE",)"
                                    R"("isDefault":{}}})",
                                    ++count_, becomes_default)),
                {201},
                [becomes_default](ModelCustomer& customer, const Answer& answer) {
                    const std::string id = text_in(answer, "id");
                    customer.addresses[id] = text_in(answer, "line1");
                    if (becomes_default || customer.addresses.size() == 1)
                        customer.default_address = id;
                }};
    }
    Registration move_default(const std::string& address) {
        return {request("PATCH", path() + "/addresses/" + address, R"({"isDefault":true})"),
                {200},
                [address](ModelCustomer& customer, const Answer&) {
                    customer.default_address = address;
                }};
    }
    Registration delete_address(const std::string& address) {
        return {request("DELETE", path() + "/addresses/" + address, ""),
                {204},
                [address](ModelCustomer& customer, const Answer&) {
                    customer.addresses.erase(address);
                    if (customer.default_address != address) return;
                    // The ids of addresses grow, so the first one is the oldest.
                    customer.default_address =
                        customer.addresses.empty() ? "" : customer.addresses.begin()->first;
                }};
    }

    // Returns the members of an order behind its status.
    static std::string shown(std::string_view sku, std::string_view line1, std::string_view city) {
        return fmt::format(
            R"("currency":"EUR","totalAmount":100,"items":[{{"sku":"{}","quantity":1,)"
            R"("unitAmount":100,"lineAmount":100}}],"shippingAddress":{{"line1":"{}",)"
            R"("city":"{}","country":"IE"}})",
            sku, line1, city);
    }
    Registration place(const std::string& address, const std::string& line1) {
        const std::string& sku = random_.pick(skus_);
        ModelOrder asked{.lines = {{sku, 1}}, .customer = id_, .address_line = line1};
        const std::string reference = fmt::format("booking {}", ++count_);
        asked.before_status =
            fmt::format(R"("externalRef":"{}","customerId":"{}")", reference, id_);
        asked.after_status = shown(sku, line1, "Cork");
        model_.order_requested(reference, asked);
        http::Request made =
            request("POST", "/api/orders",
                    fmt::format(R"({{"customerId":"{}","externalRef":"{}","currency":"EUR",)"
                                R"("items":[{{"sku":"{}","quantity":1,"unitAmount":100}}],)"
                                R"("shippingAddressId":"{}"}})",
                                id_, reference, sku, address));
        made.context.correlation_id = reference;
        return {
            std::move(made), {201}, [this, reference, sku](ModelCustomer&, const Answer& answer) {
                const ReadOrder order =
                    answers_.order(answer, reference, model_.orders().at(reference));
                model_.order_accepted(reference, order.id);
                bookings_[id_].push_back({reference, sku, order.id});
            }};
    }
    // Nobody else changes the order but inventory, which may have refused it.
    Registration cancel(Booking& booking) {
        const int number = first_change + ++count_;
        const Attempt attempt{booking.id, order::domain::Action::cancel, {}, world_.now};
        http::Request made =
            request("POST", fmt::format("/api/orders/{}/cancel", booking.id.text()), "");
        made.context.correlation_id = fmt::format("change-{}", number);
        model_.change_sent(booking.reference, number, attempt.action);
        return {std::move(made),
                {200, 409},
                [this, number, attempt, &booking](ModelCustomer&, const Answer& answer) {
                    booking.is_final = true;
                    if (answer.status == 409) return answers_.refusal(answer, attempt);
                    const ReadOrder order = answers_.order(answer, booking.reference,
                                                           model_.orders().at(booking.reference));
                    answers_.change(order, attempt, number);
                    if (!model_.change_confirmed(booking.reference, number,
                                                 order::domain::Status::cancelled, order.version))
                        world_.broken("model_allows_every_state", booking.reference);
                }};
    }
    Registration erase() {
        const bool all_final = std::ranges::all_of(bookings_[id_], &Booking::is_final);
        http::Request made = request("POST", path() + "/erase", "");
        made.context.correlation_id = "erase " + id_;
        return {std::move(made), all_final ? std::vector{200} : std::vector{200, 409},
                [this](ModelCustomer&, const Answer& answer) {
                    if (answer.status == 409) return;
                    for (const Booking& booking : bookings_[id_])
                        model_.order_erased(booking.reference,
                                            shown(booking.sku, "erased", "erased"));
                    model_.customer_erased(id_);
                    std::erase(ids_, id_);
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
            Answer expected = *registration.first;
            const auto& erased = model_.erased_customers();
            if (std::ranges::find(erased, registration.customer) != erased.end())
                expected.body = answer.body;  // it shows no person any more
            answers_.replay(expected, answer, what);
            return rest();
        }
        if (std::ranges::find(registration.expected, answer.status) ==
            registration.expected.end()) {
            return world_.broken("customers_are_kept",
                                 fmt::format("{} to {}: {}", answer.status, what, answer.body));
        }
        registration.confirm(model_.customers().at(id_), answer);
        if (answer.status < 300) {  // a refusal is not recorded
            registration.first = answer;
            registration.customer = id_;
            past_.push_back(std::move(registration));
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
    const std::vector<std::string>& skus_;
    RandomStream random_;
    int left_;
    int count_ = 0;
    int keys_ = 0;
    bool is_busy_ = false;
    std::string id_;  // the customer of the present request
    std::vector<std::string> ids_;
    int made_ = 0;                                          // customers, with those that are erased
    std::map<std::string, std::vector<Booking>> bookings_;  // by customer
    std::vector<Registration> past_;                        // requests that were answered
};

}  // namespace

std::unique_ptr<Client> make_registrar(const Clients& among, int actions) {
    return std::make_unique<Registrar>(among, actions);
}

}  // namespace trackops::sim
