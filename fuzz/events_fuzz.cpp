// Fuzzes the codec of events: a decoded event survives encoding and decoding unchanged.
#include "events/decode.hpp"
#include "events/encode.hpp"
#include "events/events.hpp"
#include "fuzz/promise.hpp"

namespace {

using trackops::fuzz::promise;

constexpr std::string_view types[] = {
    trackops::events::OrderCreated::type,      trackops::events::OrderStatusUpdated::type,
    trackops::events::OrderDelivered::type,    trackops::events::OrderCancelled::type,
    trackops::events::InventoryReserved::type, trackops::events::InventoryReservationFailed::type,
    trackops::events::InventoryReleased::type, "ORDER_UNHEARD_OF",
    trackops::events::OrderUpdated::type,      trackops::events::CustomerErased::type,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    std::string_view rest = fuzz::text_of(data, size);
    const std::string_view type = types[fuzz::take_choice(rest, std::size(types))];
    const auto event = events::decode(type, rest);
    if (!event) {
        const Error& error = event.error();
        promise(!error.detail.empty(), "a refusal says why");
        promise(error.code != Errc::invalid || !error.fields.empty() ||
                    error.detail == "the JSON nests too deep",
                "an invalid event names a field");
        return 0;
    }
    promise(events::type_of(*event) == type, "an event is of the type asked for");
    const std::string encoded = events::encode(*event);
    const auto again = events::decode(type, encoded);
    promise(again.has_value(), "what was decoded can be encoded and decoded");
    promise(*again == *event, "and is the same");
    promise(events::encode(*again) == encoded, "in the same bytes");
    return 0;
}
