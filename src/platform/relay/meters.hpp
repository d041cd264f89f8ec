// The metrics of a relay.
#pragma once
#include "platform/telemetry/metrics.hpp"

namespace trackops::relay {

struct Meters {
    Meters(telemetry::Registry& metrics, const telemetry::Labels& labels)
        : published(metrics.counter("trackops_relay_published_total",
                                    "Events that the bus acknowledged", labels)),
          retries(metrics.counter("trackops_relay_retries_total",
                                  "Events that the bus did not take and that are tried again",
                                  labels)),
          parked(metrics.counter("trackops_relay_refused_total",
                                 "Events that the bus refused for good", labels)),
          pauses(metrics.counter("trackops_relay_pauses_total", "Calls of pause", labels)),
          sample_failures(metrics.counter("trackops_relay_sample_failures_total",
                                          "Times that the backlog could not be counted", labels)),
          backlog(metrics.gauge("trackops_relay_backlog_events",
                                "Committed and not confirmed, at most 100,000 counted", labels)),
          oldest_age(metrics.gauge("trackops_relay_oldest_event_age_seconds",
                                   "Age of the oldest of the backlog", labels)),
          parked_events(metrics.gauge("trackops_relay_parked_events",
                                      "Parked events and those behind them", labels)),
          parked_keys(
              metrics.gauge("trackops_relay_parked_keys", "Keys with a parked event", labels)),
          active(metrics.gauge("trackops_relay_active", "1 while it holds the lease", labels)),
          paused(metrics.gauge("trackops_relay_paused", "1 while paused", labels)) {}

    telemetry::Counter& published;
    telemetry::Counter& retries;
    telemetry::Counter& parked;
    telemetry::Counter& pauses;
    telemetry::Counter& sample_failures;
    telemetry::Gauge& backlog;
    telemetry::Gauge& oldest_age;
    telemetry::Gauge& parked_events;
    telemetry::Gauge& parked_keys;
    telemetry::Gauge& active;
    telemetry::Gauge& paused;
};

}  // namespace trackops::relay
