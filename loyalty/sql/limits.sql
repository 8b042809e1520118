-- How many points one person may grant alone (loyalty/limits.py). Counted here, so that no two acts see the same room.

-- Whose grants an actor's are: a key's are those of whoever made it.
create function grants_person(p_actor uuid) returns uuid language sql stable as $$
    select coalesce((select person from loyalty_grantdeputy where actor = p_actor), p_actor)
$$;

-- The local day of an instant, in the zone of the terms that are in force then.
create function grants_day(p_at timestamptz) returns date language sql stable as $$
    select (p_at at time zone timezone)::date from loyalty_termsversion where published_at is not null
     order by starts_at <= p_at desc, case when starts_at <= p_at then starts_at end desc, starts_at, version desc limit 1
$$;

-- For each of p_asked (points, in order) whether it stays within the limits; what does is counted. A negative number is
-- room given back. What a second person approved is not counted.
-- The upsert locks the person's row, so that twins decide one after the other; each statement of a function sees what was
-- committed before it.
create function grants_allowed(p_actor uuid, p_second uuid, p_at timestamptz, p_asked bigint[])
returns boolean[] language plpgsql as $$
declare
    who uuid := grants_person(p_actor);
    today date := grants_day(p_at);
    most loyalty_grantlimits;
    given jsonb;
    this_day bigint;
    this_month bigint;
    points bigint;
    allowed boolean;
    answers boolean[] := '{}';
begin
    if grants_person(p_second) <> who then
        return array_fill(true, array[cardinality(p_asked)]);
    end if;
    insert into loyalty_grantcount as c (person, days) values (who, '{}')
        on conflict (person) do update set days = c.days returning c.days into given;
    select * into strict most from loyalty_grantlimits where in_force_at is not null order by id desc limit 1;
    select coalesce(jsonb_object_agg(day, granted), '{}'), coalesce(sum(granted::bigint), 0) into given, this_month
      from jsonb_each(given) as d (day, granted) where day::date > today - 30;
    this_day := coalesce((given ->> today::text)::bigint, 0);
    foreach points in array p_asked loop
        allowed := points <= 0 or (points <= most.single_points and this_day + points <= most.day_points
                                   and this_month + points <= most.month_points);
        if allowed then
            this_day := this_day + points;
            this_month := this_month + points;
        end if;
        answers := answers || allowed;
    end loop;
    update loyalty_grantcount set days = given || jsonb_build_object(today::text, this_day) where person = who;
    return answers;
end $$;

-- What the code says first: more than before needs a second person, and what was set stays as it was set.
create function grants_limits_keep() returns trigger language plpgsql as $$
declare
    before loyalty_grantlimits;
begin
    if tg_op = 'UPDATE' and (old.in_force_at is not null or (old.single_points, old.day_points, old.month_points, old.set_by, old.set_at)
            is distinct from (new.single_points, new.day_points, new.month_points, new.set_by, new.set_at)) then
        raise exception 'limits are set once' using errcode = 'integrity_constraint_violation';
    end if;
    select * into before from loyalty_grantlimits where in_force_at is not null and id <> new.id order by id desc limit 1;
    if not found or new.in_force_at is null then return new; end if;
    if new.id < before.id then
        raise exception 'newer limits are in force' using errcode = 'integrity_constraint_violation';
    end if;
    if new.approved_by is null and (new.single_points > before.single_points or new.day_points > before.day_points or new.month_points > before.month_points) then
        raise exception 'limits were raised by one person' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept before insert or update on loyalty_grantlimits for each row execute function grants_limits_keep();

do $$
declare t text;
begin
    foreach t in array array['loyalty_grantdeputy', 'loyalty_grantexemption'] loop
        execute format('create trigger append_only before update or delete on %I for each statement execute function ledger_refuse()', t);
        execute format('create trigger append_only_truncate before truncate on %I for each statement execute function ledger_refuse()', t);
        execute format('revoke update, delete, truncate on %I from regulars_app', t);
    end loop;
    create trigger append_only before delete on loyalty_grantlimits for each statement execute function ledger_refuse();
    revoke update, delete, truncate on loyalty_grantlimits from regulars_app;
    grant update (approved_by, in_force_at) on loyalty_grantlimits to regulars_app;
    revoke delete, truncate on loyalty_grantcount from regulars_app;
end $$;
