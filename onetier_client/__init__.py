"""A client for front ends: one call a request; batches, request keys, repeats and deadlines inside.

from onetier_client import Client

with Client(["127.0.0.1:7000"]) as desk:
    charge = desk.charge("13012345678", "voice", quantity=61, other_party="10086")
    print(charge.amount, charge.steps)
"""

from charging.errors import Fault
from onetier_client import requests
from onetier_client.blocking import Client
from onetier_client.desk import AsyncClient
from onetier_client.feed import Watch, WatchedEvent
from onetier_client.keys import new_key
from runtime.tls import Tls, read_tls

__all__ = ["AsyncClient", "Client", "Fault", "Tls", "Watch", "WatchedEvent", "new_key", "read_tls", "requests"]
