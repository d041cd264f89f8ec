// Fuzzes the single values of requests, settings and streams: an accepted value is written back
// unchanged.
#include "base/instant.hpp"
#include "base/sku.hpp"
#include "base/uuid.hpp"
#include "fuzz/promise.hpp"
#include "platform/config/kind.hpp"
#include "platform/http/target.hpp"
#include "platform/outbox/snapshot.hpp"
#include "platform/relay/wal/pgoutput.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto id = Uuid::parse(text))
        promise(Uuid::parse(id->text()) == id, "a UUID is written as it was read");
    if (const auto at = Instant::parse(text)) {
        const std::string written = at->text();
        promise(written.size() == 27, "an instant has 27 characters");
        promise(Instant::parse(written) == at, "an instant is written as it was read");
    }
    if (const auto duration = config::parse_duration(text)) {
        const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count();
        promise(config::parse_duration(config::duration_text(whole)) == duration,
                "a duration is written as it was read");
    }
    if (const auto number = config::parse_integer(text))
        promise(config::parse_integer(std::to_string(*number)) == number,
                "a number is written as it was read");
    if (const auto lsn = relay::pgoutput::Lsn::parse(text))
        promise(relay::pgoutput::Lsn::parse(lsn->text()) == lsn, "an LSN is written as read");
    if (const auto snapshot = outbox::Snapshot::parse(text)) {
        promise(outbox::Snapshot::parse(snapshot->text) == snapshot, "a snapshot keeps its text");
        promise(!snapshot->sees(snapshot->xmax) || snapshot->xmax < snapshot->xmin,
                "a snapshot does not see its end");
        promise(snapshot->xmin == 0 || snapshot->sees(snapshot->xmin - 1),
                "a snapshot sees what is below its beginning");
    }
    if (is_sku(text)) {
        promise(http::percent_decoded(http::percent_encoded_path(text)) == text,
                "a SKU survives a path");
    }
    return 0;
}
