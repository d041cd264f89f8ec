// Calls a route without a server. Only tests include this.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/router.hpp"

namespace trackops::relay {

class Recorded final : public http::Reply::Exchange {
public:
    explicit Recorded(http::Request request) : request_(std::move(request)) {}
    const http::Request& request() const override { return request_; }
    void complete(http::Response answer) override { response = std::move(answer); }
    http::Response response{.status = 0};

private:
    http::Request request_;
};

using Query = std::vector<std::pair<std::string, std::string>>;

// Returns the response; status 0 if no route has this method and pattern.
inline http::Response ask(std::span<const http::Route> routes, std::string_view method,
                          std::string_view pattern, Query query = {}, Query params = {}) {
    http::Request request;
    request.method = method;
    request.path = request.route = pattern;
    request.query = std::move(query);
    request.params = std::move(params);
    const auto exchange = std::make_shared<Recorded>(std::move(request));
    for (const http::Route& route : routes) {
        if (route.method != method || route.pattern != pattern) continue;
        route.handler(exchange->request(), http::Reply(exchange));
    }
    return exchange->response;
}

}  // namespace trackops::relay
