"""What the dashboards show. A panel: kind, title, description, unit, [(query, legend)...]. Every query has data in a system that has had traffic."""

SERVICES = 'job=~"order-service|inventory-service|event-relay-service"'
EACH = [("service", "Service", "label_values(trackops_build_info, job)")]
HTTP = "http_server_requests_seconds"
RATE = "[$__rate_interval]"


def quantile(q, metric, matchers, by):
    """A quantile of a histogram by a label, or by nothing."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{matchers}}}{RATE})))"


def rate(metric, by, matchers=""):
    return f"sum by ({by}) (rate({metric}{{{matchers}}}{RATE}))" if matchers else f"sum by ({by}) (rate({metric}{RATE}))"


def or_zero(expression, always):
    """0 where nothing has been counted yet, for each series of `always`."""
    return f"{expression} or 0 * {always}"


REQUESTS = rate(HTTP + "_count", "job", SERVICES + ', uri!~"/actuator.*"')
FAILED = or_zero(rate(HTTP + "_count", "job", SERVICES + ', uri!~"/actuator.*", outcome="SERVER_ERROR"'), REQUESTS)

OVERVIEW = [
    ("Is all well?", [
        ("stat", "Instances", "Instances that Prometheus reaches.", "short", [(f"sum by (job) (up{{{SERVICES}}})", "{{job}}")]),
        ("stat", "Components DOWN", "Components of the health that are DOWN on any instance.", "short",
         [("count(trackops_component_up == 0) or vector(0)", "down")]),
        ("stat", "Oldest event", "The age of the oldest event that no relay has published.", "s",
         [("max(trackops_relay_oldest_event_age_seconds)", "age")]),
        ("stat", "Oldest saga", "The age of the oldest saga that has not ended, blocked ones left out.", "s", [('max(trackops_saga_oldest_age_seconds{status!="BLOCKED"})', "age")]),
        ("stat", "Broken invariants", "Violations that the auditors have found in the last hour. It must read 0.", "short",
         [("sum(increase(trackops_invariant_violations_total[1h]))", "violations")]),
        ("stat", "Dead letters", "Messages of the last hour that could not be handled.", "short",
         [("sum(increase(trackops_bus_dead_letters_total[1h]))", "dead letters")]),
    ]),
    ("Orders", [
        ("timeseries", "Orders", "Orders a second: placed, confirmed, cancelled.", "ops",
         [(f"sum(rate(trackops_orders_placed_total{RATE}))", "placed"), (f"sum(rate(trackops_orders_confirmed_total{RATE}))", "confirmed"),
          (f"sum(rate(trackops_orders_cancelled_total{RATE}))", "cancelled")]),
        ("timeseries", "Placed to confirmed", "The time from the placing of an order to its confirmation.", "s",
         [(quantile(0.5, "trackops_order_confirmation_seconds", "", ""), "median"),
          (quantile(0.99, "trackops_order_confirmation_seconds", "", ""), "99 %")]),
        ("timeseries", "Backlog", "Committed events that are not published, of each outbox.", "short",
         [("max by (source) (trackops_relay_backlog_events)", "{{source}}")]),
    ]),
    ("Requests", [
        ("timeseries", "Requests", "Requests a second of each service, health checks and scrapes left out.", "reqps", [(REQUESTS, "{{job}}")]),
        ("timeseries", "Requests that failed", "Answers with 5xx a second.", "reqps", [(FAILED, "{{job}}")]),
        ("timeseries", "POST /api/orders", "The time of an order's answer. A request with ?wait counts with its wait.", "s",
         [(quantile(0.5, HTTP, 'job="order-service", method="POST", uri="/api/orders"', ""), "median"),
          (quantile(0.99, HTTP, 'job="order-service", method="POST", uri="/api/orders"', ""), "99 %")]),
    ]),
]

ORDERS = [
    ("Orders", [
        ("timeseries", "Placed", "Orders placed a second.", "ops", [(f"sum(rate(trackops_orders_placed_total{RATE}))", "placed")]),
        ("timeseries", "Confirmed", "Orders confirmed a second.", "ops", [(f"sum(rate(trackops_orders_confirmed_total{RATE}))", "confirmed")]),
        ("timeseries", "Cancelled", "Orders cancelled a second, by reason.", "ops",
         [(rate("trackops_orders_cancelled_total", "reason"), "{{reason}}")]),
        ("timeseries", "Placed to confirmed", "The time from the placing of an order to its confirmation.", "s",
         [(quantile(0.5, "trackops_order_confirmation_seconds", "", ""), "median"),
          (quantile(0.9, "trackops_order_confirmation_seconds", "", ""), "90 %"),
          (quantile(0.99, "trackops_order_confirmation_seconds", "", ""), "99 %")]),
        ("timeseries", "Share of orders confirmed", "Confirmed orders to placed orders.", "percentunit",
         [(f"sum(rate(trackops_orders_confirmed_total{RATE})) / sum(rate(trackops_orders_placed_total{RATE}))", "confirmed")]),
        ("timeseries", "Cache hits", "The share of reads that the cache answered.", "percentunit",
         [(f"sum(rate(trackops_cache_hits_total{RATE})) / (sum(rate(trackops_cache_hits_total{RATE})) + sum(rate(trackops_cache_misses_total{RATE})))", "hits")]),
    ]),
    ("Sagas", [
        ("timeseries", "Sagas under way", "Sagas that have not ended, by type and status.", "short",
         [("max by (type, status) (trackops_sagas)", "{{type}} {{status}}")]),
        ("timeseries", "Oldest saga", "The age of the oldest saga that has not ended.", "s",
         [("max by (type, status) (trackops_saga_oldest_age_seconds)", "{{type}} {{status}}")]),
        ("timeseries", "Replies handled", "Messages of inventory that the order service handled a second.", "ops",
         [(rate("trackops_bus_consumed_total", "topic", 'job="order-service"'), "{{topic}}")]),
    ]),
    ("Trust", [
        ("timeseries", "Broken invariants", "Violations in an hour, by invariant. Each must read 0.", "short",
         [('sum by (invariant) (increase(trackops_invariant_violations_total{job="order-service"}[1h]))', "{{invariant}}")]),
        ("timeseries", "Rows that the auditor reads", "Rows a second.", "rowsps", [(rate("trackops_audit_rows_total", "instance", 'job="order-service"'), "{{instance}}")]),
        ("timeseries", "Time since the last complete pass", "It grows with the number of rows.", "s",
         [('time() - trackops_audit_last_pass_timestamp_seconds{job="order-service"}', "{{instance}}")]),
    ]),
]

INVENTORY = [
    ("Stock", [
        ("timeseries", "Units", "Units on hand, reserved and available, by location.", "short",
         [("max by (location, state) (trackops_stock_units)", "{{location}} {{state}}")]),
        ("timeseries", "Items that are low", "Items below their low-stock threshold.", "short", [("max(trackops_stock_items_low)", "low")]),
        ("timeseries", "Items that are out", "Items with no unit available.", "short", [("max(trackops_stock_items_out)", "out")]),
    ]),
    ("Reservations", [
        ("timeseries", "Reservations", "Reservations a second, by outcome.", "ops", [(rate("trackops_reservations_total", "outcome"), "{{outcome}}")]),
        ("timeseries", "Success rate", "The share of reservations that got their stock.", "percentunit",
         [(f'sum(rate(trackops_reservations_total{{outcome="reserved"}}{RATE})) / sum(rate(trackops_reservations_total{RATE}))', "reserved")]),
        ("timeseries", "Order messages", "Messages a second, by what became of them.", "ops",
         [(rate("trackops_inventory_messages_total", "outcome"), "{{outcome}}")]),
    ]),
    ("Trust", [
        ("timeseries", "Broken invariants", "Violations in an hour, by invariant. Each must read 0.", "short",
         [('sum by (invariant) (increase(trackops_invariant_violations_total{job="inventory-service"}[1h]))', "{{invariant}}")]),
        ("timeseries", "Rows that the auditor reads", "Rows a second.", "rowsps",
         [(rate("trackops_audit_rows_total", "instance", 'job="inventory-service"'), "{{instance}}")]),
        ("timeseries", "Time since the last complete pass", "It grows with the number of rows.", "s",
         [('time() - trackops_audit_last_pass_timestamp_seconds{job="inventory-service"}', "{{instance}}")]),
    ]),
]

RELAY = [
    ("Relay", [
        ("timeseries", "Events published", "Events a second that the bus acknowledged.", "ops", [(rate("trackops_relay_published_total", "source"), "{{source}}")]),
        ("timeseries", "Backlog", "Committed events that are not published; at most 100,000 are counted.", "short",
         [("max by (source) (trackops_relay_backlog_events)", "{{source}}")]),
        ("timeseries", "Oldest event", "The age of the oldest event of the backlog.", "s",
         [("max by (source) (trackops_relay_oldest_event_age_seconds)", "{{source}}")]),
        ("timeseries", "Active relays", "Relays with the lease. It must read 1 for each source.", "short",
         [("sum by (source) (trackops_relay_active)", "{{source}}"), ("sum by (source) (trackops_relay_paused)", "{{source}} paused")]),
        ("timeseries", "Parked", "Keys with a parked event.", "short", [("max by (source) (trackops_relay_parked_keys)", "{{source}}")]),
        ("timeseries", "Tried again", "Events a second that the bus did not take at once.", "ops", [(rate("trackops_relay_retries_total", "source"), "{{source}}")]),
        ("timeseries", "Write-ahead log kept", "Bytes that PostgreSQL keeps for the slot of a relay with --source wal.", "bytes",
         [("max by (slot) (trackops_relay_slot_retained_bytes)", "{{slot}}"), ("max(trackops:slot_wal_budget_bytes)", "budget")]),
    ]),
    ("Kafka", [
        ("timeseries", "Consumer lag", "Messages that a group has not handled.", "short", [("sum by (group) (trackops_bus_lag_messages)", "{{group}}")]),
        ("timeseries", "Messages handled", "Messages a second, by group and topic.", "ops",
         [(rate("trackops_bus_consumed_total", "group, topic"), "{{group}} {{topic}}")]),
        ("timeseries", "Messages published", "Messages a second, by topic.", "ops", [(rate("trackops_bus_published_total", "topic"), "{{topic}}")]),
        ("timeseries", "Time to publish", "From a burst to the answer of its last message.", "s",
         [(quantile(0.5, "trackops_bus_publish_seconds", "", "job"), "{{job}} median"), (quantile(0.99, "trackops_bus_publish_seconds", "", "job"), "{{job}} 99 %")]),
        ("timeseries", "Dead letters", "Messages in 15 minutes that could not be handled.", "short",
         [("sum by (group) (increase(trackops_bus_dead_letters_total[15m]))", "{{group}}")]),
        ("timeseries", "Waiting for another try", "Messages that wait for another try.", "short", [("sum by (group) (trackops_bus_held_messages)", "{{group}}")]),
    ]),
]

PROCESS = [
    ("HTTP", [
        ("timeseries", "Requests", "Requests a second, by status.", "reqps", [(rate(HTTP + "_count", "job, status", 'job=~"$service"'), "{{job}} {{status}}")]),
        ("timeseries", "Time of an answer, 99 %", "By route.", "s", [(quantile(0.99, HTTP, 'job=~"$service", uri!~"/actuator.*"', "job, method, uri"), "{{method}} {{uri}}")]),
        ("timeseries", "Connections", "Open connections.", "short", [('sum by (job) (http_server_connections{job=~"$service"})', "{{job}}")]),
        ("timeseries", "Limits reached", "Times a second that a limit of the server took effect.", "ops",
         [(rate("http_server_limit_reached_total", "job, limit", 'job=~"$service"'), "{{job}} {{limit}}")]),
        ("timeseries", "Late and unsent answers", "Answers a second that came after the server had answered, or whose client had gone.", "ops",
         [(rate("http_server_late_answers_total", "job", 'job=~"$service"'), "{{job}} late"), (rate("http_server_unsent_answers_total", "job", 'job=~"$service"'), "{{job}} unsent")]),
        ("timeseries", "Memory budget", "The share of the memory budget that is spent.", "percentunit",
         [('sum by (job, instance) (trackops_budget_bytes{job=~"$service"}) / sum by (job, instance) (trackops_budget_limit_bytes{job=~"$service"})', "{{job}} {{instance}}")]),
    ]),
    ("Databases", [
        ("timeseries", "Round trips", "Round trips to the database a second.", "ops", [(rate("trackops_sql_flush_seconds_count", "job, database", 'job=~"$service"'), "{{job}} {{database}}")]),
        ("timeseries", "Time of a round trip, 99 %", "By database.", "s", [(quantile(0.99, "trackops_sql_flush_seconds", 'job=~"$service"', "job, database"), "{{job}} {{database}}")]),
        ("timeseries", "Connections in use", "Connections held by transactions.", "short",
         [('sum by (job, database) (trackops_sql_connections_in_use{job=~"$service"})', "{{job}} {{database}}")]),
        ("timeseries", "Failed transactions", "Transactions a second that failed, by fault.", "ops",
         [(rate("trackops_sql_failures_total", "job, fault", 'job=~"$service"'), "{{job}} {{fault}}")]),
        ("timeseries", "Waits for a connection in vain", "Times a second that the pool was exhausted.", "ops",
         [(rate("trackops_sql_pool_exhausted_total", "job, database", 'job=~"$service"'), "{{job}} {{database}}")]),
    ]),
    ("Process", [
        ("timeseries", "CPU", "Cores in use.", "short", [(rate("process_cpu_seconds_total", "job, instance", 'job=~"$service"'), "{{job}} {{instance}}")]),
        ("timeseries", "Memory", "Memory in RAM.", "bytes", [('process_resident_memory_bytes{job=~"$service"}', "{{job}} {{instance}}")]),
        ("timeseries", "Open files", "The share of the file descriptors that is in use.", "percentunit",
         [('process_open_fds{job=~"$service"} / process_max_fds{job=~"$service"}', "{{job}} {{instance}}")]),
        ("timeseries", "Uptime", "Time since the start of the process.", "s", [('time() - process_start_time_seconds{job=~"$service"}', "{{job}} {{instance}}")]),
        ("timeseries", "Pump failures", "Exceptions a second out of background pumps.", "ops", [(rate("trackops_pump_failures_total", "job, pump", 'job=~"$service"'), "{{job}} {{pump}}")]),
        ("timeseries", "Versions", "The instances of each version.", "short", [('count by (job, version, commit) (trackops_build_info{job=~"$service"})', "{{job}} {{version}} {{commit}}")]),
    ]),
]

BOARDS = [
    ("overview", "TrackOps: overview", "Is all well, and if not, where.", [], OVERVIEW),
    ("orders", "TrackOps: orders and sagas", "The life of orders and the sagas that accompany them.", [], ORDERS),
    ("inventory", "TrackOps: inventory", "Stock levels and reservations.", [], INVENTORY),
    ("relay", "TrackOps: relay and Kafka", "The way of events from the outbox to their consumers.", [], RELAY),
    ("process", "TrackOps: processes, HTTP and databases", "What each program needs and answers.", EACH, PROCESS),
]
