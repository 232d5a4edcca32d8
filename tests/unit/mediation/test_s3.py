"""A bucket as a source: the same rules as everywhere, and what only a bucket does."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediation.collecting.arriving import arrival_name
from mediation.collecting.collector import Collected
from mediation.collecting.folders import FileMoved
from mediation.collecting.opening import open_folder
from mediation.collecting.s3keys import BucketPlace, signed
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from mediation.written import FaultyFile
from testkit.bucket import SECRET, BucketYard, bucket
from tests.unit.mediation.test_collecting import FORMAT, NOW_MS

# Libraries of the server and of who fills it, not of ours.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


class Home:
    """A plant that looks into a bucket."""

    def __init__(self, home: Path, server: str) -> None:
        self.home, self.server = home, server
        (home / "formats").mkdir(parents=True, exist_ok=True)
        (home / "formats" / "lines.yaml").write_text(FORMAT, encoding="utf-8")
        self.rule("not_ending: .tmp")
        self.plant = Plant(home)

    def rule(self, whole: str, more: str = "") -> None:
        source = f"source: s, folder: gx/in/, server: {self.server}, format: lines, whole: {{{whole}}}{more}"
        (self.home / "sources.yaml").write_text(f"sources:\n  - {{{source}}}\n", encoding="utf-8")

    async def look(self, now_ms: int = NOW_MS) -> Collected:
        (found,) = await MediationLine(self.plant, read_rules(self.home)).collect(now_ms)
        return found

    def taken(self) -> list[tuple[str, bytes]]:
        return [(file.name, self.plant.folder.landed(file.digest).read_bytes()) for file in self.plant.files.all()]


@pytest.fixture(params=["in clear", "over TLS"])
async def there(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[BucketYard, Home]]:
    async with bucket(tmp_path / "bucket", tls=request.param == "over TLS") as served:
        home = Home(tmp_path / "plant", served.written(tmp_path / "plant"))
        yield served, home
        home.plant.close()


def content(*serials: int) -> bytes:
    lines = [json.dumps({"who": "8613900284246", "at": 1, "bytes": 5, "id": each}) for each in serials]
    return "\n".join((*lines, "END", "")).encode()


async def test_each_content_below_the_prefix_is_taken_once_whatever_its_name(
    there: tuple[BucketYard, Home],
) -> None:
    served, home = there
    served.put("gx/in/", b"")
    served.put("gx/in/1.cdr", content(1))
    served.put("gx/in/2.cdr.tmp", content(2))
    served.put("gx/in/deeper/3.cdr", content(3))
    served.put("gx/in-other/4.cdr", content(4))
    first = await home.look()
    assert (first.troubles, first.taken, first.unfinished, first.unread_count) == ((), 1, 1, 0)
    served.put("gx/in/again.cdr", content(1))
    served.put("gx/in/1.cdr", content(1, 5))
    served.put("gx/in/呼叫 5%2F.cdr", content(6))
    second = await home.look()
    assert (second.troubles, second.taken, second.known) == ((), 2, 1)
    third = await home.look()
    assert (third.troubles, third.taken, third.known) == ((), 0, 3)
    assert sorted(home.taken()) == sorted([
        ("1.cdr", content(1)), ("1.cdr", content(1, 5)), ("呼叫 5%2F.cdr", content(6)),
    ])  # fmt: skip


async def test_a_bucket_keeps_to_the_rules_of_wholeness(there: tuple[BucketYard, Home]) -> None:
    served, home = there
    home.rule("quiet_s: 60, trailer: true")
    served.put("gx/in/1.cdr", content(1)[:-4])
    assert (await home.look()).taken == 0
    assert (await home.look(NOW_MS + 61_000)).taken == 0, "it has no trailer"
    served.put("gx/in/1.cdr", content(1))
    assert (await home.look(NOW_MS + 62_000)).taken == 0, "it is another one now"
    assert (await home.look(NOW_MS + 123_000)).taken == 1
    home.rule("companion: .ok")
    served.put("gx/in/2.cdr", content(2))
    assert (await home.look(NOW_MS + 124_000)).taken == 0
    served.put("gx/in/2.cdr.ok", b"")
    assert (await home.look(NOW_MS + 125_000)).taken == 1


async def test_what_is_replaced_is_not_mixed_and_what_broke_goes_on(there: tuple[BucketYard, Home]) -> None:
    served, home = there
    large = content(*range(40_000))
    served.put("gx/in/1.cdr", large)
    (source,) = read_rules(home.home).sources
    async with open_folder(source, home.home) as folder:
        listing = await folder.list()
        (file,) = listing.files
        came = bytearray()
        await folder.fetch(file, 1_000_000, came.extend)
        assert bytes(came) == large[1_000_000:]
        served.put("gx/in/1.cdr", large.replace(b'"id": 7}', b'"id": 8}', 1))
        with pytest.raises(FileMoved, match="replaced"):
            await folder.fetch(file, 0, came.extend)
    arriving = home.plant.folder.arriving("s")
    served.put("gx/in/1.cdr", large)
    async with open_folder(source, home.home) as folder:
        (file,) = (await folder.list()).files
    arriving.mkdir(parents=True)
    (arriving / arrival_name(file)).write_bytes(large[:1_200_000])
    found = await home.look()
    assert (found.troubles, found.taken, found.resumed) == ((), 1, 1)
    assert home.taken() == [("1.cdr", large)]


async def test_a_bucket_that_can_not_be_had_is_one_sentence_without_secrets(there: tuple[BucketYard, Home]) -> None:
    served, home = there
    served.put("gx/in/1.cdr", content(1))
    home.server = served.written(home.home, bucket="nobodys-bucket")
    home.rule("not_ending: .tmp")
    found = await home.look()
    (trouble,) = found.troubles
    assert "NoSuchBucket" in trouble
    assert SECRET not in trouble


async def test_a_key_that_no_path_can_name_is_told_alone_and_the_rest_is_taken(
    there: tuple[BucketYard, Home],
) -> None:
    served, home = there
    served.put("gx/in/1.cdr", content(1))
    served.put("gx/in/呼叫 5%2F.cdr", content(6))
    served.put("gx/in/deeper/3.cdr", content(3))
    served.put("gx/in//2.cdr", content(2))
    found = await home.look()
    assert (found.troubles, found.taken, found.unread_count) == ((), 2, 1)
    served.remove("gx/in//2.cdr")
    found = await home.look()
    assert (found.troubles, found.taken, found.unread_count) == ((), 0, 0), "the same files by whichever way"


def test_a_list_is_signed_as_amazon_shows_it() -> None:
    user, key = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    host = "examplebucket.s3.amazonaws.com"
    place = BucketPlace(host, 443, "examplebucket", "us-east-1", user, key, None, 5)
    text, headers = signed(place, host, "/", {"prefix": "J", "max-keys": "2"}, datetime(2013, 5, 24, tzinfo=UTC))
    assert text == "max-keys=2&prefix=J"
    signature = headers["authorization"].rpartition("Signature=")[2]
    assert signature == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"


async def test_what_a_bucket_can_not_do_is_refused_before_it_starts(tmp_path: Path) -> None:
    server = "{by: s3, host: h, user: u, password: secrets/s3, bucket: Bad_Name, clear: true, authority: secrets/ca}"
    home = Home(tmp_path / "plant", server)
    home.rule("not_ending: .tmp", ", move_to: done")
    with pytest.raises(FaultyFile) as faulty:
        read_rules(home.home)
    told = "\n".join(map(str, faulty.value.faults))
    for wanted in ("bucket", "authority", "move_to", "secrets/s3"):
        assert wanted in told
    home.plant.close()
