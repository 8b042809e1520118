-- The floor: what PostgreSQL itself takes for the same rows. Tables like the product's, with its indexes and checks, in a
-- schema of their own; each function is one set-based call over ready arrays, with the least that a correct ledger needs:
-- wallets locked in key order, keys that hold once, running balances, and a hash chain per wallet.
create schema bench;

do $$
declare t text;
begin
    foreach t in array array['loyalty_wallet', 'loyalty_journalentry', 'loyalty_posting', 'loyalty_lot', 'loyalty_lotuse',
                             'loyalty_outboxevent', 'loyalty_documentguard', 'campaigns_purchase', 'campaigns_purchaseline',
                             'campaigns_award'] loop
        execute format('create table bench.%I (like public.%I including all)', t, t);
    end loop;
end $$;
set search_path = bench, public;

create function link(state bytea, head bytea, payload bytea) returns bytea language plpgsql immutable parallel safe as $$
begin return sha256(coalesce(state, head) || payload); end $$;
create aggregate chain(head bytea, payload bytea) (sfunc = link, stype = bytea);

-- Lines with their place, balance and hash, written with everything that moves with them but the lots they use.
create type written as (id uuid, key text, wallet bigint, points bigint, at timestamptz, usable timestamptz, ends timestamptz,
                     store bigint, reference text);

create function write(lines written[], p_kind text, p_contra text, p_reason text, p_terms bigint, p_rule uuid, p_now timestamptz)
returns bigint language plpgsql as $$
declare n bigint;
begin
    with l as materialized (
        select * from unnest(lines) with ordinality as l (id, key, wallet, points, at, usable, ends, store, reference, ord)
    ), fresh as (
        insert into loyalty_journalentry (id, key, reason, terms_id, rule_version)
        select id, key, p_reason, p_terms, p_rule from l order by key on conflict (key) do nothing returning id
    ), placed as materialized (
        select l.*, w.head, w.holder, w.seq + row_number() over o as seq,
               (w.balance - w.deficit + sum(points) over o)::bigint as after
          from fresh join l using (id) join loyalty_wallet w on w.id = l.wallet
        window o as (partition by l.wallet order by l.ord rows unbounded preceding)
    ), sealed as materialized (
        select p.*, chain(head, int8send(wallet) || int8send(seq) || uuid_send(id) || convert_to(key || p_reason || p_kind || reference, 'UTF8')
                   || int8send(p_terms) || uuid_send(coalesce(p_rule, id)) || int8send(points) || int8send(after)
                   || timestamptz_send(at) || timestamptz_send(p_now) || int8send(store)
                   || timestamptz_send(coalesce(usable, at)) || timestamptz_send(coalesce(ends, at)))
                   over (partition by wallet order by seq rows unbounded preceding) as hash
          from placed p
    ), posted as (
        insert into loyalty_posting (entry_id, wallet_id, seq, kind, points, contra, balance_after, occurred_at, recorded_at,
                                     store_id, reference, hash)
        select id, wallet, seq, p_kind, points, p_contra, after, at, p_now, store, reference, hash from sealed
    ), opened as (
        insert into loyalty_lot (wallet_id, seq, points, remaining, open, available_at, expires_at, earned_at, store_id, rule_version)
        select wallet, seq, points, points, true, usable, ends, at, store, p_rule from sealed where points > 0
    ), moved as (
        update loyalty_wallet w set balance = w.balance + d.points, seq = d.seq, head = d.head
          from (select wallet, sum(points)::bigint as points, max(seq) as seq,
                       (array_agg(hash order by seq desc))[1] as head from sealed group by wallet) d
         where w.id = d.wallet
    ), told as (
        insert into loyalty_outboxevent (type, subject, payload)
        select 'points.changed', holder, jsonb_build_object('entry', id, 'kind', p_kind, 'points', points,
                                                            'balance', after, 'occurred_at', at) from sealed
    )
    select count(*) into n from sealed;
    return n;
end $$;

create function lock(wallets bigint[]) returns void language sql as $$
    select from loyalty_wallet where id = any (wallets) order by id for update $$;

create function post(ids uuid[], keys text[], wallets bigint[], points bigint[], at timestamptz[], usable timestamptz[],
                     ends timestamptz[], stores bigint[], refs text[], p_terms bigint, p_rule uuid, p_now timestamptz)
returns bigint language plpgsql as $$
begin
    perform lock(wallets);
    return write(array(select row(l.*)::written from unnest(ids, keys, wallets, points, at, usable, ends, stores, refs) l),
                 'earn', 'issued', 'base', p_terms, p_rule, p_now);
end $$;

-- Receipts with all that belongs to them; lines name their receipt by its place.
create function take(ids uuid[], numbers text[], prints bytea[], members uuid[], wallets bigint[], stores bigint[],
                     at timestamptz[], net numeric[], points bigint[], traces text[], entries uuid[], ends timestamptz[],
                     places int[], line_ids text[], skus text[], categories text[], brands text[], quantities numeric[],
                     amounts numeric[], line_points bigint[], p_terms bigint, p_rule uuid, p_now timestamptz)
returns bigint language plpgsql as $$
declare taken bigint;
begin
    perform lock(wallets);
    insert into loyalty_documentguard (source, number, kind, document, fingerprint)
    select 'bench', number, 'purchase', id, print from unnest(ids, numbers, prints) g (id, number, print) order by number
    on conflict (source, number, kind) do nothing;
    get diagnostics taken = row_count;
    if taken <> cardinality(ids) then raise exception 'a receipt was taken before'; end if;
    perform write(array(select row(l.*)::written from unnest(
                            entries, array(select 'purchase:' || id || ':base' from unnest(ids) id), wallets, points, at, at,
                            ends, stores, numbers) l), 'earn', 'issued', 'base', p_terms, p_rule, p_now);
    insert into campaigns_purchase (id, source, receipt_number, member_id, store_id, occurred_at, recorded_at, currency,
                                    net_amount, points_earned, trace)
    select id, 'bench', number, member, store, occurred_at, p_now, 'EUR', paid, earned, trace::jsonb
      from unnest(ids, numbers, members, stores, at, net, points, traces)
           p (id, number, member, store, occurred_at, paid, earned, trace);
    insert into campaigns_purchaseline (purchase_id, line_id, sku, category, brand, quantity, net_amount, basis, points)
    select ids[place], line_id, sku, category, brand, quantity, amount, amount, earned
      from unnest(places, line_ids, skus, categories, brands, quantities, amounts, line_points)
           l (place, line_id, sku, category, brand, quantity, amount, earned);
    insert into campaigns_award (purchase_id, rule_version_id, points, entry, available_at, expires_at)
    select id, p_rule, earned, entry, usable, ends_at from unnest(ids, points, entries, at, ends) a (id, earned, entry, usable, ends_at);
    insert into loyalty_outboxevent (type, subject, payload)
    select 'purchase.recorded', member, jsonb_build_object('purchase', id, 'points', earned)
      from unnest(ids, members, points) o (id, member, earned);
    return taken;
end $$;

-- Spending: the overlap of what is wanted, summed up, with what the lots hold, summed up in burn order.
create function burn(ids uuid[], keys text[], wallets bigint[], wants bigint[], stores bigint[], p_now timestamptz)
returns bigint language plpgsql as $$
declare wanted bigint; got bigint;
begin
    perform lock(wallets);
    with w as materialized (
        select d.*, w.seq + row_number() over o as seq, sum(d.points) over o as hi, sum(d.points) over o - d.points as lo
          from unnest(wallets, wants) with ordinality as d (wallet, points, ord) join loyalty_wallet w on w.id = d.wallet
        window o as (partition by d.wallet order by d.ord rows unbounded preceding)
    ), l as materialized (
        select l.wallet_id, l.seq, sum(l.remaining) over o as hi, sum(l.remaining) over o - l.remaining as lo
          from loyalty_lot l
         where l.wallet_id = any (wallets) and l.open and l.available_at <= p_now and (l.expires_at is null or l.expires_at > p_now)
        window o as (partition by l.wallet_id order by l.expires_at, l.earned_at, l.seq)
    ), used as materialized (
        select w.wallet, w.seq, l.seq as lot, least(w.hi, l.hi) - greatest(w.lo, l.lo) as points
          from w join l on l.wallet_id = w.wallet and l.lo < w.hi and w.lo < l.hi
    ), recorded as (
        insert into loyalty_lotuse (wallet_id, seq, lot_seq, points) select wallet, seq, lot, points from used
    ), taken as (
        update loyalty_lot f set remaining = f.remaining - u.points, open = f.remaining > u.points
          from (select wallet, lot, sum(points) as points from used group by 1, 2) u where f.wallet_id = u.wallet and f.seq = u.lot
    )
    select (select sum(points) from w), (select sum(points) from used) into wanted, got;
    if wanted is distinct from got then raise exception 'insufficient points'; end if;
    return write(array(select row(id, key, wallet, -p, p_now, null, null, store, '')::written
                         from unnest(ids, keys, wallets, wants, stores) b (id, key, wallet, p, store)),
                 'burn', 'burned', '', 1, null, p_now);
end $$;

-- The sweep: one posting a lot.
create function expire(p_now timestamptz, p_limit int) returns bigint language plpgsql as $$
declare locked bigint[]; wallets bigint[]; seqs bigint[]; lots bigint[]; points bigint[]; ends timestamptz[]; stores bigint[];
begin
    locked := array(select id from loyalty_wallet where id in (
                        select wallet_id from loyalty_lot where open and expires_at <= p_now order by expires_at limit p_limit)
                     order by id for update);
    select array_agg(wallet_id), array_agg(seq), array_agg(lot), array_agg(remaining), array_agg(expires_at), array_agg(store_id)
      into wallets, seqs, lots, points, ends, stores
      from (select l.wallet_id, w.seq + row_number() over o as seq, l.seq as lot, l.remaining, l.expires_at, l.store_id
              from (select * from loyalty_lot where open and expires_at <= p_now order by expires_at limit p_limit) l
              join loyalty_wallet w on w.id = l.wallet_id
             where w.id = any (locked) window o as (partition by l.wallet_id order by l.expires_at, l.seq)) due;
    insert into loyalty_lotuse (wallet_id, seq, lot_seq, points) select * from unnest(wallets, seqs, lots, points);
    update loyalty_lot l set remaining = 0, open = false
      from unnest(wallets, lots) e (wallet, lot) where l.wallet_id = e.wallet and l.seq = e.lot;
    return write(array(select row(uuidv7(), 'expire:' || wallet || ':' || lot, wallet, -p, ended, null, null, store, '')::written
                         from unnest(wallets, lots, points, ends, stores) e (wallet, lot, p, ended, store)),
                 'expire', 'expired', 'expired', 1, null, p_now);
end $$;

-- Floor A of the ledger's laboratory: one earn as one call, with four narrow rows and nothing else.
create table a_wallet (member_id bigint primary key, balance bigint not null default 0, seq bigint not null default 0)
    with (fillfactor = 70);
create table a_txn (id bigint generated by default as identity primary key, idem uuid not null unique, kind smallint not null,
    member_id bigint not null, amount bigint not null, store_id int not null, created_at timestamptz not null default now());
create table a_entry (wallet_id bigint, seq bigint, txn_id bigint not null, amount bigint not null, balance_after bigint not null,
    created_at timestamptz not null default now(), primary key (wallet_id, seq));
create table a_lot (wallet_id bigint, seq bigint, amount bigint not null, remaining bigint not null, expires_at timestamptz not null,
    open boolean not null default true, primary key (wallet_id, seq)) with (fillfactor = 80);
create index on a_lot (wallet_id, expires_at, seq) where open;
create index on a_lot (expires_at) where open;
insert into a_wallet (member_id) select generate_series(1, 100000);

create function a_earn(p_idem uuid, p_member bigint, p_amount bigint, p_store int, p_expires timestamptz) returns bigint
language plpgsql as $$
declare t bigint; b bigint; s bigint;
begin
    insert into a_txn (idem, kind, member_id, amount, store_id) values (p_idem, 1, p_member, p_amount, p_store)
    on conflict (idem) do nothing returning id into t;
    if t is null then raise exception 'the key was used'; end if;
    update a_wallet set balance = balance + p_amount, seq = seq + 1 where member_id = p_member returning balance, seq into b, s;
    insert into a_entry (wallet_id, seq, txn_id, amount, balance_after) values (p_member, s, t, p_amount, b);
    insert into a_lot (wallet_id, seq, amount, remaining, expires_at) values (p_member, s, p_amount, p_amount, p_expires);
    return t;
end $$;
