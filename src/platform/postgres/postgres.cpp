#include "platform/postgres/postgres.hpp"

#include "platform/postgres/pool.hpp"
#include "platform/postgres/target.hpp"
#include "platform/postgres/transaction.hpp"

namespace trackops::sql {
namespace {

constexpr Query ping_query{.name = "database.ping", .text = "SELECT 1"};

class PostgresDatabase final : public Database {
public:
    PostgresDatabase(postgres::Target target, const Options& options, telemetry::Registry& metrics)
        : pool_(std::move(target), options, metrics) {}

    std::unique_ptr<Transaction> begin(Access access) override {
        return postgres::begin(pool_, access);
    }

    Dialect dialect() const override { return Dialect::postgres; }

    void ping() override {
        const auto tx = begin(Access::write);
        tx->add(ping_query, {});
        tx->commit();
    }

    std::string description() const override { return pool_.target().description; }

private:
    postgres::Pool pool_;
};

}  // namespace

std::unique_ptr<Database> open_postgres(std::string_view url, const Options& options,
                                        telemetry::Registry& metrics) {
    return std::make_unique<PostgresDatabase>(postgres::parse_target(url, options), options,
                                              metrics);
}

}  // namespace trackops::sql
