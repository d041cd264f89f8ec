#include "sim/replica.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/outbox/relay.hpp"
#include "platform/outbox/routes.hpp"
#include "platform/outbox/source.hpp"
#include "sim/crash.hpp"
#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration backoff_min = milliseconds(100);  // as runtime::Threads
constexpr Duration backoff_max = seconds(5);
constexpr Duration looks_again = seconds(1);  // a pump that would wait inside, when nobody woke it

class OrderProgram final : public Program {
public:
    OrderProgram(const order::Ports& ports, std::function<void()> on_events_committed)
        : application_(ports, {.patience = {.reserve_deadline = seconds(8),
                                            .release_deadline = std::chrono::hours(1),
                                            .first_retry = seconds(1),
                                            .max_retry = seconds(4)},
                               .on_events_committed = std::move(on_events_committed)}) {
        order::migrate(ports.database, ports.metrics);
        application_.listen();
    }
    std::vector<http::Route> routes() override { return application_.routes(); }
    std::vector<runtime::NamedPump> pumps() override { return application_.pumps(); }
    void end() override {
        application_.let_waiting_go();
        application_.close();
    }

private:
    order::Application application_;
};

class InventoryProgram final : public Program {
public:
    InventoryProgram(const inventory::Ports& ports, const std::string& holder,
                     std::function<void(runtime::Pump&)> on_events_committed)
        : application_(ports, {.relay_holder = holder,
                               .on_events_committed = std::move(on_events_committed)}) {
        inventory::migrate(ports.database, ports.metrics);
        application_.listen();
    }
    std::vector<http::Route> routes() override { return application_.routes(); }
    std::vector<runtime::NamedPump> pumps() override { return application_.pumps(); }
    void end() override { application_.close(); }

private:
    inventory::Application application_;
};

// Takes few at a time, so that windows stay open; planted, it confirms what it has read before
// anybody has published it.
class GuidedSource final : public outbox::Source {
public:
    GuidedSource(std::unique_ptr<outbox::Source> real, std::size_t most, bool is_hasty)
        : real_(std::move(real)), most_(most), is_hasty_(is_hasty) {}
    std::string_view name() const override { return real_->name(); }
    bool claim() override { return real_->claim(); }
    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        auto events = real_->read(std::min(max, most_));
        if (is_hasty_) real_->confirm();
        return events;
    }
    void confirm() override { real_->confirm(); }
    void rewind() override { real_->rewind(); }
    outbox::Backlog backlog(Instant now) override { return real_->backlog(now); }
    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        return real_->unconfirmed(after, max);
    }

private:
    const std::unique_ptr<outbox::Source> real_;
    const std::size_t most_;
    const bool is_hasty_;
};

std::unique_ptr<outbox::Source> relay_source(sql::Database& database, World& world) {
    constexpr std::array<std::size_t, 3> few = {1, 4, 100};
    const std::size_t most = database.dialect() == sql::Dialect::postgres
                                 ? world.transactions.one_of(few)
                                 : std::numeric_limits<std::size_t>::max();
    const bool is_hasty = world.mutant != nullptr && world.mutant->wrong == Wrong::confirms_unsent;
    return std::make_unique<GuidedSource>(outbox::make_poll_source(database), most, is_hasty);
}

class RelayProgram final : public Program {
public:
    RelayProgram(sql::Database& database, std::unique_ptr<outbox::Source> source, SimBus& bus,
                 const Clock& clock, const std::string& holder, telemetry::Registry& metrics)
        : relay_(database, std::move(source), bus, clock, {.holder = holder}, metrics) {}
    std::vector<http::Route> routes() override { return outbox::relay_routes(relay_); }
    std::vector<runtime::NamedPump> pumps() override { return {{"relay", relay_}}; }

private:
    outbox::Relay relay_;
};

constexpr auto service_names = std::to_array<std::string_view>({"order", "inventory", "relay"});

std::string site_name(Service service, int number) {
    return fmt::format("{}-{}", service_names[static_cast<std::size_t>(service)], number);
}

// The way back from a handler: an answer of a process that has died goes nowhere.
class SimExchange final : public http::Reply::Exchange {
public:
    SimExchange(Replica& replica, http::Request request, std::function<void(const Answer&)> answer)
        : replica_(replica),
          start_(replica.starts()),
          request_(std::move(request)),
          answer_(std::move(answer)) {}
    ~SimExchange() override {
        if (!is_answered_) complete({.status = 500, .body = "the handler let go of the request"});
    }
    const http::Request& request() const override { return request_; }
    void complete(http::Response response) override {
        Site& site = replica_.site();
        if (is_answered_)
            site.world.broken("requests_are_answered_once", request_.path + " is answered twice");
        is_answered_ = true;
        if (site.is_doomed || site.is_gone || start_ != replica_.starts()) return;
        const bool is_replayed =
            std::ranges::find(response.headers, "Idempotency-Replayed", [](const auto& header) {
                return header.first;
            }) != response.headers.end();
        answer_({response.status, std::move(response.body), is_replayed});
    }

private:
    Replica& replica_;
    const std::int64_t start_;
    const http::Request request_;
    const std::function<void(const Answer&)> answer_;
    bool is_answered_ = false;
};

}  // namespace

Replica::Replica(World& world, const Servers& servers, Service service, int number,
                 std::uint64_t seed)
    : world_(world),
      servers_(servers),
      service_(service),
      site_{world, site_name(service, number)},
      clock_(site_),
      steady_clock_(world),
      ids_(clock_, seed, site_.name),
      database_(site_, service == Service::inventory ? servers.stock : servers.orders),
      bus_(site_, servers.broker),
      cache_(site_, servers.cache) {
    if (service == Service::relay && servers.unordered != nullptr)
        unordered_.emplace(site_, *servers.unordered);
}

Replica::~Replica() {
    site_.is_gone = true;
    pumps_.clear();
    router_.reset();
    program_.reset();
}

void Replica::start() {
    guarded("start", [this] {
        ++starts_;
        // A name nobody else has, as a process draws it at its start.
        const std::string holder = fmt::format("{}.{}", site_.name, starts_);
        std::unique_ptr<Program> program;
        if (service_ == Service::order) {
            program =
                std::make_unique<OrderProgram>(order::Ports{database_, cache_, bus_, clock_, ids_,
                                                            servers_.metrics, &steady_clock_},
                                               [] {});
        } else if (service_ == Service::inventory) {
            program = std::make_unique<InventoryProgram>(
                inventory::Ports{database_, database_, bus_, clock_, ids_, servers_.metrics,
                                 &steady_clock_},
                holder, [this](runtime::Pump&) { wake("stock-relay"); });
        } else {
            program = std::make_unique<RelayProgram>(
                database_, relay_source(unordered_ ? *unordered_ : database_, world_), bus_, clock_,
                holder, servers_.metrics);
        }
        router_ = std::make_unique<http::Router>(program->routes());
        for (runtime::NamedPump& pump : program->pumps()) pumps_.push_back({pump, world_.now});
        program_ = std::move(program);
        world_.tell(site_.name, "is up");
    });
    if (program_ == nullptr && !site_.is_doomed) come_back(milliseconds(200), seconds(1));
    bury_if_dead();
}

// The one place where a crash is caught. What else comes out is told and counted by a driver.
template <class Work>
void Replica::guarded(std::string_view what, Work work) {
    ++frames_;
    try {
        work();
    } catch (const Crash&) {
        site_.is_doomed = true;  // bury_if_dead() follows, once nothing of it is on the stack
    } catch (const std::logic_error& defect) {
        world_.broken("no_defects", fmt::format("{}: {}: {}", site_.name, what, defect.what()));
    } catch (const sql::Failure& failure) {
        if (failure.fault == sql::Fault::broken || failure.fault == sql::Fault::culprit)
            world_.broken("no_defects",
                          fmt::format("{}: {}: {}", site_.name, what, failure.what()));
        world_.tell(site_.name, "{} fails: {}", what, failure.what());
    } catch (const std::exception& failure) {
        world_.tell(site_.name, "{} fails: {}", what, failure.what());
    }
    --frames_;
}

void Replica::run(Driven& driven) {
    driven.is_running = true;
    bool is_well = false;
    guarded(driven.pump.name, [&] {
        const runtime::Progress progress = driven.pump.pump.run(Duration::zero());
        is_well = true;
        const bool waits_inside = progress.done == 0 && progress.call_again_in <= Duration::zero();
        driven.due = world_.now + (waits_inside ? looks_again : progress.call_again_in);
    });
    driven.is_running = false;
    if (is_well) {
        driven.backoff = Duration::zero();
    } else {
        driven.backoff = std::clamp(driven.backoff * 2, backoff_min, backoff_max);
        driven.due = world_.now + driven.backoff;
    }
    bury_if_dead();
}

void Replica::wake(std::string_view pump) {
    for (Driven& driven : pumps_) {
        if (driven.backoff == Duration::zero() && (pump.empty() || driven.pump.name == pump)) {
            driven.due = std::min(driven.due, world_.now);
            driven.pump.pump.wake();
        }
    }
}

void Replica::serve(http::Request request, std::function<void(const Answer&)> answer) {
    if (!is_up()) return;
    const auto match = router_->match(request.method, request.path);
    if (match.route == nullptr)
        return world_.broken("no_defects", "no route for " + request.method + " " + request.path);
    request.params = match.params;
    request.route = match.route->pattern;
    guarded(request.path, [&] {
        const auto exchange =
            std::make_shared<SimExchange>(*this, std::move(request), std::move(answer));
        match.route->handler(exchange->request(), http::Reply(exchange));
    });
    bury_if_dead();
    // Combiners and whoever waits: what a condition variable would wake.
    for (Driven& driven : pumps_) {
        if (driven.pump.name.ends_with("ing")) driven.due = std::min(driven.due, world_.now);
    }
}

bool Replica::stop() {
    if (!is_up() || frames_ > 0) return false;
    world_.tell(site_.name, "ends in order");
    site_.is_closing = true;
    program_->end();
    pumps_.clear();
    router_.reset();
    program_.reset();
    site_.is_closing = false;
    come_back(milliseconds(50), seconds(1));
    return true;
}

void Replica::kill() {
    if (!is_up()) return;
    world_.tell(site_.name, "DIES");
    site_.is_doomed = true;
    bury_if_dead();
}

void Replica::hold() {
    is_held_ = true;
    kill();
}

void Replica::let_go() {
    is_held_ = false;
    if (program_ == nullptr) start();
}

void Replica::bury_if_dead() {
    if (!site_.is_doomed || frames_ > 0) return;
    site_.is_gone = true;
    pumps_.clear();
    router_.reset();
    program_.reset();
    site_.is_gone = false;
    site_.is_doomed = false;
    come_back(milliseconds(50), seconds(3));
}

void Replica::come_back(Duration least, Duration most) {
    world_.after(world_.schedule.between(least, most), [this] {
        if (program_ == nullptr && !is_held_) start();
    });
}

}  // namespace trackops::sim
