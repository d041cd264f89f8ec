// The settings of the order and the inventory service, which `trackops dev` has, too.
#pragma once
#include "platform/config/settings.hpp"

namespace trackops::apps {

inline constexpr config::Setting idempotency_lifetime_setting{
    "idempotency-lifetime",
    config::Kind::duration,
    "24h",
    "How long the response to an Idempotency-Key is kept.",
    60L * 1000,
    30L * 24 * 3600 * 1000};
inline constexpr config::Setting idempotency_optional_setting{
    "idempotency-optional", config::Kind::flag, "false",
    "Take orders and stock adjustments without an Idempotency-Key, from clients of version 0.1."};
inline constexpr config::Setting external_ref_unique_setting{
    "external-ref-unique", config::Kind::flag, "false",
    "Refuse an order whose externalRef another order of the same customer has."};
inline constexpr config::Setting low_stock_threshold_setting{
    "low-stock-threshold",
    config::Kind::integer,
    "2",
    "Units available with which an item without a lowStockThreshold counts as low.",
    0,
    1'000'000'000'000};
inline constexpr config::Setting reserve_timeout_setting{
    "reserve-timeout",
    config::Kind::duration,
    "15m",
    "An order that is not reserved by then is cancelled with TIMED_OUT.",
    1,
    7L * 24 * 3600 * 1000};
inline constexpr config::Setting saga_retry_setting{
    "saga-retry",
    config::Kind::duration,
    "30s",
    "First wait before a saga asks again; doubles up to ten times this.",
    1,
    3600L * 1000};

}  // namespace trackops::apps
