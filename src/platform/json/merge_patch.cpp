#include "platform/json/merge_patch.hpp"

#include <optional>

#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::json {
namespace {

// The parser bounds the depth of the patch, and with it the recursion.
void write_merged(Writer& out, std::optional<Value> target, Value patch) {
    if (patch.kind() != Kind::object) {
        out.raw(patch.minified());
        return;
    }
    if (target && target->kind() != Kind::object) target.reset();
    out.begin_object();
    const auto write_member = [&out](std::string_view name, std::optional<Value> old, Value given) {
        if (given.is_null()) return;
        out.name(name);
        write_merged(out, old, given);
    };
    if (target) {
        target->each_member([&](std::string_view name, Value old) {
            if (const auto given = patch.find(name)) return write_member(name, old, *given);
            out.name(name).raw(old.minified());
        });
    }
    patch.each_member([&](std::string_view name, Value given) {
        if (!target || !target->find(name)) write_member(name, std::nullopt, given);
    });
    out.end_object();
}

}  // namespace

Result<std::string> merge_patch(std::string_view target, std::string_view patch) {
    const Document whole = TRY(Document::parse(target));
    const Document changes = TRY(Document::parse(patch));
    std::string merged;
    Writer out(merged);
    write_merged(out, whole.root(), changes.root());
    return merged;
}

}  // namespace trackops::json
