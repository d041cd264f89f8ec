// Fuzzes the JSON reader: an accepted document can be walked and has the same meaning when written
// again.
#include "fuzz/refusal.hpp"
#include "platform/json/fault_place.hpp"
#include "platform/json/reader.hpp"

namespace trackops::fuzz {
namespace {

void walk(json::Value value) {
    std::size_t entries = 0;
    value.each_member([&](std::string_view name, json::Value member) {
        const auto found = value.find(name);
        promise(found && found->kind() == member.kind(), "a member is found by its name");
        ++entries;
        walk(member);
    });
    value.each_element([&](std::size_t place, json::Value element) {
        promise(place == entries, "elements come in order");
        ++entries;
        walk(element);
    });
    promise(value.size() == entries, "the size is that of what is visited");
    if (value.kind() == json::Kind::integer)
        promise(value.integer() && value.number(), "an integer is a number");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    const std::string_view text = fuzz::text_of(data, size);
    const auto document = json::Document::parse(text);
    const auto fault = json::find_fault(text);
    fuzz::promise(!fault || fault->offset <= text.size(), "a fault is within the text");
    if (!fuzz::is_taken(document)) return 0;
    fuzz::walk(document->root());
    const std::string once = document->root().minified();
    const auto again = json::Document::parse(once);
    fuzz::promise(again.has_value(), "what was taken is JSON when written out");
    fuzz::promise(again->root().minified() == once, "writing out is stable");
    fuzz::promise(!json::find_fault(once), "what was taken has no fault");
    fuzz::promise(again->root().canonical() == document->root().canonical(),
                  "the canonical text does not depend on the form");
    return 0;
}
