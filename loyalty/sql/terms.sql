-- What publishing must obey, said again where no code can be left out (loyalty/publishing.py says it first, in words).

-- The earliest start of what is published at p_at and worse for somebody: after the notice that the terms in force owe.
create function terms_notice_ends(p_at timestamptz) returns timestamptz language sql stable as $$
    select p_at + make_interval(hours => 24 * notice_days) from loyalty_termsversion
     where published_at is not null and starts_at <= p_at order by starts_at desc, version desc limit 1
$$;

create function terms_keep_their_word() returns trigger language plpgsql as $$
declare
    before loyalty_termsversion;
    worse boolean;
begin
    if new.published_at is null then return new; end if;
    select * into before from loyalty_termsversion
     where published_at is not null and id <> new.id order by version desc limit 1;
    if not found then return new; end if;
    if new.version < before.version or new.starts_at < before.starts_at then
        raise exception 'terms v% would start or count before v%', new.version, before.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if (new.currency, new.timezone) is distinct from (before.currency, before.timezone) and exists (select from loyalty_posting) then
        raise exception 'currency and time zone stay: there are postings' using errcode = 'integrity_constraint_violation';
    end if;
    worse := new.point_value < before.point_value or new.pending_days > before.pending_days
          or new.return_days < before.return_days or new.notice_days < before.notice_days;
    if worse and not new.detriment and exists (select from loyalty_wallet) then
        raise exception 'terms v% are worse and do not say so', new.version using errcode = 'integrity_constraint_violation';
    end if;
    if new.detriment and new.starts_at < terms_notice_ends(new.published_at) then
        raise exception 'terms v% are worse and start before the notice ends', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept_word before insert or update on loyalty_termsversion for each row execute function terms_keep_their_word();
