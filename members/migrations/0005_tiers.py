"""Tiers: frozen tables, the history of who held what, tiers set by hand; the database refuses what breaks their word."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.uuid
from django.db import migrations, models

SQL = """
create function tiers_are_frozen() returns trigger language plpgsql as $$
begin
    if old.published_at is not null then
        raise exception 'tier table v% is published and frozen', old.version using errcode = 'integrity_constraint_violation';
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$;
create trigger frozen before update or delete on members_tiertable for each row execute function tiers_are_frozen();

create function tiers_levels_are_frozen() returns trigger language plpgsql as $$
declare
    mine bigint[] := array[case when tg_op <> 'INSERT' then old.table_id end, case when tg_op <> 'DELETE' then new.table_id end];
begin
    if exists (select from members_tiertable where id = any (mine) and published_at is not null) then
        raise exception 'the tiers of a published table are frozen' using errcode = 'integrity_constraint_violation';
    end if;
    if tg_op = 'DELETE' then return old; end if;
    return new;
end $$;
create trigger frozen before insert or update or delete on members_tier for each row execute function tiers_levels_are_frozen();

create function tiers_keep_their_word() returns trigger language plpgsql as $$
declare
    before members_tiertable;
    worse boolean;
begin
    if new.published_at is null then return new; end if;
    if not exists (select from members_tier where table_id = new.id) then
        raise exception 'tier table v% has no tiers', new.version using errcode = 'integrity_constraint_violation';
    end if;
    select * into before from members_tiertable
     where published_at is not null and id <> new.id order by version desc limit 1;
    if not found then return new; end if;
    if new.version < before.version or new.starts_at < before.starts_at then
        raise exception 'tier table v% would start or count before v%', new.version, before.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.basis <> before.basis then
        raise exception 'what counts towards tiers stays' using errcode = 'integrity_constraint_violation';
    end if;
    worse := new."window" <> before."window" or new.grace_days < before.grace_days
          or array_position(array['recompute', 'one_down', 'keep'], new.review::text)
             < array_position(array['recompute', 'one_down', 'keep'], before.review::text)
          or exists (select from members_tier was
                      where was.table_id = before.id and not exists (
                            select from members_tier t where t.table_id = new.id and t.code = was.code
                               and t.threshold <= was.threshold and t.entry_reward >= was.entry_reward));
    if worse and not new.detriment and exists (select from loyalty_wallet) then
        raise exception 'tier table v% is worse and does not say so', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.detriment and new.starts_at < terms_notice_ends(new.published_at) then
        raise exception 'tier table v% is worse and starts before the notice ends', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept_word before insert or update on members_tiertable for each row execute function tiers_keep_their_word();

create function tiers_history_stands() returns trigger language plpgsql as $$
begin
    if (to_jsonb(new) - 'ended_at' - 'reward_taken_at') is distinct from (to_jsonb(old) - 'ended_at' - 'reward_taken_at')
       or old.ended_at is not null and old.ended_at is distinct from new.ended_at
       or old.reward_taken_at is not null and old.reward_taken_at is distinct from new.reward_taken_at then
        raise exception 'the history of tiers stays as it is' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger stands before update on members_tiermembership for each row execute function tiers_history_stands();
"""
UNDO = """
drop trigger stands on members_tiermembership;
drop trigger kept_word on members_tiertable;
drop trigger frozen on members_tier;
drop trigger frozen on members_tiertable;
drop function tiers_are_frozen, tiers_levels_are_frozen, tiers_keep_their_word, tiers_history_stands;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0004_adjustments"),
        ("loyalty", "0009_limits"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("welcome", "welcome"),
                    ("expiry_reminder", "expiry reminder"),
                    ("points_expired", "points expired"),
                    ("birthday", "birthday"),
                    ("terms_change", "change of the rules"),
                    ("tier_up", "tier reached"),
                    ("tier_at_risk", "tier at risk"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="TierTable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(unique=True, verbose_name="version")),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("points", "points earned by base rules"),
                            ("spend", "money spent"),
                            ("visits", "days with a visit"),
                        ],
                        default="points",
                        max_length=8,
                        verbose_name="counted",
                    ),
                ),
                (
                    "window",
                    models.CharField(
                        choices=[
                            ("calendar_year", "calendar year"),
                            ("rolling", "the last 12 months"),
                            ("anniversary", "a year from the day of joining"),
                        ],
                        default="calendar_year",
                        max_length=16,
                        verbose_name="period",
                    ),
                ),
                (
                    "review",
                    models.CharField(
                        choices=[
                            ("keep", "the tier is kept"),
                            ("one_down", "one tier down"),
                            ("recompute", "the tier that was reached in the period"),
                        ],
                        default="recompute",
                        max_length=10,
                        verbose_name="if it is not reached again",
                    ),
                ),
                ("grace_days", models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="days of grace")),
                ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="starts")),
                ("drafted_by", models.UUIDField(blank=True, editable=False, null=True, verbose_name="drafted by")),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published")),
                ("published_by", models.UUIDField(blank=True, editable=False, null=True, verbose_name="published by")),
                ("approved_by", models.UUIDField(blank=True, editable=False, null=True, verbose_name="approved by")),
                (
                    "detriment",
                    models.BooleanField(db_default=False, default=False, editable=False, verbose_name="worse for members"),
                ),
            ],
            options={
                "verbose_name": "tier table",
                "verbose_name_plural": "tier tables",
                "ordering": ["-version"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("published_at", None), ("starts_at__gte", models.F("published_at")), _connector="OR"),
                        name="tiers_start_after_publication",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            models.Q(
                                models.Q(("approved_by", models.F("drafted_by")), _negated=True),
                                models.Q(("approved_by", models.F("published_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="tiers_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("detriment", False), ("approved_by__isnull", False), _connector="OR"),
                        name="tiers_detriment_is_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierOverride",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tier", models.CharField(max_length=40, verbose_name="tier")),
                ("until", models.DateTimeField(verbose_name="until")),
                ("why", models.CharField(max_length=200, verbose_name="reason")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="written"
                    ),
                ),
                ("asked_by", models.UUIDField(editable=False, verbose_name="written by")),
                ("applied_at", models.DateTimeField(editable=False, null=True, verbose_name="in force since")),
                ("approved_by", models.UUIDField(blank=True, editable=False, null=True, verbose_name="approved by")),
                ("refused_at", models.DateTimeField(editable=False, null=True, verbose_name="refused")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="members.member", verbose_name="member"
                    ),
                ),
            ],
            options={
                "verbose_name": "tier set by hand",
                "verbose_name_plural": "tiers set by hand",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("approved_by", models.F("asked_by")), _negated=True),
                        name="override_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("applied_at", None), ("refused_at", None), _connector="OR"),
                        name="override_decided_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierMembership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(), editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tier", models.CharField(blank=True, max_length=40, verbose_name="tier")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(null=True, verbose_name="valid until")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("counted_until", models.DateField(null=True, verbose_name="reached in the period until")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("qualified", "reached"),
                            ("review", "reviewed"),
                            ("override", "set by hand"),
                            ("return", "goods returned"),
                            ("table", "tiers changed"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("by", models.UUIDField(blank=True, editable=False, null=True, verbose_name="by")),
                ("reward", models.UUIDField(null=True, verbose_name="entry reward")),
                ("reward_taken_at", models.DateTimeField(null=True, verbose_name="entry reward taken back")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tiers",
                        to="members.member",
                        verbose_name="member",
                    ),
                ),
                (
                    "table",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.tiertable",
                        verbose_name="tier table",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier of a member",
                "verbose_name_plural": "tiers of members",
                "ordering": ["-since", "-id"],
                "indexes": [
                    models.Index(fields=["member", "-since"], name="tier_of_member"),
                    models.Index(condition=models.Q(("ended_at", None)), fields=["until", "member"], name="tier_due"),
                    models.Index(condition=models.Q(("reward__isnull", False)), fields=["reward"], name="tier_reward"),
                ],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("ended_at", None)), fields=("member",), name="tier_one_stands"),
                    models.CheckConstraint(
                        condition=models.Q(("ended_at", None), ("ended_at__gte", models.F("since")), _connector="OR"),
                        name="tier_ends_after_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\\Z", "Use letters, digits, dots, dashes and underscores."
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("names", models.JSONField(blank=True, default=dict, verbose_name="names")),
                ("threshold", models.PositiveBigIntegerField(verbose_name="threshold")),
                ("entry_reward", models.PositiveIntegerField(db_default=0, default=0, verbose_name="points on reaching it")),
                (
                    "table",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tiers",
                        to="members.tiertable",
                        verbose_name="tier table",
                    ),
                ),
            ],
            options={
                "verbose_name": "tier",
                "verbose_name_plural": "tiers",
                "ordering": ["table", "threshold"],
                "constraints": [
                    models.UniqueConstraint(fields=("table", "code"), name="tier_code_once"),
                    models.UniqueConstraint(fields=("table", "threshold"), name="tier_threshold_once"),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__gt", 0), ("entry_reward", 0), _connector="OR"),
                        name="tier_of_everybody_pays_nothing",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
