#include "order/adapters/own_orders.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "order/adapters/order_cache.hpp"
#include "platform/json/reader.hpp"

namespace trackops::order::adapters {
namespace {

using http::Handler;
using http::Reply;
using http::Request;

const std::string& customer_of(const Request& request) {
    return request.context.principal->customer_id;
}

Error no_such_order() { return {Errc::not_found, "no order has this id"}; }

// Whether a body, of a request or of an order, names this customer.
bool is_of(std::string_view body, const std::string& customer) {
    const auto document = json::Document::parse(body);
    const auto id = document ? document->root().find("customerId") : std::nullopt;
    return id && id->text() == customer;
}

// A body that names no customer, or is none, is left to the handler, which says what is wrong.
bool is_for_another(const Request& request) {
    const auto document = json::Document::parse(request.body);
    const auto id = document ? document->root().find("customerId") : std::nullopt;
    return id && id->text() && *id->text() != customer_of(request);
}

Handler placing(Handler inner) {
    return [inner = std::move(inner)](const Request& request, Reply reply) {
        if (!customer_of(request).empty() && is_for_another(request))
            return reply.problem(
                {Errc::forbidden, "this caller places orders for its own customer alone"});
        inner(request, std::move(reply));
    };
}

Handler listing(Handler inner) {
    return [inner = std::move(inner)](const Request& request, Reply reply) {
        if (customer_of(request).empty()) return inner(request, std::move(reply));
        const auto wanted = request.query_value("customerId").value_or("");
        if (!wanted.empty() && wanted != customer_of(request))
            return reply.problem(
                {Errc::forbidden, "this caller lists the orders of its own customer alone"});
        Request own = request;
        std::erase_if(own.query, [](const auto& one) {
            return one.first == "customerId" && one.second.empty();
        });
        if (wanted.empty()) own.query.emplace_back("customerId", customer_of(request));
        inner(own, std::move(reply));
    };
}

// Looks up whose order it is, in the cache or the store, and then calls the handler: on this thread
// if it may block, else on that of the lookups.
Handler of_one_order(Handler inner, http::Work work, const ApiDependencies& dependencies) {
    return [inner = std::move(inner), work, dependencies](const Request& request, Reply reply) {
        if (customer_of(request).empty()) return inner(request, std::move(reply));
        const auto id = domain::OrderId::parse(request.param("id"));
        if (!id) return reply.problem(no_such_order());
        const auto go_on = [&inner, reply](const Result<CachedOrder>& order) {
            if (!order) return reply.problem(order.error());
            const Request& own = reply.request();
            if (!is_of(order->order, customer_of(own))) return reply.problem(no_such_order());
            inner(own, reply);
        };
        if (work == http::Work::query) {
            const domain::OrderId ids[] = {*id};
            return go_on(dependencies.cache.find(ids, dependencies.store).front());
        }
        if (auto cached = dependencies.cache.get_local(*id)) return go_on(*std::move(cached));
        if (!dependencies.find_queue.submit(*id, go_on)) reply.busy();
    };
}

Handler confined(const http::Route& route, const ApiDependencies& dependencies) {
    if (route.pattern == "/api/orders" && route.method == "POST") return placing(route.handler);
    if (route.pattern == "/api/orders" && route.method == "GET") return listing(route.handler);
    if (route.pattern.starts_with("/api/orders/{id}") && route.method == "GET")
        return of_one_order(route.handler, route.work, dependencies);
    throw std::logic_error(
        fmt::format("nothing confines {} {} to own orders", route.method, route.pattern));
}

}  // namespace

std::vector<http::Route> confined_to_own_orders(std::vector<http::Route> routes,
                                                const ApiDependencies& dependencies) {
    for (http::Route& route : routes) {
        if (route.is_for_own_customer) route.handler = confined(route, dependencies);
    }
    return routes;
}

}  // namespace trackops::order::adapters
