#include "platform/http/router.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "platform/http/target.hpp"

namespace trackops::http {
namespace {

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

// Cuts the first segment off a path that starts with a slash.
std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

bool serves(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

}  // namespace

struct Router::Node {
    std::vector<std::pair<std::string_view, std::unique_ptr<Node>>> literals;
    std::unique_ptr<Node> parameter;
    std::vector<const Route*> routes;
    std::string allowed;

    Node& child(std::string_view segment) {
        if (is_parameter(segment)) {
            if (!parameter) parameter = std::make_unique<Node>();
            return *parameter;
        }
        for (auto& [literal, node] : literals) {
            if (literal == segment) return *node;
        }
        return *literals.emplace_back(segment, std::make_unique<Node>()).second;
    }

    // The node a path leads to, its parameters' segments on the way; literal segments are tried
    // first.
    const Node* find(std::string_view path, std::vector<std::string_view>& segments) const {
        if (path.empty()) return routes.empty() ? nullptr : this;
        const std::string_view encoded = take_segment(path);
        std::optional<std::string> decoded;
        if (encoded.find('%') != std::string_view::npos) {
            decoded = percent_decoded(encoded);
            if (!decoded) return nullptr;
        }
        const std::string_view segment = decoded ? *decoded : encoded;
        for (const auto& [literal, node] : literals) {
            if (literal != segment) continue;
            if (const Node* found = node->find(path, segments)) return found;
        }
        if (!parameter || segment.empty()) return nullptr;
        segments.push_back(encoded);
        if (const Node* found = parameter->find(path, segments)) return found;
        segments.pop_back();
        return nullptr;
    }
};

Router::Router(std::vector<Route> routes)
    : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
    for (const auto& route : routes_) {
        if (!route.pattern.starts_with('/'))
            throw std::logic_error("a route starts with a slash: " + std::string(route.pattern));
        Node* node = root_.get();
        for (std::string_view rest = route.pattern; !rest.empty();)
            node = &node->child(take_segment(rest));
        if (std::ranges::any_of(
                node->routes, [&](const Route* other) { return other->method == route.method; })) {
            throw std::logic_error("two routes for " + std::string(route.method) + " " +
                                   std::string(route.pattern));
        }
        node->routes.push_back(&route);
        if (!node->allowed.empty()) node->allowed += ", ";
        node->allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    }
}

Router::~Router() = default;

Router::Match Router::match(std::string_view method, std::string_view path) const {
    Match match;
    std::vector<std::string_view> segments;
    const Node* node = path.starts_with('/') ? root_->find(path, segments) : nullptr;
    if (!node) return match;
    const auto found = std::ranges::find_if(
        node->routes, [&](const Route* route) { return serves(*route, method); });
    if (found == node->routes.end()) {
        match.allowed = node->allowed;
        return match;
    }
    match.route = *found;
    auto segment = segments.begin();
    for (std::string_view rest = match.route->pattern; !rest.empty();) {
        const std::string_view name = take_segment(rest);
        if (is_parameter(name)) {
            match.params.emplace_back(name.substr(1, name.size() - 2),
                                      percent_decoded(*segment++).value_or(""));
        }
    }
    return match;
}

}  // namespace trackops::http
