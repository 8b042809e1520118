-- What must hold between the rows of the ledger. Each check returns the first row that breaks it, in words.

-- check: every posting has its entry, and every entry a posting
select coalesce('posting ' || p.id || ' names entry ' || p.entry_id || ', which does not exist',
                'entry ' || e.id || ' has no posting')
  from loyalty_posting p full join loyalty_journalentry e on e.id = p.entry_id
 where p.id is null or e.id is null order by p.id limit 1

-- check: every posting, lot and lot use has its wallet
select what || ' of wallet ' || wallet_id || ', posting number ' || seq || ': no such wallet' from (
    select 'posting' as what, wallet_id, seq from loyalty_posting union all select 'lot', wallet_id, seq from loyalty_lot
    union all select 'lot use', wallet_id, seq from loyalty_lotuse) r
 where not exists (select from loyalty_wallet w where w.id = r.wallet_id) order by wallet_id, seq limit 1

-- check: postings of a wallet are numbered 1, 2, 3 without a gap
select 'wallet ' || w.id || ': ' || w.seq || ' postings expected, ' || coalesce(p.n, 0) || ' found up to number ' || coalesce(p.last, 0)
  from loyalty_wallet w left join (select wallet_id, count(*) n, max(seq) last from loyalty_posting group by 1) p on p.wallet_id = w.id
 where (w.seq, w.seq) is distinct from (coalesce(p.n, 0), coalesce(p.last, 0)) order by w.id limit 1

-- check: every balance_after is the one before plus the points
select 'wallet ' || wallet_id || ', posting number ' || seq || ': balance_after is ' || balance_after || ', the postings give ' || run
  from (select wallet_id, seq, balance_after, sum(points) over (partition by wallet_id order by seq) run from loyalty_posting) p
 where balance_after <> run order by wallet_id, seq limit 1

-- check: every wallet's balance minus deficit is the sum of its postings
select 'wallet ' || w.id || ': balance ' || w.balance || ' minus deficit ' || w.deficit || ', the postings give ' || coalesce(p.points, 0)
  from loyalty_wallet w left join (select wallet_id, sum(points) points from loyalty_posting group by 1) p on p.wallet_id = w.id
 where w.balance - w.deficit <> coalesce(p.points, 0) order by w.id limit 1

-- check: every wallet's idle date is the latest that its postings gave
select 'wallet ' || w.id || ': idle date ' || coalesce(w.idle_expires_at::text, 'none') || ', the postings give ' || coalesce(p.idle::text, 'none')
  from loyalty_wallet w left join (select wallet_id, max(idle_until) idle from loyalty_posting group by 1) p on p.wallet_id = w.id
 where w.idle_expires_at is distinct from p.idle order by w.id limit 1

-- check: every wallet's balance is what remains in its lots
select 'wallet ' || w.id || ': balance ' || w.balance || ', its lots hold ' || coalesce(l.remaining, 0)
  from loyalty_wallet w left join (select wallet_id, sum(remaining) remaining from loyalty_lot group by 1) l on l.wallet_id = w.id
 where w.balance <> coalesce(l.remaining, 0) order by w.id limit 1

-- check: every lot holds its points minus what was taken from it
select 'lot ' || l.id || ' (wallet ' || l.wallet_id || ', posting number ' || l.seq || '): remaining ' || l.remaining || case when l.open then ' (open)' else ' (closed)' end || ', uses give ' || l.points - coalesce(u.points, 0)
  from loyalty_lot l left join (select wallet_id, lot_seq, sum(points) points from loyalty_lotuse group by 1, 2) u
    on u.wallet_id = l.wallet_id and u.lot_seq = l.seq
 where l.remaining <> l.points - coalesce(u.points, 0) or l.open <> (l.remaining > 0) order by l.id limit 1

-- check: every lot was opened by a posting of its points, and every lot use has its posting and its lot
select what from (
    select 'lot ' || l.id || ': posting number ' || l.seq || ' of wallet ' || l.wallet_id || ' did not grant its ' || l.points || ' points' as what
      from loyalty_lot l left join loyalty_posting p on p.wallet_id = l.wallet_id and p.seq = l.seq
     where p.points is null or l.points > p.points or (l.points < p.points and p.kind <> 'restore')
    union all
    select 'lot use of wallet ' || u.wallet_id || ', posting number ' || u.seq || ', lot ' || u.lot_seq || ': no such posting or lot'
      from loyalty_lotuse u left join loyalty_posting p on p.wallet_id = u.wallet_id and p.seq = u.seq
           left join loyalty_lot l on l.wallet_id = u.wallet_id and l.seq = u.lot_seq
     where p.id is null or l.id is null) bad order by what limit 1

-- check: every spending or expiry took exactly its points from lots
select 'posting ' || p.id || ' (' || p.kind || ' ' || p.points || '): lots gave ' || coalesce(u.points, 0)
  from loyalty_posting p left join (select wallet_id, seq, sum(points) points from loyalty_lotuse group by 1, 2) u
    on u.wallet_id = p.wallet_id and u.seq = p.seq
 where p.kind in ('burn', 'expire') and -p.points <> coalesce(u.points, 0) order by p.id limit 1

-- check: every kind of posting has its contra account
select 'posting ' || id || ': ' || kind || ' against ' || contra from loyalty_posting
 where not (kind = 'reverse' or (kind, contra) in (
    ('earn', 'issued'), ('bonus', 'issued'), ('import', 'opening'), ('burn', 'burned'), ('restore', 'burned'),
    ('expire', 'expired'), ('return', 'returned'), ('adjust', 'adjusted'), ('forgive', 'forgiven'),
    ('transfer', 'clearing'), ('merge', 'clearing'), ('exchange_in', 'partner'), ('exchange_out', 'partner')))
 order by id limit 1

-- check: every hash seals its row and the one before, and the wallet's head is the last
select 'wallet ' || wallet_id || ', posting number ' || seq || ': the hash does not fit the row'
  from (
    select p.wallet_id, p.seq, p.hash, sha256(coalesce(
               lag(p.hash) over (partition by p.wallet_id order by p.seq), ledger_genesis(w.id, w.holder, w.point_type, w.opened_at))
               || ledger_payload(
               p.wallet_id, p.seq, p.id, p.entry_id, e.key, e.actor, e.reason, e.terms_id, e.rule_version, e.undoes,
               p.kind, p.points, p.contra, p.balance_after, p.occurred_at, p.recorded_at, p.store_id, p.reference, p.idle_until,
               l.id, l.points, l.available_at, l.expires_at, l.earned_at, l.store_id, l.rule_version, u.uses)) as right_hash
      from loyalty_posting p join loyalty_journalentry e on e.id = p.entry_id join loyalty_wallet w on w.id = p.wallet_id
           left join loyalty_lot l on l.wallet_id = p.wallet_id and l.seq = p.seq
           left join (select wallet_id, seq, string_agg(int8send(lot_seq) || int8send(points), ''::bytea order by lot_seq) uses
                        from loyalty_lotuse group by 1, 2) u on u.wallet_id = p.wallet_id and u.seq = p.seq
  ) p where hash <> right_hash
union all
select 'wallet ' || w.id || ': the head is not the hash of posting number ' || w.seq
  from loyalty_wallet w left join loyalty_posting p on p.wallet_id = w.id and p.seq = w.seq
 where w.head <> coalesce(p.hash, '')
 limit 1
