// The rights of the service role and the relay role in a database with an outbox, for sql::grant().
#pragma once
#include "platform/sql/grants.hpp"

namespace trackops::outbox {

// The service role writes the service's tables; it inserts events and never changes them,
// partitions the outbox through functions only, and reads the relay's schema. The relay role
// touches no table of the service. Both append to the audit log and change no row of it.
inline constexpr sql::Grant grants[] = {
    {sql::Securable::schema, "public", "USAGE", "USAGE"},
    {sql::Securable::schema, "relay", "USAGE", "USAGE"},
    {sql::Securable::table, "public.schema_migrations", "SELECT", ""},
    {sql::Securable::table, "public.outbox_events", "SELECT INSERT", "SELECT"},
    {sql::Securable::table, "public.outbox_events_*", "", ""},
    {sql::Securable::table, "public.outbox_partitions", "SELECT", ""},
    {sql::Securable::table, "public.audit_log", "SELECT INSERT", "SELECT INSERT"},
    {sql::Securable::table, "public.audit_head", "SELECT UPDATE", "SELECT UPDATE"},
    {sql::Securable::table, "public.*", "SELECT INSERT UPDATE DELETE", ""},
    {sql::Securable::table, "relay.*", "SELECT", "SELECT INSERT UPDATE DELETE"},
    {sql::Securable::function, "public.outbox_*", "EXECUTE", ""},
};

}  // namespace trackops::outbox
