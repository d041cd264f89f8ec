#include "order/adapters/customer_api.hpp"

#include <algorithm>
#include <utility>

#include "order/adapters/customer_json.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/read_customer_requests.hpp"
#include "order/app/erase_customer.hpp"
#include "order/app/write_customer.hpp"
#include "platform/http/entity_tag.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/page.hpp"

namespace trackops::order::adapters {
namespace {

using http::Reply;
using http::Request;
using http::Response;

RecordedResponse answer_with(int status, const domain::Customer& customer) {
    return {status, customer_json(customer),
            status == 201 ? path_of_customer(customer.id) : std::string(),
            http::entity_tag(customer.version)};
}

RecordedResponse answer_with(int status, const domain::CustomerAggregate& record,
                             domain::AddressId id) {
    const domain::CustomerAddress* const address = find_address(record, id);
    if (address == nullptr) return {.status = 204};  // a lost commit, and deleted since
    const std::string& customer = record.customer.id;
    return {status, customer_address_json(*address, customer),
            status == 201 ? path_of_address(customer, id) : std::string(),
            http::entity_tag(address->version)};
}

// The answers to the commands. Each is also the recorded response of its key.
RecordedResponse answer_to(const domain::CreateCustomer& /*command*/,
                           const domain::CustomerAggregate& record) {
    return answer_with(201, record.customer);
}
RecordedResponse answer_to(const domain::ChangeCustomer& /*command*/,
                           const domain::CustomerAggregate& record) {
    return answer_with(200, record.customer);
}
RecordedResponse answer_to(const domain::DeleteCustomer& /*command*/,
                           const domain::CustomerAggregate& /*record*/) {
    return {.status = 204};
}
RecordedResponse answer_to(const domain::AddAddress& command,
                           const domain::CustomerAggregate& record) {
    return answer_with(201, record, command.id);
}
RecordedResponse answer_to(const domain::ChangeAddress& command,
                           const domain::CustomerAggregate& record) {
    return answer_with(200, record, command.id);
}
RecordedResponse answer_to(const domain::DeleteAddress& /*command*/,
                           const domain::CustomerAggregate& /*record*/) {
    return {.status = 204};
}

// An erasure is answered with what it has replaced in all orders: see answer_with(Erasure).
RecordedResponse answer_to(const domain::EraseCustomer& /*command*/,
                           const domain::CustomerAggregate& /*record*/) {
    return {.status = 204};
}

RecordedResponse answer_to(const domain::CustomerCommand& command,
                           const app::CustomerWriteResult& written) {
    if (!written.record) return {.status = 204};
    return std::visit([&](const auto& one) { return answer_to(one, *written.record); }, command);
}

Result<std::string> read_customer_id(const Request& request) {
    const std::string_view id = request.param("id");
    if (!domain::is_customer_id(id)) return fail(Errc::not_found, "no customer has this id");
    return domain::customer_id_of(std::string(id)).text;
}

Result<domain::AddressId> read_address_id(const Request& request) {
    const auto id = domain::AddressId::parse(request.param("addressId"));
    if (!id) return fail(Errc::not_found, "the customer has no address with this id");
    return *id;
}

// Carries out a command and answers with what it has made of the customer.
Result<void> change_customer(const Request& request, const Reply& reply, std::string customer,
                             domain::CustomerCommand command,
                             const CustomerApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    auto key = TRY(http::read_idempotency_key(request, dependencies.key_lifetime));
    app::CustomerWrite write{
        dependencies.ids.next(), std::move(customer), std::move(command), std::move(key), {}};
    write.act = request.context.act;
    write.answer = [&write](const app::CustomerWriteResult& written) {
        return answer_to(write.command, written);
    };
    const app::CustomerWriteResult written =
        TRY(app::write_customer(write, dependencies.store, dependencies.clock));
    if (written.replayed) {
        reply.send(http::replayed_response(*written.replayed));
        return {};
    }
    Response response = http::response_of(write.answer(written));
    if (write.key) http::add_key_expiry(response, dependencies.clock.now() + write.key->lifetime);
    reply.send(std::move(response));
    return {};
}

Result<void> post_customer(const Request& request, const Reply& reply,
                           const CustomerApiDependencies& dependencies) {
    NewCustomer customer = TRY(read_new_customer(request.body));
    std::string id = customer.id ? domain::customer_id_of(*std::move(customer.id)).text
                                 : dependencies.ids.next().text();
    return change_customer(request, reply, std::move(id), std::move(customer.command),
                           dependencies);
}

Result<void> patch_customer(const Request& request, const Reply& reply,
                            const CustomerApiDependencies& dependencies) {
    std::string id = TRY(read_customer_id(request));
    domain::ChangeCustomer command = TRY(read_customer_patch(request.body));
    command.condition = TRY(http::read_version_condition(request, "customer"));
    return change_customer(request, reply, std::move(id), std::move(command), dependencies);
}

Result<void> delete_customer(const Request& request, const Reply& reply,
                             const CustomerApiDependencies& dependencies) {
    std::string id = TRY(read_customer_id(request));
    const auto condition = TRY(http::read_version_condition(request, "customer"));
    return change_customer(request, reply, std::move(id), domain::DeleteCustomer{condition},
                           dependencies);
}

Result<void> post_address(const Request& request, const Reply& reply,
                          const CustomerApiDependencies& dependencies) {
    std::string id = TRY(read_customer_id(request));
    domain::AddAddress command = TRY(read_new_address(request.body));
    command.id = domain::AddressId(dependencies.ids.next());
    return change_customer(request, reply, std::move(id), std::move(command), dependencies);
}

Result<void> patch_address(const Request& request, const Reply& reply,
                           const CustomerApiDependencies& dependencies) {
    std::string id = TRY(read_customer_id(request));
    domain::ChangeAddress command = TRY(read_address_change(request.body));
    command.id = TRY(read_address_id(request));
    command.condition = TRY(http::read_version_condition(request, "address"));
    return change_customer(request, reply, std::move(id), std::move(command), dependencies);
}

Result<void> delete_address(const Request& request, const Reply& reply,
                            const CustomerApiDependencies& dependencies) {
    std::string id = TRY(read_customer_id(request));
    const auto address = TRY(read_address_id(request));
    const auto condition = TRY(http::read_version_condition(request, "address"));
    return change_customer(request, reply, std::move(id), domain::DeleteAddress{address, condition},
                           dependencies);
}

Result<domain::CustomerAggregate> find_customer(const Request& request,
                                                const CustomerApiDependencies& dependencies) {
    const std::string id = TRY(read_customer_id(request));
    return dependencies.store.find(id);
}

Result<void> get_customer(const Request& request, const Reply& reply,
                          const CustomerApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    const auto record = TRY(find_customer(request, dependencies));
    reply.send({.body = customer_json(record.customer),
                .headers = {{"ETag", http::entity_tag(record.customer.version)}}});
    return {};
}

Result<void> get_address(const Request& request, const Reply& reply,
                         const CustomerApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    const auto record = TRY(find_customer(request, dependencies));
    const auto id = TRY(read_address_id(request));
    const auto* const address = find_address(record, id);
    if (address == nullptr)
        return fail(Errc::not_found, "the customer has no address with this id");
    reply.send({.body = customer_address_json(*address, record.customer.id),
                .headers = {{"ETag", http::entity_tag(address->version)}}});
    return {};
}

// No paging: a customer has at most customer_addresses_max addresses.
Result<void> list_addresses(const Request& request, const Reply& reply,
                            const CustomerApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    const auto record = TRY(find_customer(request, dependencies));
    reply.send(http::page_response(request, "", [&](json::Writer& out) {
        for (const domain::CustomerAddress& address : record.addresses)
            write_customer_address(out, address, record.customer.id);
    }));
    return {};
}

Result<void> list_customers(const Request& request, const Reply& reply,
                            const CustomerApiDependencies& dependencies) {
    const CustomerListRequest list = TRY(read_customer_list_request(request));
    http::PageWriter page;
    std::optional<std::string> after = list.after;
    std::size_t count = 0;
    bool has_more = false;
    for (std::size_t part = page.next_part(0, list.limit); part > 0;) {
        const auto found = TRY(dependencies.store.list(list.filter, after, part));
        std::size_t written = 0;
        while (written < found.items.size() && !page.is_full())
            write_customer(page.out(), found.items[written++]);
        if (written > 0) after = found.items[written - 1].id;
        has_more = found.next || written < found.items.size();
        count += written;
        part = has_more ? page.next_part(count, list.limit - count) : 0;
    }
    reply.send(page.finish(request, has_more ? *after : std::string()));
    return {};
}

RecordedResponse answer_with(const app::Erasure& erasure, bool is_dry_run) {
    RecordedResponse answer{.status = 200};
    json::Writer out(answer.body);
    out.begin_object()
        .member("dryRun", is_dry_run)
        .member("orders", erasure.orders)
        .member("addresses", erasure.addresses)
        .end_object();
    return answer;
}

Result<void> erase_customer(const Request& request, const Reply& reply,
                            const CustomerApiDependencies& dependencies) {
    TRY(http::check_query(request, {}));
    app::EraseCustomer command;
    command.customer = domain::customer_id_of(TRY(read_customer_id(request)));
    command.is_dry_run = TRY(read_erase_request(request.body));
    command.actor = request.context.actor();
    command.trace = request.context.trace();
    command.act = request.context.act;
    command.key = TRY(http::read_idempotency_key(request, dependencies.key_lifetime));
    const app::EraseResult result = TRY(app::erase_customer(
        command,
        {dependencies.store, dependencies.orders, dependencies.clock, dependencies.ids,
         dependencies.timeouts, dependencies.on_orders_erased},
        [](const app::Erasure& erasure) { return answer_with(erasure, false); }));
    if (result.replayed) {
        reply.send(http::replayed_response(*result.replayed));
        return {};
    }
    Response response = http::response_of(answer_with(result.erasure, command.is_dry_run));
    if (command.key && !command.is_dry_run)
        http::add_key_expiry(response, dependencies.clock.now() + command.key->lifetime);
    reply.send(std::move(response));
    return {};
}

// Writes the customer and its addresses, each as an object with one member that names its kind.
void write_registration(json::Writer& out, const domain::CustomerAggregate& record) {
    out.begin_object().name("customer");
    write_customer(out, record.customer);
    out.end_object();
    for (const domain::CustomerAddress& address : record.addresses) {
        out.begin_object().name("address");
        write_customer_address(out, address, record.customer.id);
        out.end_object();
    }
}

// The first page begins with the customer and its addresses.
Result<void> export_customer(const Request& request, const Reply& reply,
                             const CustomerApiDependencies& dependencies) {
    const ExportRequest wanted = TRY(read_export_request(request));
    const auto record = find_customer(request, dependencies);
    if (!record && record.error().code != Errc::not_found) return std::unexpected(record.error());
    app::OrderFilter filter;
    filter.customer = domain::customer_id_of(std::string(request.param("id")));
    http::PageWriter page;
    if (record && !wanted.after) write_registration(page.out(), *record);
    std::optional<domain::OrderId> after = wanted.after;
    std::size_t count = 0;
    for (std::size_t part = page.next_part(0, wanted.limit); part > 0;) {
        const auto found = TRY(dependencies.orders.list(filter, after, part));
        if (!record && !wanted.after && count == 0 && found.items.empty())
            return std::unexpected(record.error());
        after.reset();
        for (auto order = found.items.begin(); order != found.items.end(); ++order) {
            page.out().begin_object().name("order");
            write_order(page.out(), *order);
            page.out().end_object();
            ++count;
            const bool has_more = found.next || order + 1 != found.items.end();
            after = has_more ? std::optional(order->id) : std::nullopt;
            if (page.is_full()) break;
        }
        part = after ? page.next_part(count, wanted.limit - count) : 0;
    }
    reply.send(page.finish(request, after ? after->text() : ""));
    return {};
}

using CustomerHandler = Result<void> (*)(const Request&, const Reply&,
                                         const CustomerApiDependencies&);

// Turns a refusal into a problem answer.
template <CustomerHandler handle>
void answer_customer(const Request& request, const Reply& reply,
                     const CustomerApiDependencies& dependencies) {
    if (const auto answered = handle(request, reply, dependencies); !answered)
        reply.problem(answered.error());
}

using http::Answer;
using http::Body;
using http::Idempotency;
using http::Scope;
using http::Work;
using CustomerRow = http::RouteOf<CustomerApiDependencies>;

template <CustomerHandler handle>
constexpr CustomerRow customer_query(std::string_view pattern) {
    return http::get_row<CustomerApiDependencies>(pattern, Scope::orders_read, Answer::json,
                                                  Work::query, answer_customer<handle>);
}

// Customers change rarely, so a worker carries out each change by itself.
template <CustomerHandler handle>
constexpr CustomerRow customer_command(std::string_view method, std::string_view pattern,
                                       Body body) {
    return {.method = method,
            .pattern = pattern,
            .scope = Scope::orders_write,
            .body = body,
            .answer = Answer::json,
            .idempotency = Idempotency::optional,
            .work = Work::query,
            .handler = answer_customer<handle>};
}

constexpr std::string_view customers_path = "/api/customers";
constexpr std::string_view customer_path = "/api/customers/{id}";
constexpr std::string_view addresses_path = "/api/customers/{id}/addresses";
constexpr std::string_view address_path = "/api/customers/{id}/addresses/{addressId}";

constexpr auto customer_rows = std::to_array<CustomerRow>({
    customer_command<post_customer>("POST", customers_path, Body::json),
    customer_query<list_customers>(customers_path),
    customer_query<get_customer>(customer_path),
    customer_command<patch_customer>("PATCH", customer_path, Body::json),
    customer_command<delete_customer>("DELETE", customer_path, Body::none),
    customer_command<post_address>("POST", addresses_path, Body::json),
    customer_query<list_addresses>(addresses_path),
    customer_query<get_address>(address_path),
    customer_command<patch_address>("PATCH", address_path, Body::json),
    customer_command<delete_address>("DELETE", address_path, Body::none),
    {.method = "POST",
     .pattern = "/api/customers/{id}/erase",
     .scope = Scope::operate,
     .body = Body::json,
     .answer = Answer::json,
     .idempotency = Idempotency::optional,
     .work = Work::query,
     .handler = answer_customer<erase_customer>,
     .body_optional = true},
    http::get_row<CustomerApiDependencies>("/api/customers/{id}/export", Scope::operate,
                                           Answer::json, Work::query,
                                           answer_customer<export_customer>),
});
static_assert(http::is_consistent(customer_rows));

}  // namespace

std::vector<http::Route> customer_routes(const CustomerApiDependencies& dependencies) {
    return http::bound(customer_rows, dependencies);
}

std::vector<http::Route> customer_route_table() { return http::unbound(customer_rows); }

}  // namespace trackops::order::adapters
