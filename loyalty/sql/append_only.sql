-- Two fences around what must never change. First the rights: the application role may add and read, no more.
-- Then triggers, which stop the owner's hand too; the statement trigger catches TRUNCATE, which row triggers let through.
create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'integrity_constraint_violation';
end $$;

do $$
declare t text;
begin
    foreach t in array array['loyalty_journalentry', 'loyalty_posting', 'loyalty_lotuse', 'loyalty_documentguard', 'loyalty_auditrecord'] loop
        execute format('create trigger append_only before update or delete on %I for each statement execute function ledger_refuse()', t);
        execute format('create trigger append_only_truncate before truncate on %I for each statement execute function ledger_refuse()', t);
        execute format('revoke update, delete, truncate on %I from regulars_app', t);
    end loop;
    -- Caches move; what a lot or wallet is does not.
    foreach t in array array['loyalty_wallet', 'loyalty_lot'] loop
        execute format('revoke update, delete, truncate on %I from regulars_app', t);
        execute format('create trigger append_only_truncate before truncate on %I for each statement execute function ledger_refuse()', t);
    end loop;
    grant update (balance, deficit, seq, head, idle_expires_at) on loyalty_wallet to regulars_app;
    grant update (remaining, open) on loyalty_lot to regulars_app;
end $$;

-- Published terms are frozen.
create function terms_are_frozen() returns trigger language plpgsql as $$
begin
    if old.published_at is not null then
        raise exception 'terms v% are published and frozen', old.version using errcode = 'integrity_constraint_violation';
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$;
create trigger frozen before update or delete on loyalty_termsversion for each row execute function terms_are_frozen();
