"""A small ledger with every kind of row, and what somebody with all rights over the database could do to it."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from loyalty import auditing, documents, posting
from loyalty.acts import Adjustment, Burn, ClawBack, Posted, Restore, Reversal, Transfer
from loyalty.documents import Document
from tests.factories import NOW, accrual, give, holder

_keys = itertools.count(1)

PLACE = "wallet_id = %s and seq = %s"
# Seal a wallet's rows anew, as the application would: what a forger runs to hide what he did.
REHASH = """
do $$ declare r record; h bytea; begin
    select ledger_genesis(id, holder, point_type, opened_at) into h from loyalty_wallet where id = {wallet};
    for r in select * from loyalty_posting where wallet_id = {wallet} order by seq loop
        select sha256(h || ledger_payload(r.wallet_id, r.seq, r.id, r.entry_id, e.key, e.actor, e.reason, e.terms_id,
                   e.rule_version, e.undoes, r.kind, r.points, r.contra, r.balance_after, r.occurred_at, r.recorded_at,
                   r.store_id, r.reference, r.idle_until, l.id, l.points, l.available_at, l.expires_at, l.earned_at,
                   l.store_id, l.rule_version,
                   (select string_agg(int8send(lot_seq) || int8send(points), ''::bytea order by lot_seq) from loyalty_lotuse u
                     where u.wallet_id = r.wallet_id and u.seq = r.seq)))
          into h from loyalty_journalentry e left join loyalty_lot l on l.wallet_id = r.wallet_id and l.seq = r.seq
         where e.id = r.entry_id;
        update loyalty_posting set hash = h where id = r.id;
    end loop;
    update loyalty_wallet set head = h where id = {wallet};
end $$
"""


def some_ledger() -> None:
    """Six members who earned, spent, returned, gave and lost points, and have unspent points on their last lines."""
    people = [holder() for _ in range(6)]
    for one, other in zip(people, people[1:] + people[:1], strict=True):
        first, *_ = give(one, 100, 40, 7, idle_until=NOW + timedelta(days=500))
        give(one, 30, days=2)
        [burnt] = posting.burn([Burn(key=_key(), holder=one, points=55, occurred_at=NOW)], now=NOW)
        assert isinstance(burnt, Posted)
        restore = Restore(key=_key(), holder=one, entry=burnt.entry, points=20, occurred_at=NOW)
        posting.restore([restore], now=NOW)
        posting.transfer([Transfer(key=_key(), holder=one, to=other, points=3, occurred_at=NOW)], now=NOW, actor=uuid4())
        posting.adjust([Adjustment(key=_key(), holder=one, points=5, occurred_at=NOW, reason="courtesy")], now=NOW, actor=uuid4())
        back = ClawBack(key=_key(), holder=one, entry=first, points=100, own=(first,), occurred_at=NOW)
        posting.claw_back([back], now=NOW)
        [again] = give(one, 9)
        posting.reverse([Reversal.of(again, one, occurred_at=NOW)], now=NOW, actor=uuid4())
        auditing.record(uuid4(), "member.changed", "members.member", one, {"language": ["en", "fr"]})
        documents.take([Document("till-1", f"R{next(_keys)}", "purchase", uuid4(), b"print")])
    posting.expire(now=NOW + timedelta(days=3))
    more_lines(people)
    holder()


def more_lines(people: list[UUID]) -> None:
    posting.accrue([accrual(one, points) for one in people for points in (300, 200)], now=NOW)


def one_more_line() -> None:
    """After the first checkpoint."""
    [(person,)] = run("select holder from loyalty_wallet order by id limit 1")
    posting.burn([Burn(key=_key(), holder=person, points=1, occurred_at=NOW)], now=NOW)


def wallets() -> list[int]:
    """Those with postings."""
    return [row[0] for row in run("select id from loyalty_wallet where seq > 0 order by id")]


def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def _key() -> str:
    return f"forging:{next(_keys)}"


def _place(random: Random, condition: str = "true") -> tuple[int, int]:
    """Wallet and number of some posting."""
    rows = run(f"select wallet_id, seq from loyalty_posting p where {condition} order by wallet_id, seq")
    wallet, seq = random.choice(rows)
    return wallet, seq


def _edit(change: str, table: str = "loyalty_posting", where: str = PLACE, only: str = "true") -> "Forgery":
    def forge(random: Random) -> list[str]:
        wallet, seq = _place(random, only)
        run(f"update {table} set {change} where {where}", wallet, seq)
        if table != "loyalty_journalentry":
            return [f"wallet {wallet},", f"wallet {wallet}:"]
        others = run(
            f"select wallet_id, seq from loyalty_posting where entry_id = (select entry_id from loyalty_posting where {PLACE})",
            wallet,
            seq,
        )
        return [f"wallet {one}, posting number {number}" for one, number in others]  # an entry may have several

    return forge


ENTRY_OF = "id = (select entry_id from loyalty_posting where wallet_id = %s and seq = %s)"
WITH_LOT = "exists (select from loyalty_lot l where l.wallet_id = p.wallet_id and l.seq = p.seq)"
WITH_USE = "exists (select from loyalty_lotuse u where u.wallet_id = p.wallet_id and u.seq = p.seq)"


def _delete(which: str) -> "Forgery":
    def forge(random: Random) -> list[str]:
        wallet = random.choice(wallets())
        run(f"delete from loyalty_posting where wallet_id = %s and seq = ({which})", wallet, wallet)
        return [f"wallet {wallet}"]

    return forge


def insert(random: Random) -> list[str]:
    wallet, seq = _place(random)
    run(
        "insert into loyalty_posting (entry_id, wallet_id, seq, kind, points, contra, balance_after, occurred_at, recorded_at, "
        "reference, hash) select p.entry_id, p.wallet_id, w.seq + 1, p.kind, p.points, p.contra, p.balance_after, "
        "p.occurred_at, p.recorded_at, '', p.hash from loyalty_posting p join loyalty_wallet w on w.id = p.wallet_id "
        "where w.id = %s and p.seq = %s",
        wallet, seq,
    )  # fmt: skip
    return [f"wallet {wallet}"]


def swap(random: Random) -> list[str]:
    """Two lines change their places."""
    wallet, seq = _place(random, "seq > 1")
    for old, new in ((seq, 10**6), (seq - 1, seq), (10**6, seq - 1)):
        run("update loyalty_posting set seq = %s where wallet_id = %s and seq = %s", new, wallet, old)
    return [f"wallet {wallet}"]


def move(random: Random) -> list[str]:
    """A line becomes another wallet's, whole, with its lot."""
    wallet, seq = _place(random, WITH_LOT)
    other = random.choice([one for one in wallets() if one != wallet])
    for table in ("posting", "lot"):
        run(
            f"update loyalty_{table} set wallet_id = %s, seq = (select seq + 1 from loyalty_wallet where id = %s) "
            "where wallet_id = %s and seq = %s", other, other, wallet, seq,
        )  # fmt: skip
    run("update loyalty_wallet set seq = seq + 1 where id = %s", other)
    return [f"wallet {wallet}", f"wallet {other}"]


def cut_tail(random: Random) -> list[str]:
    """The last lines go without a trace: what is left adds up, and its chain is whole."""
    wallet, cut = random.choice(wallets()), random.choice([1, 2])
    [(seq,)] = run("select seq - %s from loyalty_wallet where id = %s", cut, wallet)
    entries = "select entry_id from loyalty_posting where wallet_id = %s and seq > %s"
    run(f"delete from loyalty_journalentry where id in ({entries})", wallet, seq)
    for table in ("posting", "lot", "lotuse"):
        run(f"delete from loyalty_{table} where wallet_id = %s and seq > %s", wallet, seq)
    run(
        "update loyalty_lot l set remaining = left_, open = left_ > 0 from (select id, points - coalesce((select sum(points) "
        "from loyalty_lotuse u where u.wallet_id = o.wallet_id and u.lot_seq = o.seq), 0) as left_ from loyalty_lot o) r "
        "where r.id = l.id and l.wallet_id = %s", wallet,
    )  # fmt: skip
    run(
        "update loyalty_wallet w set seq = %s, head = (select hash from loyalty_posting where wallet_id = w.id and seq = %s), "
        "balance = (select sum(remaining) from loyalty_lot where wallet_id = w.id) where id = %s", seq, seq, wallet,
    )  # fmt: skip
    return [f"wallet {wallet}: missing from posting number", f"wallet {wallet}: postings number"]


def rewrite(random: Random) -> list[str]:
    """More points from some line on, every sum and hash of the wallet made to fit, its head too."""
    wallet, seq = _place(random, f"{WITH_LOT} and points > 0 and kind in ('earn', 'adjust')")
    run("update loyalty_posting set points = points + 1000 where wallet_id = %s and seq = %s", wallet, seq)
    run("update loyalty_posting set balance_after = balance_after + 1000 where wallet_id = %s and seq >= %s", wallet, seq)
    more = "points = points + 1000, remaining = remaining + 1000, open = true"
    run(f"update loyalty_lot set {more} where wallet_id = %s and seq = %s", wallet, seq)
    run("update loyalty_wallet set balance = balance + 1000 where id = %s", wallet)
    run(REHASH.format(wallet=wallet))
    return [f"wallet {wallet}: rewritten from posting number", f"wallet {wallet}: postings number"]


def swap_holders(random: Random) -> list[str]:
    """Two members exchange wallets, every hash made to fit."""
    one, other = random.sample(wallets(), 2)
    holders = dict(run("select id, holder from loyalty_wallet where id in (%s, %s)", one, other))
    for wallet, new in ((one, uuid4()), (other, holders[one]), (one, holders[other])):
        run("update loyalty_wallet set holder = %s where id = %s", new, wallet)
    run(REHASH.format(wallet=one))
    run(REHASH.format(wallet=other))
    return [f"wallet {one}: ", f"wallet {other}: "]


def empty_wallet_taken(random: Random) -> list[str]:
    """The wallet of somebody without points becomes another's."""
    [(wallet,)] = run("update loyalty_wallet set holder = gen_random_uuid() where seq = 0 returning id")
    return [f"wallet {wallet}: "]


def make_up_points(random: Random) -> list[str]:
    """A new wallet that claims points and has no line for them."""
    [(wallet,)] = run(
        "insert into loyalty_wallet (holder, point_type, balance) values (gen_random_uuid(), 'redeemable', %s) returning id",
        random.randint(1, 10**6),
    )
    return [f"wallet {wallet}: "]


def make_up_lowest(random: Random) -> list[str]:
    """The same below all ids that are given."""
    [(wallet,)] = run(
        "insert into loyalty_wallet (id, holder, point_type, balance) overriding system value "
        "values (-9223372036854775808, gen_random_uuid(), 'redeemable', %s) returning id",
        random.randint(1, 10**6),
    )
    return [f"wallet {wallet}: "]


def make_up_wallet(random: Random) -> list[str]:
    """A new wallet whose one line looks as old as the others, complete and with the right hashes."""
    [(wallet,)] = run(
        "insert into loyalty_wallet (holder, point_type, balance, seq) "
        "values (gen_random_uuid(), 'redeemable', 500, 1) returning id"
    )
    [(entry,)] = run("insert into loyalty_journalentry (key, reason) values (%s, '') returning id", f"old:{random.random()}")
    run(
        "insert into loyalty_posting (id, entry_id, wallet_id, seq, kind, points, contra, balance_after, occurred_at, "
        "recorded_at, reference, hash) values (0, %s, %s, 1, 'earn', 500, 'issued', 500, %s, %s, '', '')",
        entry, wallet, NOW, NOW,
    )  # fmt: skip
    run(
        "insert into loyalty_lot (wallet_id, seq, points, remaining, open, available_at, earned_at) "
        "values (%s, 1, 500, 500, true, %s, %s)",
        wallet, NOW, NOW,
    )  # fmt: skip
    run(REHASH.format(wallet=wallet))
    return [f"wallet {wallet}: ", f"wallet {wallet}, "]


def delete_wallet(random: Random) -> list[str]:
    """A wallet goes with all its rows, and with the entries that were its own alone."""
    wallet = random.choice(wallets())
    for table in ("posting", "lot", "lotuse"):
        run(f"delete from loyalty_{table} where wallet_id = %s", wallet)
    run("delete from loyalty_wallet where id = %s", wallet)
    run("delete from loyalty_journalentry e where not exists (select from loyalty_posting p where p.entry_id = e.id)")
    return [f"wallet {wallet}: "]


def edit_audit(random: Random) -> list[str]:
    run("update loyalty_auditrecord set actor = gen_random_uuid() where number = %s", random.randint(1, 6))
    return ["auditrecord 1 to 6"]


def insert_audit(random: Random) -> list[str]:
    run("insert into loyalty_auditrecord (number, verb, object_type, object_id, changes) values (-1, 'a', 'b', 'c', '{}')")
    return ["auditrecord"]


def free_document(random: Random) -> list[str]:
    """A receipt's number can be used again."""
    run("delete from loyalty_documentguard where id = %s", random.randint(1, 6))
    return ["documentguard 1 to 6"]


def change_terms(random: Random) -> list[str]:
    run("update loyalty_termsversion set point_value = point_value + %s", random.randint(1, 9))
    return ["terms version 1"]


type Forgery = Callable[[Random], list[str]]
"""Does something, and returns how a verifier may name it: one of these stands in what it says."""

FORGERIES: dict[str, Forgery] = {
    "points of a posting": _edit("points = points + 1000003"),
    "balance after a posting": _edit("balance_after = balance_after + 1"),
    "when it was recorded": _edit("recorded_at = recorded_at - interval '1 day'"),
    "the reference": _edit("reference = reference || '.'"),
    "who did it": _edit("actor = gen_random_uuid()", "loyalty_journalentry", ENTRY_OF),
    "nobody did it": _edit("actor = case when actor is null then '00000000-0000-0000-0000-000000000000'::uuid end",
                           "loyalty_journalentry", ENTRY_OF),
    "the key": _edit("key = key || '.'", "loyalty_journalentry", ENTRY_OF),
    "the end of a lot": _edit("expires_at = coalesce(expires_at, now()) + interval '1 year'", "loyalty_lot", only=WITH_LOT),
    "a lot use": _edit("points = points + 1", "loyalty_lotuse", only=WITH_USE),
    "a balance": _edit("balance = balance + 1000", "loyalty_wallet", "id = %s and 0 < %s"),
    "the first line deleted": _delete("select min(seq) from loyalty_posting where wallet_id = %s"),
    "a middle line deleted": _delete("select seq / 2 from loyalty_wallet where id = %s"),
    "the last line deleted": _delete("select max(seq) from loyalty_posting where wallet_id = %s"),
    "a line inserted": insert,
    "two lines swapped": swap,
    "a line moved to another wallet": move,
    "the tail cut off": cut_tail,
    "the whole chain rewritten": rewrite,
    "two holders swapped": swap_holders,
    "an empty wallet taken over": empty_wallet_taken,
    "a number beyond all": _edit("seq = 9223372036854775807", "loyalty_wallet", "id = %s and 0 < %s"),
    "points made up": make_up_points,
    "points made up below all ids": make_up_lowest,
    "a wallet made up": make_up_wallet,
    "a wallet deleted": delete_wallet,
    "an audit record edited": edit_audit,
    "an audit record inserted": insert_audit,
    "a document freed": free_document,
    "published terms changed": change_terms,
}  # fmt: skip
# What is sound in itself: only what was kept outside the database tells.
NEEDS_CHECKPOINTS = {
    "the tail cut off", "the whole chain rewritten", "two holders swapped", "an empty wallet taken over", "a wallet made up",
    "a wallet deleted", "an audit record edited", "an audit record inserted", "a document freed", "published terms changed",
}  # fmt: skip
