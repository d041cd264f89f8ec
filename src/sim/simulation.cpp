#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "platform/sqlite/sqlite.hpp"
#include "platform/telemetry/metrics.hpp"
#include "sim/clients.hpp"
#include "sim/invariants.hpp"
#include "sim/ledger.hpp"
#include "sim/replica.hpp"
#include "sim/sim_network.hpp"
#include "sim/sim_outbox.hpp"

namespace trackops::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration fault_phase_max = seconds(40);
// The longest time in which a healthy system comes to rest: an order's deadline, a saga's lease,
// the backoffs and the differences between clocks.
constexpr Duration settle_phase_max = seconds(150);
// An order's deadline, plus the lease of a saga after one failed attempt.
constexpr Duration pending_max = seconds(45);
// At the shortest pace the requests arrive together, so that batches form.
constexpr std::array<Duration, 3> paces = {milliseconds(3), milliseconds(60), milliseconds(500)};
// There must be enough orders that sagas which retry meet others that are due.
constexpr int customers_in_outage = 8;
// One world in four has a registrar. Customers meet orders nowhere but in the database, so the
// other worlds need none.
constexpr std::uint64_t worlds_per_registrar = 4;
constexpr int actions_in_outage = 12;
constexpr Duration outage_length = pending_max + seconds(40);
constexpr Duration emission_delay_max = seconds(2);  // from reading the clock to the commit
// Longer than the life of a cache entry plus the way of an answer.
constexpr Duration cache_life = seconds(45);
constexpr int depth_max = 3;  // the deepest nesting of pumps that preempt each other

sql::Options sim_saga_timeouts() {
    sql::Options options;
    options.statement_timeout = std::chrono::hours(1);
    return options;
}

class Simulation final {
public:
    Simulation(std::uint64_t seed, const RunPlan& plan);
    RunResult run();

private:
    struct Ready {
        Replica* replica;
        ScheduledPump* scheduled;
    };

    bool is_over() const { return world_.violation.has_value(); }
    void step();
    bool run_one_due();
    std::vector<Ready> ready_pumps();
    void run_others();
    void advance();
    void look();
    template <class Until>
    void run_until(Instant end, Until until);

    void set_up();
    void storm();
    Clients among(Duration pace);
    void add_customer(int number, int actions, Duration pace);
    void calm();
    void silence();
    std::pair<Duration, Duration> skews() const;
    void read_all_orders();
    void disturb();
    void outage(bool& is_away, std::string_view who, Fault fault);
    bool is_at_rest();
    bool is_confirmed(sql::Database& database);
    void audit();
    void set_clock(Replica& replica, Duration skew);

    const std::uint64_t seed_;
    const RunPlan plan_;
    World world_;
    telemetry::Registry metrics_;
    DatabaseServer orders_;
    DatabaseServer stock_;
    DatabaseServer postgres_outbox_;
    Broker broker_;
    Shown shown_;
    CacheServer cache_;
    const Servers servers_;
    ReferenceModel model_;
    Answers answers_;
    const std::vector<std::string> skus_ = {"ANCHOR", "BUOY", "COMPASS", "DINGHY"};
    std::vector<KnownOrder> known_;
    std::vector<std::unique_ptr<Client>> people_;
    std::vector<std::unique_ptr<Replica>> replicas_;
    bool was_silent_ = false;  // inventory was stopped on purpose, so orders may have timed out  //
                               // use all members above
    SimNetwork network_;
    CurrentStatuses standing_;
    std::int64_t order_commits_seen_ = 0;
    std::int64_t events_seen_ = 0;  // the last position that look() has checked
    std::int64_t stock_commits_seen_ = 0;
    std::int64_t steps_ = 0;
    int depth_ = 0;
};

Simulation::Simulation(std::uint64_t seed, const RunPlan& plan)
    : seed_(seed),
      plan_(plan),
      world_(seed, plan.faults, plan.listener, plan.mutant),
      orders_{"order", sql::open_in_memory(sim_saga_timeouts(), metrics_)},
      stock_{"inventory", sql::open_in_memory(sim_saga_timeouts(), metrics_)},
      postgres_outbox_{"order", std::make_unique<SimOutbox>(world_, orders_)},
      broker_(world_),
      shown_(world_, orders_),
      cache_{.is_there = RandomStream(seed, "cache").happens(0.5),
             .shown = &shown_,
             .orders = &orders_},
      servers_{orders_,  stock_,
               broker_,  cache_,
               metrics_, RandomStream(seed, "outbox").happens(0.5) ? &postgres_outbox_ : nullptr,
               shown_},
      answers_(world_, orders_),
      network_(world_, servers_, replicas_) {
    if (servers_.postgres_outbox != nullptr)
        orders_.commit_observer = static_cast<SimOutbox*>(postgres_outbox_.real.get());
    world_.run_others = [this] { run_others(); };
    broker_.on_visible = [this](const std::string& topic) {
        const bool is_reply = topic.starts_with("INVENTORY");
        for (const auto& replica : replicas_)
            replica->wake(is_reply ? "order-settling" : "stock-reserving");
    };
    for (const Service service : {Service::order, Service::inventory, Service::relay}) {
        for (const int number : {1, 2})
            replicas_.push_back(std::make_unique<Replica>(world_, servers_, service, number, seed));
    }
}

std::vector<Simulation::Ready> Simulation::ready_pumps() {
    std::vector<Ready> ready;
    for (const auto& replica : replicas_) {
        if (!replica->is_up()) continue;
        for (ScheduledPump& scheduled : replica->pumps()) {
            if (!scheduled.is_running && scheduled.due <= world_.now)
                ready.push_back({replica.get(), &scheduled});
        }
    }
    return ready;
}

void Simulation::step() {
    if (!run_one_due()) return advance();
    ++steps_;
    look();
}

// Runs one pump or one timer, which the seed picks among those that are due. Returns false when
// none is due.
bool Simulation::run_one_due() {
    const auto ready = ready_pumps();
    const bool is_timer_due = !world_.timers.empty() && world_.timers.begin()->first <= world_.now;
    if (ready.empty() && !is_timer_due) return false;
    if (is_timer_due && (ready.empty() || world_.schedule.happens(0.4))) {
        const auto what = std::move(world_.timers.begin()->second);
        world_.timers.erase(world_.timers.begin());
        what();
    } else {
        const auto& [replica, scheduled] = ready[world_.schedule.below(ready.size())];
        replica->run(*scheduled);
    }
    world_.now = world_.now + world_.schedule.between(Duration(10), Duration(200));
    return true;
}

// Runs other pumps and timers in the middle of a pump, as other threads and processes would: a
// request can arrive, and be handled, between a read and the write that follows it.
void Simulation::run_others() {
    if (depth_ >= depth_max) return;
    ++depth_;
    const std::size_t count = 1 + world_.schedule.below(3);
    for (std::size_t i = 0; i < count && !is_over(); ++i) {
        if (!run_one_due()) break;
    }
    --depth_;
}

// No pump and no timer is due: moves the time to the next one.
void Simulation::advance() {
    Instant next = world_.timers.empty() ? world_.now + seconds(1) : world_.timers.begin()->first;
    for (const auto& replica : replicas_) {
        if (!replica->is_up()) continue;
        for (const ScheduledPump& scheduled : replica->pumps())
            next = std::min(next, scheduled.due);
    }
    world_.now = std::max(world_.now, next);
}

// Checks the invariants that are cheap enough for every step that committed something.
void Simulation::look() {
    const bool has_order_changed = orders_.commits != order_commits_seen_;
    const bool has_stock_changed = stock_.commits != stock_commits_seen_;
    if (!has_order_changed && !has_stock_changed) return;
    order_commits_seen_ = orders_.commits;
    stock_commits_seen_ = stock_.commits;
    if (has_stock_changed) {
        if (auto found = stock_is_consistent_now(*stock_.real))
            world_.broken("stock_is_consistent", *std::move(found));
        read_reservation_statuses(*stock_.real, standing_);
    }
    if (has_order_changed) {
        read_order_statuses(*orders_.real, standing_);
        const Instant oldest = world_.now + skews().first - emission_delay_max;
        auto found = events_are_dated_at_emission(*orders_.real, events_seen_, oldest);
        // In the fault phase clocks jump, so dates prove nothing.
        if (found && world_.faults.is_fault_free())
            world_.broken("events_are_dated_at_emission", *std::move(found));
    }
    if (auto found = sagas_match_stock(standing_, world_))
        world_.broken("sagas_match_stock", *std::move(found));
}

template <class Until>
void Simulation::run_until(Instant end, Until until) {
    while (!is_over() && world_.now < end && !until()) step();
}

void Simulation::set_up() {
    world_.faults.stop();
    for (const auto& replica : replicas_) replica->start();
    int left = 0;
    for (const std::string& sku : skus_) {
        const auto on_hand = static_cast<std::int64_t>(10 + world_.schedule.below(60));
        model_.stock(sku, on_hand);
        ++left;
        network_.call(
            Service::inventory,
            request_of("POST", "/api/inventory/items",
                       fmt::format(R"({{"sku":"{0}","name":"{0}","onHand":{1}}})", sku, on_hand)),
            false, [this, &left](const Answer& answer) {
                if (answer.status != 201)
                    world_.broken("no_defects", "no item was made: " + answer.body);
                --left;
            });
    }
    run_until(World::beginning + seconds(20), [&] { return left == 0; });
    if (left > 0) world_.broken("no_defects", "the stock could not be set up");
    world_.faults.begin();
}

void Simulation::storm() {
    const Duration pace = world_.schedule.pick(paces);
    for (int i = 1; i <= plan_.customers; ++i) add_customer(i, plan_.actions, pace);
    people_.push_back(make_operator(among(pace), plan_.actions));
    people_.back()->begin();
    if (seed_ % worlds_per_registrar == 0) {
        people_.push_back(make_registrar(among(pace), 2 * plan_.actions));
        people_.back()->begin();
    }
    for (const Service service : {Service::relay, Service::inventory}) {
        people_.push_back(make_keeper(among(pace), service));
        people_.back()->begin();
    }
    for (const auto& replica : replicas_) {
        if (world_.faults.occurs(Fault::clock_jump))
            set_clock(*replica, world_.schedule.between(seconds(-5), seconds(5)));
    }
    world_.after(milliseconds(500), [this] { disturb(); });
    run_until(world_.now + fault_phase_max, [this] {
        return std::ranges::all_of(people_, [](const auto& person) { return person->is_done(); });
    });
}

Clients Simulation::among(Duration pace) {
    return {world_, model_, answers_, network_, seed_, skus_, known_, broker_, pace};
}

void Simulation::set_clock(Replica& replica, Duration skew) {
    replica.process().skew = skew;
    world_.skew_max = std::max(world_.skew_max, std::chrono::abs(skew));
}

void Simulation::add_customer(int number, int actions, Duration pace) {
    const auto on_read = [this](Uuid order, const std::string& status, std::int64_t version,
                                Instant asked_at) {
        if (auto found = reads_are_recent(orders_, order, status, version, asked_at))
            world_.broken("reads_are_recent", *std::move(found));
    };
    people_.push_back(make_customer(among(pace), number, actions, on_read));
    people_.back()->begin();
}

// Injects faults of whole servers and machines, about once a second.
void Simulation::disturb() {
    if (world_.faults.is_fault_free()) return;
    outage(orders_.is_away, "orders' database", Fault::sql_outage);
    outage(stock_.is_away, "stock's database", Fault::sql_outage);
    outage(broker_.is_away, "broker", Fault::bus_outage);
    Replica& replica = *replicas_[world_.schedule.below(replicas_.size())];
    if (replica.is_up() && world_.faults.occurs(Fault::clock_jump)) {
        set_clock(replica, world_.schedule.between(seconds(-15), seconds(15)));
        world_.trace(replica.process().name, "has its clock set: {:+} ms",
                     replica.process().skew.count() / 1000);
    }
    if (world_.faults.occurs(Fault::stop)) replica.stop();
    world_.after(world_.schedule.between(milliseconds(300), milliseconds(1700)),
                 [this] { disturb(); });
}

void Simulation::outage(bool& is_away, std::string_view who, Fault fault) {
    if (is_away || !world_.faults.occurs(fault)) return;
    is_away = true;
    world_.trace(who, "is away");
    world_.after(world_.schedule.between(milliseconds(100), milliseconds(4000)),
                 [this, &is_away, who = std::string(who)] {
                     is_away = false;
                     world_.trace(who, "is back");
                 });
}

void Simulation::calm() {
    world_.trace("world", "peace");
    world_.faults.stop();
    broker_.relent();
    if (world_.schedule.happens(0.2)) silence();
    Instant look_again_at = world_.now;
    bool is_calm = false;
    run_until(world_.now + settle_phase_max, [&] {
        if (world_.now < look_again_at) return false;
        look_again_at = world_.now + milliseconds(200);
        return is_calm = is_at_rest();
    });
    if (!is_calm && !is_over()) {
        audit();  // a violated invariant is better evidence
        world_.broken(
            "everything_comes_to_rest",
            fmt::format("not within {} s of peace: {} messages left",
                        settle_phase_max.count() / 1'000'000,
                        broker_.lag("trackops-orders") + broker_.lag("inventory-service")));
    }
}

// Returns the skews of the clock that is furthest behind and of the one that is furthest ahead;
// zero bounds both.
std::pair<Duration, Duration> Simulation::skews() const {
    Duration earliest = Duration::zero();
    Duration latest = Duration::zero();
    for (const auto& replica : replicas_) {
        earliest = std::min(earliest, replica->process().skew);
        latest = std::max(latest, replica->process().skew);
    }
    return {earliest, latest};
}

// Stops inventory for longer than an order may stay PENDING: the order must still meet its
// deadline.
void Simulation::silence() {
    was_silent_ = true;
    std::vector<Replica*> silent;
    for (const auto& replica : replicas_) {
        if (replica->service() == Service::inventory) silent.push_back(replica.get());
    }
    const auto [earliest, latest] = skews();
    const Instant since = world_.now;  // from now on no process dies while it holds a saga
    for (Replica* replica : silent) replica->stop_until_released();
    for (int i = 1; i <= customers_in_outage; ++i)
        add_customer(plan_.customers + i, actions_in_outage, paces.back());
    run_until(world_.now + outage_length, [] { return false; });
    for (const auto& [order, status] : standing_.orders) {
        if (status != "PENDING") continue;
        const Instant placed_at = orders_.changes.at(order).at(1).at;
        if (placed_at > since && placed_at + pending_max + (latest - earliest) < world_.now)
            world_.broken("orders_keep_their_deadline",
                          world_.trace_log.name_of(order) + " is PENDING long after its deadline");
    }
    for (Replica* replica : silent) replica->release();
}

bool Simulation::is_confirmed(sql::Database& database) {
    const auto tx = database.begin(sql::Access::read);
    const auto& left = tx->add({"rest.outbox", R"sql(
        SELECT count(*) FROM outbox_events
        WHERE position > coalesce((SELECT position FROM relay_checkpoint), 0)
    )sql"},
                               {});
    tx->commit();
    return left.rows().at(0).integer(0) == 0;
}

bool Simulation::is_at_rest() {
    const auto is_done = [](const auto& person) { return person->is_done(); };
    const auto is_up = [](const auto& replica) { return replica->is_up(); };
    if (!std::ranges::all_of(people_, is_done) || !std::ranges::all_of(replicas_, is_up))
        return false;
    if (broker_.lag("trackops-orders") + broker_.lag("inventory-service") > 0) return false;
    if (!is_confirmed(*orders_.real) || !is_confirmed(*stock_.real)) return false;
    if (!read_parked(*orders_.real).empty() || !read_parked(*stock_.real).empty()) return false;
    const auto is_pending = [](const auto& entry) { return entry.second == "PENDING"; };
    const auto is_waiting = [](const SagaRow& saga) {
        return saga.status != "COMPLETED" && saga.status != "COMPENSATED";
    };
    return std::ranges::none_of(standing_.orders, is_pending) &&
           std::ranges::none_of(standing_.sagas, is_waiting);
}

// Waits until all cache entries have expired, and checks that reads of a quarter of the orders
// return the current versions.
void Simulation::read_all_orders() {
    world_.now = world_.now + cache_life;
    std::size_t left = 0;
    std::size_t asked = 0;
    for (const auto& [reference, order] : model_.orders()) {
        if (!order.id || ++asked % 4 != 0) continue;
        ++left;
        network_.call(
            Service::order, request_of("GET", "/api/orders/" + order.id->text()), false,
            [this, &left, &reference, &order, at = world_.now](const Answer& answer) {
                --left;
                if (answer.status != 200)
                    return world_.broken("acknowledged_requests_are_kept",
                                         fmt::format("a read is answered with {}", answer.status));
                const ReadOrder read = answers_.order(answer, reference, order);
                if (auto found = reads_are_recent(orders_, read.id, read.status, read.version, at))
                    world_.broken("reads_are_recent", *std::move(found));
            });
    }
    run_until(world_.now + seconds(20), [&] { return left == 0; });
    if (left > 0) world_.broken("requests_are_answered_once", "a read in peace has no answer");
    world_.timers.clear();
}

void Simulation::audit() {
    const Ledger ledger = read_ledger(*orders_.real, *stock_.real);
    const bool is_faultless = world_.faults.total() == 0 && !was_silent_;
    const Evidence evidence{world_, ledger, model_, broker_, is_faultless};
    for (const Invariant& invariant : invariants()) {
        if (auto found = invariant.check(evidence))
            return world_.broken(invariant.name, *std::move(found));
    }
}

RunResult Simulation::run() {
    set_up();
    if (!is_over()) storm();
    if (!is_over()) calm();
    if (!is_over()) audit();
    if (!is_over()) read_all_orders();
    RunResult outcome;
    outcome.seed = seed_;
    if (world_.violation)
        world_.trace("world", "BROKEN {}: {}", world_.violation->invariant,
                     world_.violation->evidence);
    outcome.hash = world_.trace_log.hash();
    outcome.violation = world_.violation;
    outcome.faults = world_.faults.counts();
    outcome.fault_total = world_.faults.total();
    outcome.orders = std::ssize(standing_.orders);
    outcome.steps = steps_;
    outcome.virtual_time = world_.since();
    for (const auto& [id, status] : standing_.orders) ++outcome.states["order " + status];
    for (const SagaRow& saga : standing_.sagas)
        ++outcome.states["saga " + saga.type + " " + saga.status];
    for (const auto& [id, status] : standing_.reservations)
        ++outcome.states["reservation " + status];
    return outcome;
}

}  // namespace

RunResult simulate(std::uint64_t seed, const RunPlan& plan) { return Simulation(seed, plan).run(); }

}  // namespace trackops::sim
