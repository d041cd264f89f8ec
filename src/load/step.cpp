#include "load/step.hpp"

#include <fmt/format.h>

#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::load {

namespace {

Result<Step> cancel_of(json::Value cancel) {
    auto reference = std::string(cancel.text_of("externalRef"));
    if (reference.empty()) return fail(Errc::invalid, "a cancel names no externalRef");
    std::string body;
    json::Writer writer(body);
    writer.begin_object();
    if (const auto reason = cancel.text_of("reason"); !reason.empty())
        writer.member("reason", reason);
    writer.end_object();
    return CancelOrder{std::move(reference), std::move(body)};
}

Result<Step> adjust_of(json::Value adjust) {
    AdjustStock step{std::string(adjust.text_of("sku")), std::string(adjust.text_of("key")), {}};
    if (step.sku.empty() || step.key.empty())
        return fail(Errc::invalid, "an adjust needs a sku and a key");
    json::Writer writer(step.body);
    writer.begin_object();
    adjust.each_member([&](std::string_view name, json::Value value) {
        if (name != "sku" && name != "key") writer.name(name).raw(value.minified());
    });
    writer.end_object();
    return step;
}

}  // namespace

Result<Step> parse_step(std::string_view line) {
    const auto document = TRY(json::Document::parse(line));
    const auto root = document.root();
    if (root.kind() != json::Kind::object) return fail(Errc::invalid, "the line is no JSON object");
    if (const auto cancel = root.find("cancel")) return cancel_of(*cancel);
    if (const auto adjust = root.find("adjust")) return adjust_of(*adjust);
    if (const auto refused = root.find("refused")) {
        auto reason = std::string(refused->text_of("reason"));
        return NotSent{reason.empty() ? "no reason given" : std::move(reason)};
    }
    const auto order = root.find("order").value_or(root);
    return PlaceOrder{std::string(order.text_of("externalRef")), order.minified()};
}

std::string_view reference_of(const Step& step) {
    if (const auto* order = std::get_if<PlaceOrder>(&step)) return order->reference;
    if (const auto* cancel = std::get_if<CancelOrder>(&step)) return cancel->reference;
    return {};
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                   (c >= '0' && c <= '9') ||
                                   std::string_view("-._~").find(c) != std::string_view::npos;
        if (is_unreserved)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace trackops::load
