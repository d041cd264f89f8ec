#include "platform/http/router.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "base/nearest.hpp"
#include "base/service_paths.hpp"
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

// Whether the path is `parent` or below it.
bool is_below(std::string_view path, std::string_view parent) {
    return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

// Whether a pattern ends with a segment of a path that begins with a slash.
bool ends_alike(std::string_view pattern, std::string_view path) {
    while (!path.empty()) {
        const std::string_view segment = path.substr(0, path.find('/', 1));
        if (segment.size() > 1 && pattern.ends_with(segment)) return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

// The parameters of a path. A request allocates nothing for them.
struct Segments {
    static constexpr std::size_t count_max = 4;
    std::array<std::string_view, count_max> texts;
    std::size_t count = 0;
};

bool serves(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

// The methods of an Allow header, each once.
class Methods {
public:
    void add(std::string_view method) {
        if (std::ranges::find(methods_, method) == methods_.end()) methods_.push_back(method);
    }
    // "" without a method, otherwise with HEAD beside GET and with OPTIONS, which no route serves.
    std::string text() const {
        std::string text;
        for (const std::string_view method : methods_) {
            text += method == "GET" ? "GET, HEAD" : method;
            text += ", ";
        }
        if (!text.empty()) text += "OPTIONS";
        return text;
    }

private:
    std::vector<std::string_view> methods_;
};

}  // namespace

struct Router::Node {
    std::vector<std::pair<std::string_view, std::unique_ptr<Node>>> literals;
    std::unique_ptr<Node> parameter;
    std::string_view parameter_name;  // with its braces
    std::vector<const Route*> routes;

    Node& child(std::string_view segment) {
        if (is_parameter(segment)) {
            if (!parameter) parameter = std::make_unique<Node>();
            parameter_name = segment;
            return *parameter;
        }
        for (auto& [literal, node] : literals) {
            if (literal == segment) return *node;
        }
        return *literals.emplace_back(segment, std::make_unique<Node>()).second;
    }

    // Calls visit() with the routes of each node that the path leads to, literal segments first,
    // until visit() returns true. `segments` then holds the parameters' segments on the way to that
    // node.
    template <class Visit>
    bool reach(std::string_view path, Segments& segments, const Visit& visit) const {
        if (path.empty()) return visit(routes);
        const std::string_view encoded = take_segment(path);
        std::optional<std::string> decoded;
        if (encoded.find('%') != std::string_view::npos) {
            decoded = percent_decoded(encoded);
            if (!decoded) return false;
        }
        const std::string_view segment = decoded ? *decoded : encoded;
        for (const auto& [literal, node] : literals) {
            if (literal == segment && node->reach(path, segments, visit)) return true;
        }
        if (!parameter || segment.empty()) return false;
        segments.texts[segments.count++] = encoded;
        if (parameter->reach(path, segments, visit)) return true;
        --segments.count;
        return false;
    }

    // Returns the child that a segment leads to, and its name in the pattern; null if there is
    // none.
    std::pair<const Node*, std::string_view> find(std::string_view segment) const {
        for (const auto& [literal, node] : literals) {
            if (literal == segment) return {node.get(), literal};
        }
        if (!parameter || segment.empty()) return {};
        return {parameter.get(), parameter_name};
    }

    // Returns the literal that the client meant by a segment; "" if there is none like it.
    std::string_view nearest(std::string_view segment) const {
        constexpr std::size_t beginning_bytes_min = 3;
        std::vector<std::string_view> names;
        names.reserve(literals.size());
        for (const auto& [literal, node] : literals) names.push_back(literal);
        if (const auto found = nearest_name(segment, names)) return *found;
        for (const std::string_view name : names) {
            if (segment.size() >= beginning_bytes_min && name.starts_with(segment)) return name;
        }
        return "";
    }

    // Returns the paths of one more segment, as "a, b and c".
    std::string children() const {
        std::vector<std::string_view> names;
        for (const auto& [literal, node] : literals) {
            if (!literal.empty()) names.push_back(literal);
        }
        if (parameter) names.push_back(parameter_name);
        std::string text;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
            text += names[i];
        }
        return text;
    }

    // Returns the methods that a path allows: those of the most literal pattern. The others that it
    // matches are of other things, such as the order whose id is the word in the pattern.
    std::string allowed(std::string_view path) const {
        Methods methods;
        Segments segments;
        reach(path, segments, [&methods](const std::vector<const Route*>& found) {
            for (const Route* route : found) methods.add(route->method);
            return !found.empty();
        });
        return methods.text();
    }
};

Router::Router(std::vector<Route> routes)
    : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
    for (const auto& route : routes_) {
        if (!route.pattern.starts_with('/'))
            throw std::logic_error("a route starts with a slash: " + std::string(route.pattern));
        if (std::ranges::count(route.pattern, '{') > std::ptrdiff_t{Segments::count_max})
            throw std::logic_error("a route has at most four parameters: " +
                                   std::string(route.pattern));
        Node* node = root_.get();
        for (std::string_view rest = route.pattern; !rest.empty();)
            node = &node->child(take_segment(rest));
        if (std::ranges::any_of(
                node->routes, [&](const Route* other) { return other->method == route.method; })) {
            throw std::logic_error("two routes for " + std::string(route.method) + " " +
                                   std::string(route.pattern));
        }
        node->routes.push_back(&route);
    }
}

Router::~Router() = default;

Router::Match Router::match(std::string_view method, std::string_view path) const {
    Match match;
    if (path == "*") {
        Methods all;
        for (const Route& route : routes_) all.add(route.method);
        match.allowed = all.text();
    }
    if (!path.starts_with('/')) return match;
    Segments segments;
    root_->reach(path, segments, [&](const std::vector<const Route*>& routes) {
        const auto found = std::ranges::find_if(
            routes, [&](const Route* route) { return serves(*route, method); });
        if (found != routes.end()) match.route = *found;
        return match.route != nullptr;
    });
    if (!match.route) {
        match.allowed = root_->allowed(path);
        return match;
    }
    auto segment = segments.texts.begin();
    for (std::string_view rest = match.route->pattern; !rest.empty();) {
        const std::string_view name = take_segment(rest);
        if (is_parameter(name)) {
            match.params.emplace_back(name.substr(1, name.size() - 2),
                                      percent_decoded(*segment++).value_or(""));
        }
    }
    return match;
}

template <class IsMeant>
std::string Router::elsewhere(IsMeant is_meant) const {
    for (const ServicePath& one : service_paths) {
        const bool is_ours = std::ranges::any_of(
            routes_, [&](const Route& route) { return is_below(route.pattern, one.path); });
        if (!is_ours && is_meant(one.path)) {
            return fmt::format("{} is a path of {}, which listens on port {} by default", one.path,
                               one.service, one.default_port);
        }
    }
    return "";
}

std::string_view Router::ending_alike(std::string_view path) const {
    std::string_view shortest;
    for (const Route& route : routes_) {
        const std::string_view pattern = route.pattern;
        const bool is_literal = pattern.find('{') == std::string_view::npos;
        if (is_literal && ends_alike(pattern, path) &&
            (shortest.empty() || pattern.size() < shortest.size()))
            shortest = pattern;
    }
    return shortest;
}

std::string Router::hint(std::string_view path) const {
    std::string_view rest = path;
    const Node* node = root_.get();
    std::string known;  // the part of the path that routes have, as their patterns write it
    std::string meant;
    while (rest.starts_with('/')) {
        const std::string segment = percent_decoded(take_segment(rest)).value_or("");
        const auto [child, name] = node->find(segment);
        // A parameter takes any text, also one that was meant to be a literal.
        const bool is_literal = child && !is_parameter(name);
        const std::string_view nearest = is_literal ? "" : node->nearest(segment);
        if (!nearest.empty() && (meant.empty() || !child))
            meant = "did you mean " + known + '/' + std::string(nearest) + '?';
        if (!child) break;
        node = child;
        known.append("/").append(name);
    }
    if (!meant.empty()) return meant;
    std::string other = elsewhere([path](std::string_view its) { return is_below(path, its); });
    // Deep in a path that exists, an ending means something else.
    const bool is_early = path.starts_with('/') && known.find('/', 1) == std::string::npos;
    if (other.empty() && is_early) {
        if (const std::string_view alike = ending_alike(path); !alike.empty())
            return fmt::format("did you mean {}?", alike);
        other = elsewhere([path](std::string_view its) { return ends_alike(its, path); });
    }
    if (!other.empty()) return other;
    const std::string children = node->children();
    if (children.empty()) return "the path ends at " + known;
    return "below " + (known.empty() ? "/" : known) + " this service has " + children;
}

}  // namespace trackops::http
