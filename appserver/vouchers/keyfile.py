"""The file with the secret keys of vouchers: whoever has it and a copy of the stores can use every voucher there is."""

import os
import secrets
import stat
from pathlib import Path

from business.vouchers.codes import KEY_BYTES_MAX, KEY_BYTES_MIN, KEYS_MAX, VoucherKeys
from runtime.settings import BadSettings

FILE_MODE = 0o600
FILE_BYTES_MAX = 4_096


def read_keys(path: Path | None) -> VoucherKeys:
    """Read the keys, newest first; none without a path.

    Raises `BadSettings` for a file that is not there, that others may read, or that has no keys: a platform that was
    told to serve vouchers must not start and refuse them all.
    """
    if path is None:
        return VoucherKeys(())
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()[: FILE_BYTES_MAX + 1].decode("ascii") if stat.S_ISREG(mode) else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"voucher_keys: {path} can't be read: {error}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise BadSettings(f"voucher_keys: {path} may be read by others: chmod 600 {path}")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        keys = [bytes.fromhex(line) for line in lines]
    except ValueError:
        keys = []
    fits = all(KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX for key in keys) and len(set(keys)) == len(keys)
    if len(text) > FILE_BYTES_MAX or not 0 < len(keys) <= KEYS_MAX or not fits:
        wanted = f"1 to {KEYS_MAX} different lines of {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes, hexadecimal"
        raise BadSettings(f"voucher_keys: {path} must have {wanted}, the newest first")
    return VoucherKeys(keys)


def write_keys(path: Path) -> None:
    """Make a file with one new key; an existing one is left alone. Raises `FileExistsError`, `OSError`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_hex(KEY_BYTES_MIN)}\n")
