"""A whole system as its clients see it, however it runs: three services, two databases, the topics. Each answer is held against contracts/."""
import os

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient

from cluster import Cluster, Ports
from conformance import CheckedClient
from embedded_log import EmbeddedLog
from harness import Shop, wait_until
from topics import Topics

SYSTEMS = ["sqlite", "postgres", "kafka"]  # the first two are `trackops dev` with that database
DEV_SYSTEMS = SYSTEMS[:2]
TOPICS = ["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_DELIVERED", "ORDER_CANCELLED", "ORDER_UPDATED",
          "INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED"]


def runs_on(kinds):
    """The pytestmark of a file whose tests ask `system`."""
    return pytest.mark.parametrize("system", kinds, indirect=True, scope="session")


class DevSystem:
    """`trackops dev`: one process, the embedded log."""

    def __init__(self, program):
        self.program = program.start()
        self.order_database, self.inventory_database = program.order_database, program.inventory_database
        self.topics = EmbeddedLog(program.folder / "data")
        self.shop = Shop(self)

    @property
    def ports(self):
        return self.program.ports

    def client(self, service="order"):
        return CheckedClient(service, self.ports[service])

    def put(self, messages):
        """(topic, partition, key, headers, value) each, behind what is there. The log has one owner at a time, so the program starts anew."""
        assert self.program.stop() == 0
        for message in messages:
            self.topics.append(*message)
        self.program.start()
        self.shop = Shop(self)


class RunningServers:
    """The servers that the environment names, as a Cluster asks for them."""

    @staticmethod
    def urls():
        """{"postgres": ..., "redis": ..., "kafka": ...}"""
        names = {name: f"TRACKOPS_TEST_{name.upper()}" for name in ("postgres", "redis", "kafka")}
        missing = [name for name in names.values() if not os.environ.get(name)]
        assert not missing, f"{missing} name no server; servers/run env prints them"
        return {name: os.environ[variable] for name, variable in names.items()}


class ServicesSystem:
    """The three programs on PostgreSQL, Redis and Kafka."""

    def __init__(self, folder):
        self.cluster = Cluster(RunningServers, folder)
        try:
            processes = self.cluster.start("order", "inventory", "relay")
        except BaseException:
            self.cluster.end()
            raise
        self.ports = Ports(processes).ports
        self.order_database, self.inventory_database = self.cluster.order_database, self.cluster.inventory_database
        self.topics = Topics(self.cluster.bus)
        self.shop = Shop(self)

    def client(self, service="order"):
        return CheckedClient(service, self.ports[service])

    def put(self, messages):
        """(topic, partition, key, headers, value) each, behind what is there."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.topics.settings["bootstrap.servers"]})
        failures = []
        for topic, partition, key, headers, value in messages:
            producer.produce(self.topics.prefix + topic, value, key, partition, headers=list(headers),
                             on_delivery=lambda failure, _: failures.append(failure) if failure else None)
        assert producer.flush(30) == 0 and not failures, failures

    def end(self):
        self.cluster.end()
        admin = AdminClient({"bootstrap.servers": self.topics.settings["bootstrap.servers"]})
        for done in admin.delete_topics([self.topics.prefix + name for name in self.topics.names()]).values():
            done.result(30)


def events_of(system, order_ids, at_least, timeout=20):
    """{order: its events in all topics}, each topic in its order, once there are as many of each as `at_least` says. Doubles are left out."""
    def complete():
        events = {order: [] for order in order_ids}
        seen = set()
        for event in system.topics.read(TOPICS):
            if event.key in events and event.id not in seen:
                seen.add(event.id)
                events[event.key].append(event)
        return events if all(len(events[order]) >= at_least[order] for order in order_ids) else None
    return wait_until(complete, timeout, f"{at_least} events")
