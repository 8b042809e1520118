-- The one statement that writes the ledger, and the chain that seals what it wrote.
-- loyalty/posting.py decides (which lots pay, what is refused) and hands finished lines to ledger_write.

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

-- Canonical bytes of a text: its length, then its UTF-8; so two neighbours can never be read as one another.
create function ledger_text(t text) returns bytea language sql stable parallel safe
    return int4send(octet_length(convert_to(t, 'UTF8'))) || convert_to(t, 'UTF8');

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
create function ledger_link(state bytea, head bytea, payload bytea) returns bytea language sql immutable parallel safe
    return sha256(coalesce(state, head) || payload);
create aggregate ledger_chain(head bytea, payload bytea) (sfunc = ledger_link, stype = bytea);

-- Raises when a statement's parts disagree: an assertion that stays on in production.
create function ledger_agree(one bigint, other bigint, what text) returns boolean language plpgsql as $$
begin
    if one is distinct from other then
        raise exception 'ledger_write: % (% and %)', what, one, other;
    end if;
    return true;
end $$;

-- When a lot can no longer be spent: at its own end, or with its wallet when that has been idle for too long.
create function ledger_lot_ends(own timestamptz, idle timestamptz) returns timestamptz language sql immutable parallel safe
    return coalesce(own, idle, 'infinity');

-- Locks the wallets of these holders in key order, ends what idleness has ended before the holder's act (so that an act
-- never wakes ended points), then reads with a fresh snapshot, so nothing read is older than the lock: the wallets, the
-- entries that already bear one of the keys, and lots in burn order: `none`, the first p_limit `spendable` ones of each
-- wallet (null: all), or `all` open ones with what moves with their points, pending ones last.
create function ledger_open(p_holders uuid[], p_active_at timestamptz[], p_point_type text, p_keys text[], p_now timestamptz,
                            p_lots text, p_limit int) returns json language plpgsql
-- A plan made while the tables were small is kept by the session; it must not read whole tables when they have grown.
set enable_seqscan = off as $$
declare
    locked bigint[];
    answer json;
begin
    locked := array(select w.id from loyalty_wallet w
                     where w.holder = any (p_holders) and w.point_type = p_point_type order by w.id for update);
    if exists (select from loyalty_wallet w where w.id = any (locked) and w.idle_expires_at <= p_now) then
        perform from ledger_write(ledger_ended(array(
            select l.id from unnest(p_holders, p_active_at) a (holder, at)
              join loyalty_wallet w on w.holder = a.holder and w.point_type = p_point_type and w.idle_expires_at <= a.at
              join loyalty_lot l on l.wallet_id = w.id and l.open and l.expires_at is null)), p_now);
    end if;
    select json_build_object(
        'wallets', (select coalesce(json_agg(json_build_array(w.id, w.holder, w.balance, w.deficit)), '[]')
                      from loyalty_wallet w where w.id = any (locked)),
        'entries', (select coalesce(json_agg(json_build_array(e.key, e.id, p.wallet_id, p.points, p.balance_after) order by p.id desc), '[]')
                      from loyalty_journalentry e join loyalty_posting p on p.entry_id = e.id where e.key = any (p_keys)),
        'lots', case when p_lots = 'none' then '[]' else (
            select coalesce(json_agg(case when p_lots = 'spendable' then json_build_array(l.wallet_id, l.seq, l.remaining)
                else json_build_array(l.wallet_id, l.seq, l.remaining, l.available_at <= p_now, l.available_at, l.expires_at,
                                      l.earned_at, l.store_id, l.rule_version) end order by l.wallet_id, l.nr), '[]')
              from loyalty_wallet w cross join lateral (
                   select l.*, row_number() over (order by l.available_at > p_now, l.expires_at, l.earned_at, l.seq) as nr
                     from loyalty_lot l
                    where l.wallet_id = w.id and l.open and (p_lots = 'all' or l.available_at <= p_now)
                      and ledger_lot_ends(l.expires_at, w.idle_expires_at) > p_now
                    order by l.expires_at, l.earned_at, l.seq limit case when p_lots = 'spendable' then p_limit end) l
             where w.id = any (locked)) end
    ) into answer;
    return answer;
end $$;

-- Writes the lines and everything that must move with them, in one statement. The caller holds the wallets' locks.
-- Returns the lines that were written: one whose key was taken meanwhile by another wallet's entry is left out.
create function ledger_write(p_lines ledger_line[], p_now timestamptz)
returns table (ord int, entry uuid) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
begin
    -- A cached plan is made for a handful of lines; a large batch is planned for its own size (3 to 27 times faster).
    perform set_config('plan_cache_mode',
                       case when cardinality(p_lines) < 20 then 'force_generic_plan' else 'force_custom_plan' end, true);
    return query
    with line as materialized (
        -- Numbered in their order: of an entry's postings the first is the line that bears its key.
        select coalesce(l.entry, uuidv7()) as id, nextval('loyalty_posting_id_seq') as posting_id, l.* from unnest(p_lines) l
    ), fresh as (          -- exactly once: the key decides, also between two callers and twice in one batch
        insert into loyalty_journalentry (id, key, actor, reason, terms_id, rule_version, undoes)
        select id, key, actor, reason, terms, rule, undoes from line where key is not null order by key
        on conflict (key) do nothing
        returning id, key as entry_key, actor as entry_actor, reason as entry_reason, terms_id as entry_terms,
                  rule_version as entry_rule, undoes as entry_undoes
    ), placed as materialized (   -- each line's place in its wallet, and the balance after it
        select l.*, f.entry_key, f.entry_actor, f.entry_reason, f.entry_terms, f.entry_rule, f.entry_undoes,
               case when w.seq = 0 then ledger_genesis(w.id, w.holder, w.point_type, w.opened_at) else w.head end as head,
               case when l.lot_points is not null then nextval('loyalty_lot_id_seq') end as lot_id,
               w.holder, w.seq + row_number() over n as seq,
               (w.balance - w.deficit + sum(l.points) over n)::bigint as balance_after,
               (select string_agg(int8send(u.lot) || int8send(u.points), ''::bytea order by u.lot)
                  from unnest(l.uses_lot, l.uses_points) u (lot, points)) as uses
          from fresh f join line l on l.id = f.id join loyalty_wallet w on w.id = l.wallet
        window n as (partition by l.wallet order by l.ord rows unbounded preceding)
    ), sealed as materialized (
        select p.*, ledger_chain(p.head, ledger_payload(
                   wallet, seq, posting_id, id, entry_key, entry_actor, entry_reason, entry_terms, entry_rule, entry_undoes,
                   kind, points, contra, balance_after, occurred_at, p_now, store, reference, idle_until,
                   lot_id, lot_points, available_at, expires_at, earned_at,
                   case when lot_points is not null then store end, lot_rule,
                   case when lot_paid > 0 then coalesce(uses, '') || int8send(seq) || int8send(lot_paid) else uses end
               )) over (partition by wallet order by seq rows unbounded preceding) as hash
          from placed p
    ), posted as (
        insert into loyalty_posting (id, entry_id, wallet_id, seq, kind, points, contra, balance_after, occurred_at,
                                     recorded_at, store_id, reference, idle_until, hash)
        select posting_id, id, wallet, seq, kind, points, contra, balance_after, occurred_at, p_now, store, reference,
               idle_until, hash from sealed
    ), opened as (         -- a lot is born without what it paid of a deficit
        insert into loyalty_lot (id, wallet_id, seq, points, remaining, open, available_at, expires_at, earned_at, store_id, rule_version)
        select lot_id, wallet, seq, lot_points, lot_points - coalesce(lot_paid, 0), lot_points > coalesce(lot_paid, 0),
               available_at, expires_at, earned_at, store, lot_rule
          from sealed where lot_points is not null
    ), used as materialized (
        select s.wallet, s.seq, u.lot, u.points from sealed s cross join lateral unnest(s.uses_lot, s.uses_points) u (lot, points)
    ), recorded as (
        insert into loyalty_lotuse (wallet_id, seq, lot_seq, points)
        select wallet, seq, lot, points from used
        union all
        select wallet, seq, seq, lot_paid from sealed where lot_paid > 0
    ), taken as (
        update loyalty_lot l set remaining = l.remaining - u.points, open = l.remaining > u.points
          from (select wallet, lot, sum(points)::bigint as points from used group by wallet, lot) u
         where l.wallet_id = u.wallet and l.seq = u.lot
        returning u.points
    ), moved as (
        update loyalty_wallet w set balance = w.balance + d.points + d.deficit_change,
               deficit = w.deficit + d.deficit_change, seq = d.seq, head = d.head,
               idle_expires_at = greatest(w.idle_expires_at, d.idle_until)
          from (select wallet, sum(points)::bigint as points, sum(deficit_change)::bigint as deficit_change,
                       max(seq) as seq, max(idle_until) as idle_until, (array_agg(hash order by seq desc))[1] as head
                  from sealed group by wallet) d
         where w.id = d.wallet returning 1
    ), told as (
        insert into loyalty_outboxevent (type, subject, payload)
        select 'points.changed', holder, jsonb_build_object('entry', id, 'kind', kind, 'points', points,
                                                            'balance', balance_after, 'occurred_at', occurred_at)
          from sealed
    )
    select s.ord, s.id from sealed s
     where ledger_agree((select coalesce(sum(points), 0)::bigint from taken),
                        (select coalesce(sum(points), 0)::bigint from used), 'a lot to take from is missing');
end $$;

create function ledger_post(p_lines json, p_now timestamptz) returns table (ord int, entry uuid) language sql
    return ledger_write(array(select l from json_populate_recordset(null::ledger_line, p_lines) l), p_now);

-- The lines that end these lots, one each, for what remains in them. The caller holds their wallets' locks.
create function ledger_ended(p_lots bigint[]) returns ledger_line[] language sql
    return array(
        select row(row_number() over (order by l.expires_at, l.seq), null,
                   'expire:' || l.wallet_id || ':' || l.seq || ':' || w.seq, l.wallet_id, -l.remaining, 0,
                   'expire', 'expired', coalesce(l.expires_at, w.idle_expires_at), l.store_id, '', null, 'expired', null,
                   l.rule_version, null, null, null, null, null, null, null,
                   array[l.seq], array[l.remaining], null)::ledger_line
          from loyalty_lot l join loyalty_wallet w on w.id = l.wallet_id
         where l.id = any (p_lots) and l.open);

-- The sweep: up to p_limit lots that ended by p_now. Returns lots and points expired.
create function ledger_expire(p_now timestamptz, p_limit int, out lots bigint, out points bigint) language plpgsql
set enable_seqscan = off as $$
declare
    found bigint[];
    due ledger_line[];
begin
    found := array(
        (select id from loyalty_lot where open and expires_at <= p_now order by expires_at limit p_limit)
        union all
        (select l.id from loyalty_wallet w join loyalty_lot l on l.wallet_id = w.id and l.open and l.expires_at is null
          where w.idle_expires_at <= p_now and w.balance > 0 order by w.idle_expires_at limit p_limit)
        limit p_limit);
    -- Wallets are locked in key order like everywhere; a lot or an idle date that has changed meanwhile is left alone.
    perform from loyalty_wallet w
      where w.id in (select wallet_id from loyalty_lot where id = any (found)) order by w.id for update;
    due := ledger_ended(array(
        select l.id from loyalty_lot l join loyalty_wallet w on w.id = l.wallet_id
         where l.id = any (found) and ledger_lot_ends(l.expires_at, w.idle_expires_at) <= p_now));
    perform from ledger_write(due, p_now);
    select count(*), coalesce(-sum(d.points), 0) into lots, points from unnest(due) d;
end $$;
