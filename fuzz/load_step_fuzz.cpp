// Fuzzes the lines that `trackops load` plays: the bodies it sends are JSON, and its paths name the
// intended resource.
#include "fuzz/promise.hpp"
#include "load/step.hpp"
#include "platform/http/target.hpp"
#include "platform/json/reader.hpp"

namespace trackops::fuzz {
namespace {

void check_body(std::string_view body) {
    promise(json::Document::parse(body).has_value(), "a body is JSON");
}
void check_word(std::string_view word) {
    promise(http::percent_decoded(load::percent_encoded(word)) == word, "a word survives a path");
}

void check(const load::PlaceOrder& step) {
    check_body(step.body);
    check_word(step.reference);
}
void check(const load::CancelOrder& step) {
    check_body(step.body);
    check_word(step.reference);
    promise(!step.reference.empty(), "a cancellation names its order");
}
void check(const load::AdjustStock& step) {
    check_body(step.body);
    check_word(step.sku);
    promise(!step.sku.empty() && !step.key.empty(), "an adjustment has a SKU and a key");
}
void check(const load::NotSent& step) {
    promise(!step.reason.empty(), "what is not sent says why");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    const auto step = load::parse_step(fuzz::text_of(data, size));
    if (step) {
        std::visit([](const auto& one) { fuzz::check(one); }, *step);
    } else {
        fuzz::promise(!step.error().detail.empty(), "a refusal says why");
    }
    return 0;
}
