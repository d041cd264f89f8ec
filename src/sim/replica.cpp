#include "sim/replica.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/relay/routes.hpp"
#include "platform/relay/source.hpp"
#include "sim/crash.hpp"
#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view retry_pattern = "/api/relay/events/{id}/retry";
constexpr Duration retry_wait = seconds(5);  // as in the product's handler
// The time after which a pump that waits inside run() runs again without a wake().
constexpr Duration idle_poll_interval = seconds(1);

class SimulatedOrderService final : public SimulatedService {
public:
    SimulatedOrderService(const order::Ports& ports, std::function<void()> on_events_committed)
        : application_(ports, {.timeouts = {.reserve_deadline = seconds(8),
                                            .release_deadline = std::chrono::hours(1),
                                            .first_retry = seconds(1),
                                            .max_retry = seconds(4)},
                               // The simulated clients place some orders without a key.
                               .keys_are_optional = true,
                               .on_events_committed = std::move(on_events_committed)}) {
        order::migrate(ports.database, ports.metrics);
        application_.listen();
    }
    std::vector<http::Route> routes() override { return application_.routes(); }
    std::vector<runtime::NamedPump> pumps() override { return application_.pumps(); }
    void end() override {
        application_.release_waiting();
        application_.close();
    }

private:
    order::Application application_;
};

class SimulatedInventoryService final : public SimulatedService {
public:
    SimulatedInventoryService(const inventory::Ports& ports, const std::string& holder,
                              std::function<void(runtime::Pump&)> on_events_committed)
        : application_(ports, {.relay_holder = holder,
                               .on_events_committed = std::move(on_events_committed)}) {
        inventory::migrate(ports.database, ports.metrics);
        application_.listen();
    }
    std::vector<http::Route> routes() override { return application_.routes(); }
    std::vector<runtime::NamedPump> pumps() override { return application_.pumps(); }
    relay::Relay* relay() override {
        for (const runtime::NamedPump& pump : application_.pumps()) {
            if (auto* const relay = dynamic_cast<relay::Relay*>(&pump.pump)) return relay;
        }
        return nullptr;
    }
    void end() override { application_.close(); }

private:
    inventory::Application application_;
};

// Reads few events at a time, so that windows stay open. With the mutant confirms_unsent it
// confirms events when it reads them, before they are published.
class LimitedSource final : public relay::Source {
public:
    LimitedSource(std::unique_ptr<relay::Source> real, std::size_t most, bool confirms_early)
        : real_(std::move(real)), most_(most), confirms_early_(confirms_early) {}
    std::string_view name() const override { return real_->name(); }
    bool claim() override { return real_->claim(); }
    std::vector<outbox::StoredEvent> read(std::size_t max) override {
        auto events = real_->read(std::min(max, most_));
        if (confirms_early_) real_->confirm();
        return events;
    }
    void confirm() override { real_->confirm(); }
    void rewind() override { real_->rewind(); }
    relay::Backlog backlog(Instant now) override { return real_->backlog(now); }
    std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) override {
        return real_->unconfirmed(after, max);
    }

private:
    const std::unique_ptr<relay::Source> real_;
    const std::size_t most_;
    const bool confirms_early_;
};

std::unique_ptr<relay::Source> relay_source(sql::Database& database, World& world) {
    constexpr std::array<std::size_t, 3> few = {1, 4, 100};
    const std::size_t most = database.dialect() == sql::Dialect::postgres
                                 ? world.transactions.pick(few)
                                 : std::numeric_limits<std::size_t>::max();
    const bool confirms_early =
        world.mutant != nullptr && world.mutant->kind == MutantKind::confirms_unsent;
    return std::make_unique<LimitedSource>(relay::make_poll_source(database), most, confirms_early);
}

class SimulatedRelayService final : public SimulatedService {
public:
    SimulatedRelayService(sql::Database& database, std::unique_ptr<relay::Source> source,
                          SimBus& bus, const Clock& clock, Chance& chance,
                          const std::string& holder, telemetry::Registry& metrics)
        : relay_(database, std::move(source), bus, clock, {.holder = holder, .chance = &chance},
                 metrics) {}
    std::vector<http::Route> routes() override { return relay::relay_routes(relay_); }
    std::vector<runtime::NamedPump> pumps() override { return {{"relay", relay_}}; }
    relay::Relay* relay() override { return &relay_; }

private:
    relay::Relay relay_;
};

constexpr auto service_names = std::to_array<std::string_view>({"order", "inventory", "relay"});

std::string process_name(Service service, int number) {
    return fmt::format("{}-{}", service_names[static_cast<std::size_t>(service)], number);
}

// Carries a handler's answer back. The answer of a process that has died is dropped.
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
        ProcessContext& process = replica_.process();
        if (is_answered_)
            process.world.broken("requests_are_answered_once",
                                 request_.path + " is answered twice");
        is_answered_ = true;
        if (process.has_crashed || process.is_destroyed || start_ != replica_.starts()) return;
        const auto header = [&](std::string_view name) {
            const auto found = std::ranges::find(response.headers, name, [](const auto& each) {
                return std::string_view(each.first);
            });
            return found == response.headers.end() ? std::string() : found->second;
        };
        answer_({response.status, std::move(response.body),
                 header("Idempotency-Replayed") == "true", header("ETag"), header("Location")});
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
      process_{world, process_name(service, number)},
      clock_(process_),
      steady_clock_(world),
      ids_(clock_, seed, process_.name),
      database_(process_, service == Service::inventory ? servers.stock : servers.orders),
      bus_(process_, servers.broker),
      cache_(process_, servers.cache) {
    if (service == Service::relay && servers.postgres_outbox != nullptr)
        postgres_outbox_.emplace(process_, *servers.postgres_outbox);
}

Replica::~Replica() {
    process_.is_destroyed = true;
    retrying_.clear();
    pumps_.clear();
    router_.reset();
    program_.reset();
}

void Replica::start() {
    guarded("start", [this] {
        ++starts_;
        cache_.restarted();
        servers_.shown.restarted(process_.name);
        // A unique name, as a process draws it at its start.
        const std::string holder = fmt::format("{}.{}", process_.name, starts_);
        std::unique_ptr<SimulatedService> program;
        if (service_ == Service::order) {
            program = std::make_unique<SimulatedOrderService>(
                order::Ports{database_, cache_, bus_, clock_, ids_, servers_.metrics,
                             &steady_clock_, &world_.chance},
                [] {});
        } else if (service_ == Service::inventory) {
            program = std::make_unique<SimulatedInventoryService>(
                inventory::Ports{database_, database_, bus_, clock_, ids_, servers_.metrics,
                                 &steady_clock_, &world_.chance},
                holder, [this](runtime::Pump&) { wake("stock-relay"); });
        } else {
            program = std::make_unique<SimulatedRelayService>(
                database_, relay_source(postgres_outbox_ ? *postgres_outbox_ : database_, world_),
                bus_, clock_, world_.chance, holder, servers_.metrics);
        }
        router_ = std::make_unique<http::Router>(program->routes());
        for (runtime::NamedPump& pump : program->pumps()) pumps_.push_back({pump, world_.now});
        program_ = std::move(program);
        world_.trace(process_.name, "is up");
    });
    if (program_ == nullptr && !process_.has_crashed)
        schedule_restart(milliseconds(200), seconds(1));
    destroy_if_crashed();
}

// The only place that catches a Crash. Other exceptions are logged, as the driver of pump threads
// does; those that show a defect break an invariant.
template <class Work>
void Replica::guarded(std::string_view what, Work work) {
    ++frames_;
    try {
        work();
    } catch (const Crash&) {
        // destroy_if_crashed() follows once the program is no longer on the stack.
        process_.has_crashed = true;
    } catch (const std::logic_error& defect) {
        world_.broken("no_defects", fmt::format("{}: {}: {}", process_.name, what, defect.what()));
    } catch (const sql::Failure& failure) {
        if (failure.fault == sql::Fault::defect || failure.fault == sql::Fault::bad_data)
            world_.broken("no_defects",
                          fmt::format("{}: {}: {}", process_.name, what, failure.what()));
        world_.trace(process_.name, "{} fails: {}", what, failure.what());
    } catch (const std::exception& failure) {
        world_.trace(process_.name, "{} fails: {}", what, failure.what());
    }
    --frames_;
}

void Replica::run(ScheduledPump& scheduled) {
    scheduled.is_running = true;
    bool is_well = false;
    const std::string_view preempted = std::exchange(process_.running, scheduled.pump.name);
    const std::size_t written_before = process_.written.size();
    guarded(scheduled.pump.name, [&] {
        const runtime::Progress progress = scheduled.pump.pump.run(Duration::zero());
        is_well = true;
        const bool waits_inside = progress.done == 0 && progress.call_again_in <= Duration::zero();
        scheduled.due = world_.now + (waits_inside ? idle_poll_interval : progress.call_again_in);
    });
    scheduled.is_running = false;
    process_.running = preempted;
    if (is_well) promise_what_was_written(written_before);
    process_.written.resize(written_before);
    answer_retries();
    if (is_well) {
        scheduled.backoff.succeeded();
    } else {
        scheduled.due = world_.now + scheduled.backoff.failed(world_.chance.draw());
    }
    destroy_if_crashed();
}

void Replica::wake(std::string_view pump) {
    for (ScheduledPump& scheduled : pumps_) {
        if (!scheduled.backoff.has_failed() && (pump.empty() || scheduled.pump.name == pump)) {
            scheduled.due = std::min(scheduled.due, world_.now);
            scheduled.pump.pump.wake();
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
    request.context.principal = http::local_principal();
    if (world_.mutant != nullptr && world_.mutant->kind == MutantKind::key_of_pattern)
        request.path = request.route;
    guarded(request.path, [&] {
        const auto exchange =
            std::make_shared<SimExchange>(*this, std::move(request), std::move(answer));
        if (match.route->pattern == retry_pattern) {
            retry(exchange->request(), http::Reply(exchange));
        } else {
            match.route->handler(exchange->request(), http::Reply(exchange));
        }
    });
    destroy_if_crashed();
    // Combiners and waiters: the pumps that a condition variable would wake.
    for (ScheduledPump& scheduled : pumps_) {
        if (scheduled.pump.name.ends_with("ing"))
            scheduled.due = std::min(scheduled.due, world_.now);
    }
}

// Once the pump has run, the cache holds the versions that it wrote. Version 1 is exempt: a client
// gets it from the answer to its placement.
void Replica::promise_what_was_written(std::size_t from) {
    for (; from < process_.written.size(); ++from) {
        const auto& [order, version] = process_.written[from];
        if (version > 1) servers_.shown.must_show(process_.name, order, version);
    }
}

// Replaces the product's handler, which waits for the relay on a thread of its own.
void Replica::retry(const http::Request& request, const http::Reply& reply) {
    const auto event = Uuid::parse(request.param("id"));
    relay::Relay* const relay = program_->relay();
    if (!event || relay == nullptr) throw std::logic_error("a retry of nothing");
    retrying_.push_back({reply, *event, relay->begin_retry(*event), world_.now + retry_wait});
}

void Replica::answer_retries() {
    if (process_.has_crashed) return;
    std::erase_if(retrying_, [this](Retrying& retrying) {
        const bool is_ready =
            retrying.answer.wait_for(Duration::zero()) == std::future_status::ready;
        if (!is_ready && world_.now < retrying.until) return false;
        const Result<void> done =
            is_ready ? retrying.answer.get() : fail(Errc::timeout, "the relay was too slow");
        done ? retrying.reply.json(200, "{}") : retrying.reply.problem(done.error());
        return true;
    });
}

bool Replica::stop() {
    if (!is_up() || frames_ > 0) return false;
    world_.trace(process_.name, "ends in order");
    process_.is_closing = true;
    for (Retrying& retrying : retrying_)
        retrying.reply.problem({Errc::unavailable, "the relay is stopping"});
    retrying_.clear();
    program_->end();
    pumps_.clear();
    router_.reset();
    program_.reset();
    process_.is_closing = false;
    schedule_restart(milliseconds(50), seconds(1));
    return true;
}

void Replica::kill() {
    if (!is_up()) return;
    world_.trace(process_.name, "DIES");
    process_.has_crashed = true;
    destroy_if_crashed();
}

void Replica::stop_until_released() {
    is_stopped_ = true;
    kill();
}

void Replica::release() {
    is_stopped_ = false;
    if (program_ == nullptr) start();
}

void Replica::destroy_if_crashed() {
    if (!process_.has_crashed || frames_ > 0) return;
    process_.is_destroyed = true;
    retrying_.clear();
    pumps_.clear();
    router_.reset();
    program_.reset();
    process_.is_destroyed = false;
    process_.has_crashed = false;
    process_.written.clear();
    schedule_restart(milliseconds(50), seconds(3));
}

void Replica::schedule_restart(Duration least, Duration most) {
    world_.after(world_.schedule.between(least, most), [this] {
        if (program_ == nullptr && !is_stopped_) start();
    });
}

}  // namespace trackops::sim
