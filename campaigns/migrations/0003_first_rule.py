"""The base rule of a new installation, 1 point per 1.00, and the trigger that freezes published rules."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FREEZE = """
create function rule_versions_are_frozen() returns trigger language plpgsql as $$
begin
    if old.published_at is not null then
        raise exception 'version % of this rule is published and frozen', old.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$;
create trigger frozen before update or delete on campaigns_ruleversion for each row execute function rule_versions_are_frozen();
"""


def base_rule(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rule = apps.get_model("campaigns", "EarnRule").objects.create(code="base", name="Base rate")
    apps.get_model("campaigns", "RuleVersion").objects.create(
        rule=rule, version=1, kind="base", value="1", starts_at="1970-01-01T00:00:00Z", published_at="1970-01-01T00:00:00Z"
    )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_initial")]

    operations = [
        migrations.RunPython(base_rule, migrations.RunPython.noop),
        migrations.RunSQL(FREEZE, "drop function rule_versions_are_frozen cascade"),
    ]
