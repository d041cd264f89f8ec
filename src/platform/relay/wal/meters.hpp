// The metrics of the WAL source.
#pragma once
#include "platform/telemetry/metrics.hpp"

namespace trackops::relay {

struct WalMeters {
    WalMeters(telemetry::Registry& metrics, const telemetry::Labels& labels)
        : repairs(metrics.counter("trackops_relay_repairs_total",
                                  "Times that events were polled because the log could not be read "
                                  "from the checkpoint on",
                                  labels)),
          in_doubt(metrics.counter("trackops_relay_events_in_doubt_total",
                                   "Events that a repair published, perhaps again", labels)),
          ignored(metrics.counter("trackops_relay_ignored_messages_total",
                                  "Messages of the log that were no insert of an event", labels)),
          retained_bytes(metrics.gauge("trackops_relay_slot_retained_bytes",
                                       "Bytes of the log that the server keeps for the slot",
                                       labels)) {}

    telemetry::Counter& repairs;
    telemetry::Counter& in_doubt;
    telemetry::Counter& ignored;
    telemetry::Gauge& retained_bytes;
};

}  // namespace trackops::relay
