#include "order/adapters/sql_customer_store.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/case_folding.hpp"
#include "events/encode.hpp"
#include "order/adapters/customer_rows.hpp"
#include "order/adapters/erased_answer.hpp"
#include "platform/audit_log/acts.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/idempotency/rewrite_responses.hpp"
#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"
#include "platform/outbox/event.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::order::adapters {
namespace {

constexpr std::string_view customer_consumer = "customer-api";  // the owner of the inbox's claims

constexpr sql::Query load_customer{.name = "customer.load", .text = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers WHERE id = $1
)sql"};

// SQLite has one writer.
constexpr sql::Query lock_customer{.name = "customer.lock",
                                   .text = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers WHERE id = $1
)sql",
                                   .postgres = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers WHERE id = $1 FOR UPDATE
)sql"};

constexpr sql::Query load_addresses{.name = "customer.addresses", .text = R"sql(
    SELECT id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version, created_at, updated_at
    FROM addresses WHERE customer_id = $1 ORDER BY id
)sql"};

// Sorted by id, as the placement of orders locks addresses.
constexpr sql::Query lock_addresses{
    .name = "customer.lock_addresses", .text = load_addresses.text, .postgres = R"sql(
    SELECT id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version, created_at, updated_at
    FROM addresses WHERE customer_id = $1 ORDER BY id FOR UPDATE
)sql"};

constexpr sql::Query insert_customer{.name = "customer.insert", .text = R"sql(
    INSERT INTO customers (id, name, name_folded, email, email_folded, phone, metadata, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING
)sql"};

constexpr sql::Query update_customer{.name = "customer.update", .text = R"sql(
    UPDATE customers SET name = $2, name_folded = $3, email = $4, email_folded = $5, phone = $6, metadata = $7, version = $8,
                         created_at = $9, updated_at = $10
    WHERE id = $1
)sql"};

constexpr sql::Query delete_customer{.name = "customer.delete",
                                     .text = "DELETE FROM customers WHERE id = $1"};

constexpr sql::Query insert_address{.name = "customer.insert_address", .text = R"sql(
    INSERT INTO addresses (id, label, recipient, line1, line2, city, region, postal_code, country, phone, is_default, version,
                           created_at, updated_at, customer_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
)sql"};

constexpr sql::Query update_address{.name = "customer.update_address", .text = R"sql(
    UPDATE addresses SET label = $2, recipient = $3, line1 = $4, line2 = $5, city = $6, region = $7, postal_code = $8, country = $9,
                         phone = $10, is_default = $11, version = $12, created_at = $13, updated_at = $14
    WHERE id = $1 AND customer_id = $15
)sql"};

constexpr sql::Query delete_address{.name = "customer.delete_address",
                                    .text = "DELETE FROM addresses WHERE id = $1"};

// $2 is a part of the folded name; "" finds every customer. There is one statement for each index.
constexpr sql::Query list_customers{.name = "customer.list",
                                    .text = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers
    WHERE id > $1 AND ($2 = '' OR instr(name_folded, $2) > 0) ORDER BY id LIMIT $3
)sql",
                                    .postgres = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers
    WHERE id > $1 AND ($2 = '' OR strpos(name_folded, $2) > 0) ORDER BY id LIMIT $3
)sql"};

constexpr sql::Query list_customers_by_email{.name = "customer.by_email",
                                             .text = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers
    WHERE id > $1 AND ($2 = '' OR instr(name_folded, $2) > 0) AND email_folded = $4 ORDER BY id LIMIT $3
)sql",
                                             .postgres = R"sql(
    SELECT id, name, email, phone, metadata, version, created_at, updated_at FROM customers
    WHERE id > $1 AND ($2 = '' OR strpos(name_folded, $2) > 0) AND email_folded = $4 ORDER BY id LIMIT $3
)sql"};

constexpr sql::Query count_orders{.name = "customer.count_orders",
                                  .text = "SELECT count(*) FROM orders WHERE customer_id = $1"};

using Record = std::optional<domain::CustomerAggregate>;

Record record_of(const sql::Statement& customer, const sql::Statement& addresses) {
    if (customer.rows().empty()) return std::nullopt;
    domain::CustomerAggregate record{customer_of(customer.rows().front()), {}};
    for (const sql::Row& row : addresses.rows())
        record.addresses.push_back(customer_address_of(row));
    return record;
}

// Queues the statements that turn the addresses `before` into those `after`. An address that is no
// longer the default is saved before the one that now is: an index allows one at a time.
void save_addresses(sql::Transaction& tx, const Record& before, const Record& after,
                    std::string_view customer) {
    std::vector<sql::Params> deleted;
    std::vector<sql::Params> lowered;
    std::vector<sql::Params> changed;
    std::vector<sql::Params> added;
    if (before) {
        for (const domain::CustomerAddress& address : before->addresses) {
            if (!after || domain::find_address(*after, address.id) == nullptr)
                deleted.push_back({address.id});
        }
    }
    if (after) {
        for (const domain::CustomerAddress& address : after->addresses) {
            const auto* const known = before ? domain::find_address(*before, address.id) : nullptr;
            if (known != nullptr && *known == address) continue;
            auto& rows = known == nullptr                           ? added
                         : known->is_default && !address.is_default ? lowered
                                                                    : changed;
            rows.push_back(params_of(address, customer));
        }
    }
    tx.add_batch(delete_address, std::move(deleted));
    tx.add_batch(update_address, std::move(lowered));
    tx.add_batch(update_address, std::move(changed));
    tx.add_batch(insert_address, std::move(added));
}

// The key of the event is its own id: erasures of one customer may overtake each other.
outbox::Event erasure_event(const app::CustomerWrite& write, Instant now) {
    const events::Event event = events::CustomerErased{write.customer};
    return {write.id,
            std::string(events::type_of(event)),
            write.id,
            1,
            events::encode(event),
            now,
            write.trace.correlation_id,
            write.trace.causation_id,
            write.trace.traceparent,
            write.trace.tracestate};
}

// Returns a recorded response that holds the data of a customer, of one of its addresses or of one
// of these orders of it, without them. Nothing for another response. `customer` is its id.
std::optional<std::string> without_customer(const idempotency::RecordedBody& recorded,
                                            std::string_view customer,
                                            const std::unordered_set<domain::OrderId>& orders) {
    const auto document = json::Document::parse(recorded.body);
    if (!document) return std::nullopt;
    const json::Value answer = document->root();
    const std::string_view id = answer.text_of("id");
    bool is_its = answer.text_of("customerId") == customer;
    if (recorded.scope.find("/api/customers") != std::string::npos) {
        is_its = is_its || id == customer;
    } else {
        const auto order = domain::OrderId::parse(id);
        is_its = is_its && order && orders.contains(*order);
    }
    if (!is_its) return std::nullopt;
    return erased_answer(answer);
}

// Throws ConcurrencyConflict when a customer or a key exists that did not exist when it was read.
// The write then runs again and finds it.
Result<void> save(sql::Transaction& tx, const app::CustomerWrite& write, const Record& before,
                  const Record& after, Instant now) {
    const sql::Statement* inserted = nullptr;
    if (after && !before) inserted = &tx.add(insert_customer, params_of(after->customer));
    if (after && before && after->customer != before->customer)
        tx.add(update_customer, params_of(after->customer));
    save_addresses(tx, before, after, write.customer);
    if (before && !after) tx.add(delete_customer, {write.customer});
    if (std::holds_alternative<domain::EraseCustomer>(write.command)) {
        const outbox::Event event = erasure_event(write, now);
        outbox::append(tx, {&event, 1});
    }
    const sql::Statement* recorded = nullptr;
    if (write.key) {
        const idempotency::KeyedResponse response{*write.key, write.answer({after, {}})};
        recorded = &idempotency::record(tx, {&response, 1}, now);
    }
    // Behind the deletion of the addresses, which waits for the orders that copy one of them.
    const sql::Statement* orders = nullptr;
    if (write.order_count) orders = &tx.add(count_orders, {write.customer});
    sql::or_conflict([&] { tx.flush(); });
    if (orders != nullptr && orders->rows().at(0).integer(0) != *write.order_count)
        return fail(Errc::precondition_failed, "the customer has other orders meanwhile");
    if ((inserted != nullptr && inserted->affected() == 0) ||
        (recorded != nullptr && recorded->affected() == 0))
        throw sql::ConcurrencyConflict();
    audit_log::Acts acts;
    acts.add(write.act);
    acts.commit(tx, now);
    return {};
}

Result<std::optional<RecordedResponse>> find_recorded(sql::Database& database,
                                                      const std::optional<IdempotencyKey>& key,
                                                      Instant now) {
    if (!key) return std::nullopt;
    const auto tx = database.begin(sql::Access::read);
    return std::move(idempotency::find(*tx, {&*key, 1}, now).front());
}

Result<app::CustomerWriteResult> write_once(sql::Database& database,
                                            const app::CustomerWrite& write,
                                            const app::CustomerStore::Decide& decide, Instant now) {
    if (auto recorded = TRY(find_recorded(database, write.key, now)))
        return app::CustomerWriteResult{{}, std::move(recorded)};
    const auto tx = database.begin(sql::Access::write);
    const outbox::Claim claim{write.id, std::string(customer_consumer)};
    // A key makes the write unique; without one its id does.
    const sql::Statement* const claimed =
        write.key ? nullptr : &outbox::claim(*tx, {&claim, 1}, now);
    const sql::Statement& customer = tx->add(lock_customer, {write.customer});
    const sql::Statement& addresses = tx->add(lock_addresses, {write.customer});
    tx->flush();
    const Record before = record_of(customer, addresses);
    // An earlier run has committed, and its answer was lost.
    if (claimed != nullptr && claimed->rows().empty()) {
        audit_log::Acts::found_committed(write.act);
        return app::CustomerWriteResult{before, {}};
    }
    Result<Record> after = decide(before);
    if (!after) {
        if (write.key) idempotency::expect_unrecorded(*tx, {&*write.key, 1}, now);
        return std::unexpected(std::move(after).error());
    }
    TRY(save(*tx, write, before, *after, now));
    return app::CustomerWriteResult{*std::move(after), {}};
}

template <class T, class Read>
Result<T> read_customers(sql::Database& database, Read read) {
    try {
        const auto tx = database.begin(sql::Access::read);
        return read(*tx);
    } catch (const sql::Failure& failure) {
        return std::unexpected(sql::error_of(failure.fault));
    }
}

class SqlCustomerStore final : public app::CustomerStore {
public:
    explicit SqlCustomerStore(sql::Database& database) : database_(database) {}

    Result<app::CustomerWriteResult> write(const app::CustomerWrite& write, const Decide& decide,
                                           Instant now) override {
        using Results = std::vector<Result<app::CustomerWriteResult>>;
        return sql::run_batch<app::CustomerWrite, app::CustomerWriteResult>(
                   database_, {&write, 1},
                   [&](std::span<const app::CustomerWrite> one) {
                       return Results{write_once(database_, one.front(), decide, now)};
                   })
            .front();
    }

    Result<std::optional<RecordedResponse>> recorded(const IdempotencyKey& key,
                                                     Instant now) override {
        return read_customers<std::optional<RecordedResponse>>(
            database_, [&](sql::Transaction& tx) -> Result<std::optional<RecordedResponse>> {
                return std::move(idempotency::find(tx, {&key, 1}, now).front());
            });
    }

    Result<void> erase_answers(const std::string& customer,
                               std::span<const domain::OrderId> orders) override {
        const std::unordered_set<domain::OrderId> its(orders.begin(), orders.end());
        std::string part;
        json::Writer(part).value(customer);
        try {
            idempotency::rewrite_responses(database_, part,
                                           [&](const idempotency::RecordedBody& recorded) {
                                               return without_customer(recorded, customer, its);
                                           });
            return {};
        } catch (const sql::Failure& failure) {
            return std::unexpected(sql::error_of(failure.fault));
        }
    }

    Result<domain::CustomerAggregate> find(std::string_view id) override {
        return read_customers<domain::CustomerAggregate>(
            database_, [id](sql::Transaction& tx) -> Result<domain::CustomerAggregate> {
                const sql::Statement& customer = tx.add(load_customer, {id});
                const sql::Statement& addresses = tx.add(load_addresses, {id});
                tx.flush();
                Record record = record_of(customer, addresses);
                if (!record) return fail(Errc::not_found, "no customer has this id");
                return *std::move(record);
            });
    }

    Result<app::Page<domain::Customer, std::string>> list(const app::CustomerFilter& filter,
                                                          const std::optional<std::string>& after,
                                                          std::size_t limit) override {
        using Customers = app::Page<domain::Customer, std::string>;
        return read_customers<Customers>(database_, [&](sql::Transaction& tx) {
            sql::Params params{after.value_or(""), case_folded(filter.name.value_or("")),
                               static_cast<std::int64_t>(limit) + 1};
            if (filter.email) params.emplace_back(case_folded(*filter.email));
            const sql::Statement& found =
                tx.add(filter.email ? list_customers_by_email : list_customers, std::move(params));
            tx.flush();
            Customers page;
            for (const sql::Row& row : found.rows()) page.items.push_back(customer_of(row));
            if (page.items.size() > limit) {
                page.items.resize(limit);
                page.next = page.items.back().id;
            }
            return page;
        });
    }

private:
    sql::Database& database_;
};

}  // namespace

std::unique_ptr<app::CustomerStore> make_sql_customer_store(sql::Database& database) {
    return std::make_unique<SqlCustomerStore>(database);
}

}  // namespace trackops::order::adapters
