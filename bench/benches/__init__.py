"""Each bench has cases(): what runs once a round, in this order, and gives figures by name, or raises Wrong."""
import machine  # noqa: F401 (knows where the tests' modules are)
from benches.complete import Complete
from benches.embedded import EmbeddedBench
from benches.footprint import Footprint
from benches.hot_sku import HotSku
from benches.micro import Micro
from benches.place import Place
from benches.read import Read
from benches.relay import Relay
from benches.scale import Scale
from benches.write_path import WritePath

BENCHES = {"place": Place, "read": Read, "relay": Relay, "hot-sku": HotSku, "complete": Complete, "footprint": Footprint,
           "embedded": EmbeddedBench, "scale": Scale, "write-path": WritePath, "micro": Micro}
