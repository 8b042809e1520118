"""Checkpoint files: their form, their chain and their signatures, as docs/ledger.md gives them. No database.

A checkpoint says which head each wallet's chain had at one instant, and what the rows below these heads add up to. It
lists the heads that changed since the one before; all files together therefore give every head.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

FORMAT = "regulars-checkpoint-1"
NOTHING = "0" * 64  # what the first checkpoint names as the one before
BUCKET_BITS = 16  # wallets whose ids differ in the last 16 bits alone are digested together

type Head = tuple[int, int, str]
"""Wallet, number of its last posting, and that posting's hash in hex (the wallet's genesis where there is none)."""


class BrokenCheckpointError(Exception):
    """A file that is not what was sealed; says which and why."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One checkpoint: what was signed, the signature in hex, the changed heads by wallet, and the file's SHA-256."""

    body: dict[str, Any]
    signature: str
    heads: list[Head]
    digest: str

    @property
    def number(self) -> int:
        return int(self.body["number"])

    @property
    def line(self) -> str:
        """What the merchant mails to an auditor: number, time, root, signature."""
        return f"{self.number:06} {self.body['at']} {self.body['root']} {self.signature}"


def canonical(value: Any) -> bytes:
    """JSON in one way only: sorted names, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def write(folder: Path, body: Mapping[str, Any], heads: Sequence[Head], key: Ed25519PrivateKey) -> Sealed:
    """Sign and write a checkpoint: the file is whole or not there, and on disk when this returns."""
    whole = dict(body) | {"format": FORMAT, "heads": len(heads), "heads_root": merkle_root(heads)}
    signature = key.sign(canonical(whole)).hex()
    text = canonical({"body": whole, "signature": signature, "heads": heads}) + b"\n"
    sealed = Sealed(whole, signature, list(heads), hashlib.sha256(text).hexdigest())
    _replace(folder / f"checkpoint-{sealed.number:06}.json", text)
    _replace(folder / "latest.txt", f"{sealed.line}\n".encode())
    return sealed


def load_key(file: Path) -> Ed25519PrivateKey:
    """The private key of a PEM file."""
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{file} holds no Ed25519 key")
    return key


def load_public_key(file: Path) -> Ed25519PublicKey:
    """The public key of a file that holds its 32 bytes in hex."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(file.read_text().strip()))


def files(folder: Path) -> list[Path]:
    """Checkpoint files by number."""
    found = [path for path in folder.glob("checkpoint-*.json") if re.fullmatch(r"checkpoint-\d{6,}\.json", path.name)]
    return sorted(found, key=number_of)


def number_of(path: Path) -> int:
    return int(path.stem.removeprefix("checkpoint-"))


def read(path: Path) -> Sealed:
    """One file, whose shape alone has been looked at."""
    text = path.read_bytes()
    try:
        found = json.loads(text)
        heads = [(int(wallet), int(seq), str(head)) for wallet, seq, head in found["heads"]]
        sealed = Sealed(dict(found["body"]), str(found["signature"]), heads, hashlib.sha256(text).hexdigest())
        agree = sealed.number == number_of(path)
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenCheckpointError(f"{path.name} cannot be read ({error})") from None
    if not agree:
        raise BrokenCheckpointError(f"{path.name} holds checkpoint {sealed.number}")
    return sealed


def read_all(folder: Path, public_key: Ed25519PublicKey) -> Iterator[Sealed]:
    """Every checkpoint from the first on; BrokenCheckpointError at the first that is not signed or not in the chain."""
    before, expected = NOTHING, 1
    for path in files(folder):
        sealed = read(path)
        if sealed.number != expected:
            raise BrokenCheckpointError(f"checkpoint {expected} is missing; the next one there is {sealed.number}")
        try:
            public_key.verify(bytes.fromhex(sealed.signature), canonical(sealed.body))
        except (InvalidSignature, ValueError):
            raise BrokenCheckpointError(f"{path.name} is not signed by this key") from None
        if sealed.body["previous"] != before:
            raise BrokenCheckpointError(f"{path.name} does not follow the file of checkpoint {expected - 1}")
        if (sealed.body["heads"], sealed.body["heads_root"]) != (len(sealed.heads), merkle_root(sealed.heads)):
            raise BrokenCheckpointError(f"the heads listed in {path.name} are not the ones signed")
        yield sealed
        before, expected = sealed.digest, expected + 1


def root(heads: Iterable[Head]) -> str:
    """The digest over all wallets' heads, given by wallet; loyalty/sealing.py computes the same in SQL."""
    whole = hashlib.sha256()
    for bucket, members in groupby(heads, key=lambda head: head[0] >> BUCKET_BITS):
        digest = hashlib.sha256(b"".join(_bytes(head) for head in members)).digest()
        whole.update(bucket.to_bytes(8) + digest)
    return whole.hexdigest()


def merkle_root(heads: Sequence[Head]) -> str:
    """The Merkle tree hash of RFC 6962 over the heads."""
    level = _leaves(heads)
    while len(level) > 1:
        level = _above(level)
    return (level[0] if level else hashlib.sha256(b"").digest()).hex()


def merkle_path(heads: Sequence[Head], index: int) -> list[tuple[str, str]]:
    """What to hash with the head at `index`, bottom up, to arrive at the root: ("left" or "right", digest)."""
    level, path = _leaves(heads), []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(("left" if sibling < index else "right", level[sibling].hex()))
        level, index = _above(level), index // 2
    return path


def _leaves(heads: Sequence[Head]) -> list[bytes]:
    return [hashlib.sha256(b"\0" + _bytes(head)).digest() for head in heads]


def _above(level: list[bytes]) -> list[bytes]:
    """A node without a sibling moves up as it is."""
    pairs = (level[i : i + 2] for i in range(0, len(level), 2))
    return [hashlib.sha256(b"\1" + pair[0] + pair[1]).digest() if len(pair) == 2 else pair[0] for pair in pairs]


def _bytes(head: Head) -> bytes:
    wallet, seq, digest = head
    return wallet.to_bytes(8) + seq.to_bytes(8) + bytes.fromhex(digest)


def _replace(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}.new")
    with half.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    half.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
