-- Rows about checkpoints are as fixed as what they seal.
create trigger append_only before update or delete on loyalty_checkpoint for each statement execute function ledger_refuse();
create trigger append_only_truncate before truncate on loyalty_checkpoint for each statement execute function ledger_refuse();
revoke update, delete, truncate on loyalty_checkpoint from regulars_app;
