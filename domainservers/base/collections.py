"""What a domain server keeps as records, beside its journals."""

from runtime.room import DIRECTORY, PRIVATE, SHARED, Collection

CONTRACT = Collection("contract", SHARED, "bucket of the identity", "which account an identity is charged to")
ORDER = Collection("order", SHARED, "order", "instances of an order, by identity and account")
ACCOUNT = Collection("account", PRIVATE, "slot and bucket", "snapshots of accounts")
CHECKPOINT = Collection("checkpoint", PRIVATE, "slot", "how far a slot is written down")
KEYS = Collection("keys", PRIVATE, "slot", "request keys of closed segments")
BILL_RECORDS = Collection("bill", PRIVATE, "slot, bucket and period", "bills of accounts, for ever")
RESTING = Collection("resting", SHARED, "region and bucket", "numbers in quarantine, by region")
CUSTOMER = Collection("customer", DIRECTORY, "customer", "accounts of a customer")

COLLECTIONS = (CONTRACT, ORDER, ACCOUNT, CHECKPOINT, KEYS, BILL_RECORDS, CUSTOMER, RESTING)
