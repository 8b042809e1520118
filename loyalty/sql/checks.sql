-- What must hold between the rows of the ledger. Each check returns the first row that breaks it, in words. Those that name
-- %(first)s and %(last)s look at the wallets from the one to the other, so that a ledger of any size is checked in
-- parts that fit into memory.

-- check: every posting follows the one before, has its entry, and takes and grants what it says; its hash seals all of it
select fault from (
    select p.wallet_id, p.seq, case
        when w.id is null then 'posting of wallet ' || p.wallet_id || ', posting number ' || p.seq || ': no such wallet'
        when e.id is null then 'posting ' || p.id || ' names entry ' || p.entry_id || ', which does not exist'
        when p.seq <> p.seq_before + 1
            then 'wallet ' || p.wallet_id || ': posting number ' || p.seq || ' follows number ' || p.seq_before
        when p.balance_after <> p.balance_before + p.points
            then 'wallet ' || p.wallet_id || ', posting number ' || p.seq || ': balance_after is ' || p.balance_after
                 || ', the postings give ' || p.balance_before + p.points
        when not (p.kind = 'reverse' or (p.kind, p.contra) in (
                ('earn', 'issued'), ('bonus', 'issued'), ('import', 'opening'), ('burn', 'burned'), ('restore', 'burned'),
                ('expire', 'expired'), ('return', 'returned'), ('adjust', 'adjusted'), ('forgive', 'forgiven'),
                ('transfer', 'clearing'), ('merge', 'clearing'), ('exchange_in', 'partner'), ('exchange_out', 'partner')))
            then 'posting ' || p.id || ': ' || p.kind || ' against ' || p.contra
        when p.kind in ('burn', 'expire', 'exchange_out') and -p.points <> coalesce(u.points, 0)
            then 'posting ' || p.id || ' (' || p.kind || ' ' || p.points || '): lots gave ' || coalesce(u.points, 0)
        when l.points > p.points or (l.points < p.points and p.kind <> 'restore')
            then 'lot ' || l.id || ': posting number ' || l.seq || ' of wallet ' || l.wallet_id || ' did not grant its '
                 || l.points || ' points'
        when p.hash <> sha256(coalesce(p.hash_before, ledger_genesis(w.id, w.holder, w.point_type, w.opened_at)) || ledger_payload(
                p.wallet_id, p.seq, p.id, p.entry_id, e.key, e.actor, e.reason, e.terms_id, e.rule_version, e.undoes,
                p.kind, p.points, p.contra, p.balance_after, p.occurred_at, p.recorded_at, p.store_id, p.reference, p.idle_until,
                l.id, l.points, l.available_at, l.expires_at, l.earned_at, l.store_id, l.rule_version, u.uses))
            then 'wallet ' || p.wallet_id || ', posting number ' || p.seq || ': the hash does not fit the row'
        end as fault
      from (select *, lag(seq, 1, 0::bigint) over n as seq_before, lag(balance_after, 1, 0::bigint) over n as balance_before,
                   lag(hash) over n as hash_before
              from loyalty_posting where wallet_id between %(first)s and %(last)s
            window n as (partition by wallet_id order by seq)) p
           left join (select * from loyalty_wallet where id between %(first)s and %(last)s) w on w.id = p.wallet_id
           left join lateral (select * from loyalty_journalentry where id = p.entry_id limit 1) e on true  -- by its index
           left join (select * from loyalty_lot where wallet_id between %(first)s and %(last)s) l
             on l.wallet_id = p.wallet_id and l.seq = p.seq
           left join (select wallet_id, seq, sum(points) as points,
                             string_agg(int8send(lot_seq) || int8send(points), ''::bytea order by lot_seq) as uses
                        from loyalty_lotuse where wallet_id between %(first)s and %(last)s group by 1, 2) u
             on u.wallet_id = p.wallet_id and u.seq = p.seq) walked
 where fault is not null order by wallet_id, seq limit 1

-- check: every wallet's last posting, head, balance, deficit and idle date are those that its postings and lots give
select fault from (
    select w.id, case
        when w.seq <> coalesce(p.seq, 0)
            then 'wallet ' || w.id || ': ' || w.seq || ' postings expected, ' || coalesce(p.seq, 0) || ' found'
        when w.balance - w.deficit <> coalesce(p.balance_after, 0)
            then 'wallet ' || w.id || ': balance ' || w.balance || ' minus deficit ' || w.deficit || ', the postings give '
                 || coalesce(p.balance_after, 0)
        when w.idle_expires_at is distinct from i.until
            then 'wallet ' || w.id || ': idle date ' || coalesce(w.idle_expires_at::text, 'none') || ', the postings give '
                 || coalesce(i.until::text, 'none')
        when w.balance <> coalesce(l.remaining, 0)
            then 'wallet ' || w.id || ': balance ' || w.balance || ', its lots hold ' || coalesce(l.remaining, 0)
        when w.head <> coalesce(p.hash, '')
            then 'wallet ' || w.id || ': the head is not the hash of posting number ' || w.seq
        end as fault
      from (select * from loyalty_wallet where id between %(first)s and %(last)s) w
           -- The check above has found the postings without a gap and each balance the sum so far: the last one tells.
           left join lateral (select seq, balance_after, hash from loyalty_posting
                               where wallet_id = w.id order by seq desc limit 1) p on true
           left join (select wallet_id, max(idle_until) as until from loyalty_posting
                       where wallet_id between %(first)s and %(last)s and idle_until is not null group by 1) i on i.wallet_id = w.id
           left join (select wallet_id, sum(remaining) as remaining
                        from loyalty_lot where wallet_id between %(first)s and %(last)s group by 1) l on l.wallet_id = w.id) told
 where fault is not null order by id limit 1

-- check: every lot holds its points minus what was taken from it, and every lot and lot use has its posting
select fault from (
    select coalesce(l.wallet_id, u.wallet_id) as wallet, case
        when l.id is null then 'lot use of wallet ' || u.wallet_id || ', posting number ' || u.seq || ', lot ' || u.lot_seq
                               || ': no such posting or lot'
        when l.remaining <> l.points - coalesce(u.points, 0) or l.open <> (l.remaining > 0)
            then 'lot ' || l.id || ' (wallet ' || l.wallet_id || ', posting number ' || l.seq || '): remaining ' || l.remaining
                 || case when l.open then ' (open)' else ' (closed)' end || ', uses give ' || l.points - coalesce(u.points, 0)
        end as fault
      from (select * from loyalty_lot where wallet_id between %(first)s and %(last)s) l
           full join (select wallet_id, lot_seq, min(seq) as seq, sum(points) as points
                        from loyalty_lotuse where wallet_id between %(first)s and %(last)s group by 1, 2) u
             on u.wallet_id = l.wallet_id and u.lot_seq = l.seq
    union all
    select l.wallet_id, 'lot of wallet ' || l.wallet_id || ': there is no posting number ' || l.seq || ' that granted it'
      from (select wallet_id, seq from loyalty_lot where wallet_id between %(first)s and %(last)s
            except select wallet_id, seq from loyalty_posting where wallet_id between %(first)s and %(last)s) l
    union all
    select u.wallet_id, 'lot use of wallet ' || u.wallet_id || ', posting number ' || u.seq || ': no such posting'
      from (select wallet_id, seq from loyalty_lotuse where wallet_id between %(first)s and %(last)s
            except select wallet_id, seq from loyalty_posting where wallet_id between %(first)s and %(last)s) u) looked
 where fault is not null order by wallet limit 1

-- check: every entry has a posting
select 'entry ' || id || ' has no posting'
  from (select id from loyalty_journalentry except select entry_id from loyalty_posting) e limit 1

-- check: nothing was given back more points than it took
select 'entry ' || g.undoes || ': ' || g.given || ' points were given back, it took ' || coalesce(o.took, 0)
  from (select e.undoes, sum(p.points) as given
          from loyalty_journalentry e
               cross join lateral (select points from loyalty_posting
                                    where entry_id = e.id and kind in ('restore', 'reverse') and points > 0) p
         where e.undoes is not null group by 1) g
       left join lateral (select -sum(points) as took from loyalty_posting where entry_id = g.undoes) o on true
 where g.given > coalesce(o.took, 0) order by 1 limit 1
