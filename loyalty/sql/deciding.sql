-- Grants, burns and expiry, decided where their rows lie, in one call. Acts come as loyalty/acts.py has them; each is answered
-- by its place in the list. Of acts with one key the first decides. Whatever looks into a table that grows does so by
-- `lateral (… limit …)` and without sequential scans: by its index, one row after the other, also when the session's plan was
-- made while the tables were small.

-- An act of loyalty/acts.py.
create type ledger_act as (
    key text, holder uuid, points bigint, kind text, occurred_at timestamptz, store bigint, reference text, reason text,
    terms bigint, rule_version uuid, idle_until timestamptz, available_at timestamptz, expires_at timestamptz,
    earned_at timestamptz
);

-- `outcome` is posted, replayed, or the reason of a refusal; `balance` is balance minus deficit after the act.
create type ledger_answer as (ord int, outcome text, entry uuid, balance bigint);

-- The programme's side of what is granted or taken.
create function ledger_contra(kind text) returns text language sql immutable parallel safe
    return case kind when 'burn' then 'burned' when 'adjust' then 'adjusted' when 'import' then 'opening'
                     when 'exchange_in' then 'partner' when 'exchange_out' then 'partner' else 'issued' end;

-- The acts that can be decided: the wallet is known, the key is new.
create function ledger_fresh(p_acts ledger_act[], p_point_type text)
returns table (ord int, key text, points bigint, kind text, occurred_at timestamptz, store bigint, reference text, reason text,
               terms bigint, rule_version uuid, idle_until timestamptz, available_at timestamptz, expires_at timestamptz,
               earned_at timestamptz, wallet bigint, balance bigint, deficit bigint, idle_expires_at timestamptz) language sql stable as $$
    select a.ordinality::int, a.key, a.points, a.kind, a.occurred_at, a.store, a.reference, a.reason, a.terms, a.rule_version,
           a.idle_until, a.available_at, a.expires_at, a.earned_at, w.id, w.balance, w.deficit, w.idle_expires_at
      from (select *, row_number() over (partition by a.key order by a.ordinality) as nth from unnest(p_acts) with ordinality a) a
           cross join lateral (select * from loyalty_wallet where holder = a.holder and point_type = p_point_type limit 1) w
           left join lateral (select id from loyalty_journalentry where key = a.key limit 1) e on true
     where a.nth = 1 and e.id is null $$;

-- Why the acts that were not written now were not: they had been before, or they are refused. p_sign: -1 for acts that take.
create function ledger_unwritten(p_acts ledger_act[], p_point_type text, p_sign int, p_written int[]) returns setof ledger_answer
language sql stable as $$
    select a.ordinality::int,
           case when s.entry is not null then
                    case when (s.wallet, s.kind, s.points) = (w.id, a.kind, p_sign * abs(a.points)) then 'replayed' else 'duplicate-document' end
                when a.nth > 1 then 'duplicate-document'
                when w.id is null then 'unknown-member'
                when w.deficit > 0 then 'deficit'
                else 'insufficient-points' end,
           s.entry, s.balance
      from (select *, row_number() over (partition by a.key order by a.ordinality) as nth from unnest(p_acts) with ordinality a) a
           left join unnest(p_written) done (ord) on done.ord = a.ordinality
           left join lateral (select id, deficit from loyalty_wallet
                               where holder = a.holder and point_type = p_point_type limit 1) w on true
           left join lateral (select * from ledger_standing(array[a.key]) limit 1) s on true
     where done.ord is null $$;

-- Writes the lines of the acts that were granted, and answers all acts.
create function ledger_written(p_lines ledger_line[], p_acts ledger_act[], p_point_type text, p_sign int, p_now timestamptz)
returns ledger_answer[] language plpgsql as $$
declare
    places ledger_place[] := ledger_write(p_lines, p_now);
    answers ledger_answer[] := array(select row(ord, 'posted', entry, balance_after)::ledger_answer from unnest(places));
begin
    if cardinality(places) < cardinality(p_acts) then
        answers := answers || array(
            select u from ledger_unwritten(p_acts, p_point_type, p_sign, array(select ord from unnest(places))) u);
    end if;
    return answers;
end $$;

-- Each act opens a lot; a deficit is paid out of the first ones.
create function ledger_grant(p_acts json, p_point_type text, p_actor uuid, p_now timestamptz) returns ledger_answer[]
-- Nothing here is planned better for knowing how many acts there are.
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
    acts ledger_act[] := array(select a from json_populate_recordset(null::ledger_act, p_acts) a);
    lines ledger_line[];
begin
    perform ledger_lock(array(select holder from unnest(acts)), array(select occurred_at from unnest(acts)), p_point_type, p_now);
    lines := array(
        select row(ord, uuidv7(), key, wallet, points, -paid, kind, ledger_contra(kind), occurred_at, store, reference,
                   p_actor, reason, terms, rule_version, null, points, paid, rule_version, coalesce(available_at, occurred_at),
                   expires_at, coalesce(earned_at, occurred_at), null, null, idle_until)::ledger_line
          from (select f.*, least(points, greatest(deficit - sum(points) over w + points, 0)) as paid
                  from ledger_fresh(acts, p_point_type) f
                window w as (partition by wallet order by ord rows unbounded preceding)) f);
    return ledger_written(lines, acts, p_point_type, 1, p_now);
end $$;

-- Points spent so far, of what is held, when each wish is granted whole or not at all.
create function ledger_afford(spent bigint, wish bigint, held bigint) returns bigint language plpgsql immutable parallel safe as $$
begin
    return case when spent + wish <= held then spent + wish else spent end;
end $$;
create aggregate ledger_spent(wish bigint, held bigint) (sfunc = ledger_afford, stype = bigint, initcond = '0');

-- The lines of the acts that the first p_lots lots of each wallet (null: all) can pay. Wishes and lots, summed up in their
-- order, are intervals; where a wish and a lot overlap, the lot pays.
create function ledger_paid(p_acts ledger_act[], p_point_type text, p_actor uuid, p_now timestamptz, p_lots int)
returns ledger_line[] language plpgsql
-- The planner expects a handful of wishes; wishes and lots are joined by hashing, however many there are.
set enable_nestloop = off as $$
begin
    return array(
        with wish as materialized (
            select f.*, abs(points) as wanted from ledger_fresh(p_acts, p_point_type) f where deficit = 0
        ), lot as materialized (
            select w.wallet, l.seq, sum(l.remaining) over burn_order - l.remaining as lo, sum(l.remaining) over burn_order as hi
              from (select distinct wallet, idle_expires_at from wish) w cross join lateral (
                   select * from loyalty_lot
                    where wallet_id = w.wallet and open and available_at <= p_now
                      and ledger_lot_ends(expires_at, w.idle_expires_at) > p_now
                    order by expires_at, earned_at, seq limit p_lots) l
            window burn_order as (partition by w.wallet order by l.expires_at, l.earned_at, l.seq rows unbounded preceding)
        ), decided as materialized (
            select w.*, ledger_spent(w.wanted, h.held) over (partition by w.wallet order by w.ord rows unbounded preceding) as hi
              from wish w join (select wallet, max(hi)::bigint as held from lot group by wallet) h on h.wallet = w.wallet
        ), paid as materialized (
            select d.*, hi - wanted as lo
              from (select *, lag(hi, 1, 0::bigint) over (partition by wallet order by ord) as before from decided) d
             where hi > before
        ), uses as (
            select p.ord, array_agg(l.seq) as lots, array_agg((least(p.hi, l.hi) - greatest(p.lo, l.lo))::bigint) as points
              from paid p join lot l on l.wallet = p.wallet and l.lo < p.hi and p.lo < l.hi group by p.ord
        )
        select row(p.ord, uuidv7(), p.key, p.wallet, -p.wanted, 0, p.kind, ledger_contra(p.kind), p.occurred_at, p.store,
                   p.reference, p_actor, p.reason, p.terms, p.rule_version, null, null, null, null, null, null, null,
                   u.lots, u.points, p.idle_until)::ledger_line
          from paid p join uses u on u.ord = p.ord);
end $$;

-- Each act takes points from lots in burn order, decided in the order of the list; a deficit forbids it.
create function ledger_spend(p_acts json, p_point_type text, p_actor uuid, p_now timestamptz) returns ledger_answer[]
language plpgsql set enable_seqscan = off as $$
declare
    acts ledger_act[] := array(select a from json_populate_recordset(null::ledger_act, p_acts) a);
    lines ledger_line[];
begin
    perform set_config('plan_cache_mode', case when cardinality(acts) < 20 then 'force_generic_plan' else 'force_custom_plan' end, true);
    perform ledger_lock(array(select holder from unnest(acts)), array(select occurred_at from unnest(acts)), p_point_type, p_now);
    lines := ledger_paid(acts, p_point_type, p_actor, p_now, 64);  -- enough for nearly every burn
    if cardinality(lines) < cardinality(acts) and cardinality(lines) < (
            select count(*) from ledger_fresh(acts, p_point_type) where deficit = 0 and balance >= abs(points)) then
        lines := ledger_paid(acts, p_point_type, p_actor, p_now, null);
    end if;
    return ledger_written(lines, acts, p_point_type, -1, p_now);
end $$;

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
    perform ledger_write(due, p_now);
    select count(*), coalesce(-sum(d.points), 0) into lots, points from unnest(due) d;
end $$;
