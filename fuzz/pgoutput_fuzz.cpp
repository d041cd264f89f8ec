// Fuzzes frames and messages of PostgreSQL's replication stream: any bytes are decoded or refused,
// and nothing is read beyond them.
#include "fuzz/promise.hpp"
#include "platform/relay/wal/pgoutput.hpp"

namespace trackops::fuzz {
namespace {

using namespace relay;

void check_insert(const pgoutput::Insert& insert, std::string_view bytes) {
    std::size_t taken = 0;
    for (const auto& value : insert.values) {
        if (!value || value->empty()) continue;
        promise(value->data() >= bytes.data() &&
                    value->data() + value->size() <= bytes.data() + bytes.size(),
                "a value lies in the message");
        taken += value->size();
    }
    promise(taken + insert.values.size() <= bytes.size(), "values do not overlap");
}

void check_message(std::string_view bytes) {
    const auto message = pgoutput::read_message(bytes);
    if (!message) {
        promise(message.error().code == Errc::malformed && !message.error().detail.empty(),
                "a refusal says why");
        return;
    }
    if (const auto* insert = std::get_if<pgoutput::Insert>(&*message)) check_insert(*insert, bytes);
    if (const auto* relation = std::get_if<pgoutput::Relation>(&*message))
        promise(relation->columns.size() * 10 + relation->name.size() <= bytes.size(),
                "a column takes its bytes");
    if (std::holds_alternative<pgoutput::Other>(*message)) return;
    if (bytes.size() > 1)
        promise(!pgoutput::read_message(bytes.substr(0, bytes.size() - 1)), "a message is whole");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    const std::string_view bytes = fuzz::text_of(data, size);
    fuzz::check_message(bytes);
    const auto frame = relay::pgoutput::read_frame(bytes);
    if (!frame) return 0;
    if (const auto* keepalive = std::get_if<relay::pgoutput::Keepalive>(&*frame)) {
        const auto status = relay::pgoutput::status_update(keepalive->end, {});
        fuzz::promise(status.substr(1, 8) == bytes.substr(1, 8), "an LSN goes back as it came");
    } else {
        fuzz::check_message(std::get<relay::pgoutput::Data>(*frame).message);
    }
    return 0;
}
