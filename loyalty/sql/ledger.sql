-- What locks, writes and seals the ledger. sql/deciding.sql decides grants, burns and expiry; loyalty/posting.py the other verbs.
-- The last migration that changed these files runs them, and no earlier one: they begin by dropping what stood.
drop type if exists ledger_line, ledger_place, ledger_act, ledger_answer cascade;
drop aggregate if exists ledger_chain (bytea, bytea), ledger_spent (bigint, bigint);
drop function if exists ledger_link, ledger_afford, ledger_agree, ledger_payload, ledger_genesis, ledger_text, ledger_contra,
    ledger_lot_ends, ledger_lock, ledger_open, ledger_post, ledger_standing, ledger_expire;

-- A line: one posting with its entry, the lot it opens (lot_points) and the lots it takes from (uses_*).
-- lot_paid: what a deficit took out of the line's own lot at once; uses_points < 0 gives points back to a lot.
-- A line without a key belongs to the entry of another line that names the same `entry`.
create type ledger_line as (
    ord int, entry uuid, key text, wallet bigint, points bigint, deficit_change bigint,
    kind text, contra text, occurred_at timestamptz, store bigint, reference text,
    actor uuid, reason text, terms bigint, rule uuid, undoes uuid,
    lot_points bigint, lot_paid bigint, lot_rule uuid, available_at timestamptz, expires_at timestamptz, earned_at timestamptz,
    uses_lot bigint[], uses_points bigint[], idle_until timestamptz
);

do $$
begin
    if current_setting('server_encoding') <> 'UTF8' then
        raise exception 'the ledger needs a database in UTF-8';
    end if;
end $$;

-- Canonical bytes of a text: its length, then its UTF-8; so two neighbours can never be read as one another.
create function ledger_text(t text) returns bytea language sql stable parallel safe
    return int4send(octet_length(t)) || convert_to(t, 'UTF8');

-- Canonical form, version 1: every column of entry, posting, lot and lot uses in this order. Whole numbers and
-- instants (microseconds since 2000-01-01 UTC) are 8 bytes, big endian. What may be absent has a byte in front: 00 is
-- absent, 01 stands before the value. docs/ledger.md says the same for outsiders.
create function ledger_payload(
    wallet bigint, seq bigint, posting bigint, entry uuid, key text, actor uuid, reason text, terms bigint, rule uuid, undoes uuid,
    kind text, points bigint, contra text, balance_after bigint, occurred_at timestamptz, recorded_at timestamptz,
    store bigint, reference text, idle_until timestamptz,
    lot bigint, lot_points bigint, available_at timestamptz, expires_at timestamptz, earned_at timestamptz,
    lot_store bigint, lot_rule uuid, uses bytea
) returns bytea language sql stable parallel safe
    return '\x01'::bytea || int8send(wallet) || int8send(seq) || int8send(posting) || uuid_send(entry) || ledger_text(key)
        || coalesce('\x01'::bytea || uuid_send(actor), '\x00') || ledger_text(reason)
        || coalesce('\x01'::bytea || int8send(terms), '\x00')
        || coalesce('\x01'::bytea || uuid_send(rule), '\x00')
        || coalesce('\x01'::bytea || uuid_send(undoes), '\x00')
        || ledger_text(kind) || int8send(points) || ledger_text(contra) || int8send(balance_after)
        || timestamptz_send(occurred_at) || timestamptz_send(recorded_at)
        || coalesce('\x01'::bytea || int8send(store), '\x00') || ledger_text(reference)
        || coalesce('\x01'::bytea || timestamptz_send(idle_until), '\x00')
        || coalesce('\x01'::bytea || int8send(lot) || int8send(lot_points) || timestamptz_send(available_at)
                    || coalesce('\x01'::bytea || timestamptz_send(expires_at), '\x00') || timestamptz_send(earned_at)
                    || coalesce('\x01'::bytea || int8send(lot_store), '\x00')
                    || coalesce('\x01'::bytea || uuid_send(lot_rule), '\x00'), '\x00')
        || coalesce(uses, '\x'::bytea);

-- What the first link of a wallet's chain starts from: the wallet's own fixed columns.
create function ledger_genesis(wallet bigint, holder uuid, point_type text, opened_at timestamptz) returns bytea
    language sql stable parallel safe
    return sha256('\x00'::bytea || int8send(wallet) || uuid_send(holder) || ledger_text(point_type) || timestamptz_send(opened_at));

-- hash(n) = sha256(hash(n-1) || payload(n)); the first link of a call starts from the wallet's head,
-- that of an empty wallet from its genesis.
create function ledger_link(state bytea, head bytea, payload bytea) returns bytea language plpgsql immutable parallel safe as $$
begin
    return sha256(coalesce(state, head) || payload);
end $$;
create aggregate ledger_chain(head bytea, payload bytea) (sfunc = ledger_link, stype = bytea);

-- When a lot can no longer be spent: at its own end, or with its wallet when that has been idle for too long.
create function ledger_lot_ends(own timestamptz, idle timestamptz) returns timestamptz language sql immutable parallel safe
    return coalesce(own, idle, 'infinity');

-- Where a line was written, and the balance after it; with what it takes from lots.
create type ledger_place as (
    ord int, entry uuid, balance_after bigint, wallet bigint, seq bigint, lot_paid bigint, uses_lot bigint[], uses_points bigint[]
);

-- Takes from lots what the lines of these places say, and records it. Returns the points taken from lots that stood before.
create function ledger_take(p_places ledger_place[]) returns bigint language plpgsql as $$
declare
    wanted bigint;
    found bigint;
    given bigint;
begin
    with used as materialized (
        select p.wallet, p.seq, u.lot, u.points
          from unnest(p_places) p cross join lateral unnest(p.uses_lot, p.uses_points) u (lot, points)
    ), recorded as (
        insert into loyalty_lotuse (wallet_id, seq, lot_seq, points)
        select wallet, seq, lot, points from used
        union all
        select wallet, seq, seq, lot_paid from unnest(p_places) where lot_paid > 0
    ), each as materialized (
        select wallet, lot, sum(points)::bigint as points from used group by wallet, lot
    ), taken as (
        update loyalty_lot l set remaining = l.remaining - u.points, open = l.remaining > u.points
          from each u where l.wallet_id = u.wallet and l.seq = u.lot
        returning u.points
    )
    select count(*), (select count(*) from taken), coalesce(sum(points), 0) into wanted, found, given from each;
    if found <> wanted then
        raise exception 'ledger_write: a lot to take from is missing (% of %)', found, wanted;
    end if;
    return given;
end $$;

-- Writes the lines and everything that must move with them. The caller holds the wallets' locks.
-- Returns the places of the lines that were written: a line whose key was taken meanwhile by another wallet's entry is
-- left out. What must agree is looked at on every call: an assertion that stays on in production.
create function ledger_write(p_lines ledger_line[], p_now timestamptz) returns ledger_place[] language plpgsql
-- By index only, one row after the other: a plan made while the tables were small is kept by the session, and would read
-- whole tables when they have grown.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    places ledger_place[];
    strangers bigint;
    touched boolean;
    owed bigint;   -- what lots must give for the points to move as they do
    given bigint := 0;
begin
    -- A kept plan is made for a handful of lines; a large batch is planned for its own size (3 to 27 times faster).
    if cardinality(p_lines) >= 20 then
        set local plan_cache_mode = force_custom_plan;
    end if;
    -- Exactly once: the key decides, also between two callers.
    insert into loyalty_journalentry (id, key, actor, reason, terms_id, rule_version, undoes)
    select entry, key, actor, reason, terms, rule, undoes from unnest(p_lines) where key is not null order by key
    on conflict (key) do nothing;
    with sealed as materialized (   -- each line's place in its wallet, what the wallet is after it, and its hash
        select p.*, ledger_chain(p.head, ledger_payload(
                   wallet, seq, posting_id, entry, entry_key, entry_actor, entry_reason, entry_terms, entry_rule, entry_undoes,
                   kind, points, contra, balance_after, occurred_at, p_now, store, reference, idle_until,
                   lot_id, lot_points, available_at, expires_at, earned_at,
                   case when lot_points is not null then store end, lot_rule,
                   case when lot_paid > 0 then coalesce(uses, '') || int8send(seq) || int8send(lot_paid) else uses end
               )) over (partition by wallet order by ord rows unbounded preceding) as hash
          from (select l.*, e.key as entry_key, e.actor as entry_actor, e.reason as entry_reason, e.terms_id as entry_terms,
                       e.rule_version as entry_rule, e.undoes as entry_undoes,
                       case when w.seq = 0 then ledger_genesis(w.id, w.holder, w.point_type, w.opened_at) else w.head end as head,
                       case when l.lot_points is not null then nextval('loyalty_lot_id_seq') end as lot_id,
                       w.holder, w.seq + row_number() over n as seq, lead(l.ord) over n is null as is_last,
                       (w.balance - w.deficit + sum(l.points) over n)::bigint as balance_after,
                       (w.deficit + sum(l.deficit_change) over n)::bigint as deficit_after,
                       greatest(w.idle_expires_at, max(l.idle_until) over n) as idle_after,
                       (select string_agg(int8send(u.lot) || int8send(u.points), ''::bytea order by u.lot)
                          from unnest(l.uses_lot, l.uses_points) u (lot, points)) as uses
                  -- Numbered in their order: of an entry's postings the first is the line that bears its key.
                  from (select nextval('loyalty_posting_id_seq') as posting_id, * from unnest(p_lines)) l
                       join loyalty_journalentry e on e.id = l.entry join loyalty_wallet w on w.id = l.wallet
                window n as (partition by l.wallet order by l.ord rows unbounded preceding)) p
    ), posted as (
        insert into loyalty_posting (id, entry_id, wallet_id, seq, kind, points, contra, balance_after, occurred_at,
                                     recorded_at, store_id, reference, idle_until, hash)
        select posting_id, entry, wallet, seq, kind, points, contra, balance_after, occurred_at, p_now, store, reference,
               idle_until, hash from sealed
    ), opened as (         -- a lot is born without what it paid of a deficit
        insert into loyalty_lot (id, wallet_id, seq, points, remaining, open, available_at, expires_at, earned_at, store_id, rule_version)
        select lot_id, wallet, seq, lot_points, lot_points - coalesce(lot_paid, 0), lot_points > coalesce(lot_paid, 0),
               available_at, expires_at, earned_at, store, lot_rule
          from sealed where lot_points is not null
    ), moved as (
        update loyalty_wallet w set balance = s.balance_after + s.deficit_after, deficit = s.deficit_after, seq = s.seq,
               head = s.hash, idle_expires_at = s.idle_after
          from sealed s where w.id = s.wallet and s.is_last
    ), told as (
        insert into loyalty_outboxevent (type, subject, payload)
        select 'points.changed', holder, jsonb_build_object('entry', entry, 'kind', kind, 'points', points,
                                                            'balance', balance_after, 'occurred_at', occurred_at)
          from sealed
    )
    select array_agg(row(ord, entry, balance_after, wallet, seq, lot_paid, uses_lot, uses_points)::ledger_place),
           bool_or(lot_paid > 0 or uses_lot is not null),
           coalesce(sum(coalesce(lot_points, 0) - coalesce(lot_paid, 0) - points - deficit_change), 0),
           -- One look at the stores of the batch in the place of a foreign key's look for each row; no store is ever deleted.
           (select count(*) from (select distinct store from sealed where store is not null) n
             where not exists (select from loyalty_store where id = n.store))
      into places, touched, owed, strangers from sealed;
    if touched then
        given := ledger_take(places);
    end if;
    if owed <> given then
        raise exception 'ledger_write: lots do not move by the points (% and %)', owed, given;
    elsif strangers > 0 then
        raise exception 'ledger_write: a store is missing';
    end if;
    return coalesce(places, '{}');
end $$;

-- The lines that end these lots, one each, for what remains in them. The caller holds their wallets' locks.
create function ledger_ended(p_lots bigint[]) returns ledger_line[] language sql
    return array(
        select row(row_number() over (order by l.expires_at, l.seq), uuidv7(),
                   'expire:' || l.wallet_id || ':' || l.seq || ':' || w.seq, l.wallet_id, -l.remaining, 0,
                   'expire', 'expired', coalesce(l.expires_at, w.idle_expires_at), l.store_id, '', null, 'expired', null,
                   l.rule_version, null, null, null, null, null, null, null,
                   array[l.seq], array[l.remaining], null)::ledger_line
          from loyalty_lot l join loyalty_wallet w on w.id = l.wallet_id
         where l.id = any (p_lots) and l.open);

-- Locks the wallets of these holders in key order, and ends what idleness has ended before each holder's first act, so that
-- no act wakes ended points. What is read afterwards, in another statement, is not older than the lock.
create function ledger_lock(p_holders uuid[], p_active_at timestamptz[], p_point_type text, p_now timestamptz) returns bigint[]
language plpgsql as $$
declare
    wallets bigint[] := array(select w.id from unnest(p_holders) h (holder) cross join lateral (
        select id from loyalty_wallet where holder = h.holder and point_type = p_point_type limit 1) w);
    idle boolean;
begin
    select array_agg(id), bool_or(idle_expires_at <= p_now) into wallets, idle
      from (select id, idle_expires_at from loyalty_wallet where id = any (wallets) order by id for update) locked;
    if idle then
        perform ledger_write(ledger_ended(array(
            select l.id from (select distinct on (holder) * from unnest(p_holders, p_active_at) with ordinality a (holder, at, nth) order by holder, nth) a
              join loyalty_wallet w on w.holder = a.holder and w.point_type = p_point_type and w.idle_expires_at <= a.at
              join loyalty_lot l on l.wallet_id = w.id and l.open and l.expires_at is null)), p_now);
    end if;
    return wallets;
end $$;

-- For the verbs that Python decides: locks, then reads the wallets, the entries that already bear one of the keys, posting by
-- posting, and with p_lots all open lots in burn order, pending ones last, with what moves with their points.
create function ledger_open(p_holders uuid[], p_active_at timestamptz[], p_point_type text, p_keys text[], p_now timestamptz,
                            p_lots boolean) returns json language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    locked bigint[] := ledger_lock(p_holders, p_active_at, p_point_type, p_now);
    answer json;
begin
    select json_build_object(
        'wallets', (select coalesce(json_agg(json_build_array(w.id, w.holder, w.balance, w.deficit, w.idle_expires_at)), '[]')
                      from loyalty_wallet w where w.id = any (locked)),
        'entries', (select coalesce(json_agg(json_build_array(e.key, e.id, e.undoes, p.wallet_id, p.kind, p.points,
                                                              p.balance_after) order by p.id), '[]')
                      from loyalty_journalentry e join loyalty_posting p on p.entry_id = e.id where e.key = any (p_keys)),
        'lots', case when p_lots then (
            select coalesce(json_agg(json_build_array(
                       l.wallet_id, l.seq, l.remaining, l.available_at <= p_now, l.available_at, l.expires_at, l.earned_at,
                       l.store_id, l.rule_version
                   ) order by l.wallet_id, l.available_at > p_now, l.expires_at, l.earned_at, l.seq), '[]')
              from loyalty_wallet w join loyalty_lot l on l.wallet_id = w.id and l.open
               and ledger_lot_ends(l.expires_at, w.idle_expires_at) > p_now
             where w.id = any (locked)) else '[]' end
    ) into answer;
    return answer;
end $$;

-- What stands under these keys: the entry, wallet, kind and points of its first posting, that wallet's balance after its last.
create function ledger_standing(p_keys text[], out key text, out entry uuid, out wallet bigint, out kind text, out points bigint,
                                out balance bigint) returns setof record language sql stable as $$
    select e.key, e.id, first.wallet_id, first.kind, first.points, last.balance_after
      from loyalty_journalentry e
           cross join lateral (select * from loyalty_posting where entry_id = e.id order by id limit 1) first
           cross join lateral (select * from loyalty_posting where entry_id = e.id and wallet_id = first.wallet_id
                                order by seq desc limit 1) last
     where e.key = any (p_keys) $$;

create function ledger_post(p_lines json, p_now timestamptz) returns table (ord int, entry uuid) language sql as $$
    select w.ord, w.entry
      from unnest(ledger_write(array(select l from json_populate_recordset(null::ledger_line, p_lines) l), p_now)) w $$;
