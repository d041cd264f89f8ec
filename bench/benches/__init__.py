"""Each bench has cases(): what runs once a round, in this order, and gives figures by name, or raises Wrong."""
from benches.place import Place
from benches.relay import Relay
from benches.write_path import WritePath

BENCHES = {"place": Place, "relay": Relay, "write-path": WritePath}
