"""A bucket that others' code serves (moto), by S3 in clear or over TLS, and what puts objects into it (boto3)."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from testkit.certificates import authority

USER, SECRET = "switch", "never told"


class BucketYard:
    """One bucket, and how a plant is told of it."""

    def __init__(self, port: int, scratch: Path, tls: bool) -> None:
        self.name = f"cdr-{uuid4().hex[:12]}"
        self._port = port
        self._scratch = scratch
        self._tls = tls
        self._client = boto3.client(
            "s3",
            endpoint_url=f"{'https' if tls else 'http'}://localhost:{port}",
            aws_access_key_id=USER,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            verify=str(scratch / "ca.pem") if tls else None,
        )
        self._client.create_bucket(Bucket=self.name)

    def put(self, key: str, content: bytes) -> None:
        """Put an object there, in place of what was there."""
        self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def remove(self, key: str) -> None:
        """Remove an object."""
        self._client.delete_object(Bucket=self.name, Key=key)

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def written(self, plant: Path, bucket: str = "") -> str:
        """Say the server as `sources.yaml` does."""
        secrets = plant / "secrets"
        secrets.mkdir(parents=True, exist_ok=True)
        (secrets / "s3").touch(mode=0o600)
        (secrets / "s3").write_text(f"{SECRET}\n", encoding="utf-8")
        if self._tls:
            (secrets / "ca.pem").write_bytes((self._scratch / "ca.pem").read_bytes())
        how = "authority: secrets/ca.pem" if self._tls else "clear: true"
        return (
            f"{{by: s3, host: localhost, port: {self._port}, user: {USER}, password: secrets/s3,"
            f" bucket: {bucket or self.name}, timeout_s: 5, {how}}}"
        )


@asynccontextmanager
async def bucket(scratch: Path, *, tls: bool = False) -> AsyncIterator[BucketYard]:
    """Serve a bucket until left."""
    if tls:
        authority(scratch, [], ["localhost"])
    files = (str(scratch / "localhost.pem"), str(scratch / "localhost.key")) if tls else None
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served = await asyncio.to_thread(BucketYard, server.server_port, scratch, tls)
    try:
        yield served
    finally:
        served.close()
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
