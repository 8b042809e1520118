"""Rules of all kinds, their conditions and limits as data; static segments of members with their history."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from loyalty.validators import CODE

KEPT_WORD = """
create or replace function rates_keep_their_word() returns trigger language plpgsql as $$
declare before campaigns_ruleversion;
begin
    if new.published_at is null then return new; end if;
    select * into before from campaigns_ruleversion
     where rule_id = new.rule_id and published_at is not null and id <> new.id order by version desc limit 1;
    if found then
        -- An offer may end before what was announced for it begins; that is replaced then.
        if new.version < before.version or (new.starts_at < before.starts_at
                                            and (new.kind = 'base' or new.ends_at is distinct from new.starts_at)) then
            raise exception 'version % of this rule would start or count before version %', new.version, before.version
                using errcode = 'integrity_constraint_violation';
        end if;
        if new.kind <> before.kind then
            raise exception 'version % of this rule would be of another kind', new.version
                using errcode = 'integrity_constraint_violation';
        end if;
        if new.kind <> 'base' and new.starts_at <= new.published_at then
            raise exception 'version % of this rule would hold for what was bought already', new.version
                using errcode = 'integrity_constraint_violation';
        end if;
        -- What the conditions make of it is judged by campaigns/weighing.py; a plain rate that falls needs no judgement.
        if new.kind = 'base' and new.value < before.value and not new.detriment and exists (select from loyalty_wallet)
           and new.spec->>'per' is not distinct from before.spec->>'per' and not new.spec ? 'what' and not before.spec ? 'what'
           and (before.ends_at is null or before.ends_at > new.starts_at) then
            raise exception 'version % of this rule is worse and does not say so', new.version
                using errcode = 'integrity_constraint_violation';
        end if;
    end if;
    if new.detriment and new.starts_at < terms_notice_ends(new.published_at) then
        raise exception 'version % of this rule is worse and starts before the notice ends', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
"""
# As 0004_notice has it.
KEPT_WORD_BEFORE = """
create or replace function rates_keep_their_word() returns trigger language plpgsql as $$
declare before campaigns_ruleversion;
begin
    if new.published_at is null or new.kind <> 'base' then return new; end if;
    select * into before from campaigns_ruleversion
     where rule_id = new.rule_id and published_at is not null and id <> new.id order by version desc limit 1;
    if not found then return new; end if;
    if new.version < before.version or new.starts_at < before.starts_at then
        raise exception 'version % of this rule would start or count before version %', new.version, before.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.value < before.value and not new.detriment and exists (select from loyalty_wallet) then
        raise exception 'version % of this rule is worse and does not say so', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    if new.detriment and new.starts_at < terms_notice_ends(new.published_at) then
        raise exception 'version % of this rule is worse and starts before the notice ends', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
"""
KINDS = [("base", "base rate"), ("bonus", "bonus"), ("multiplier", "multiplier"), ("event", "points for an act")]


def key() -> "models.BigAutoField[int, int]":
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_goods"), ("members", "0003_approvals")]

    operations = [
        migrations.AddField(
            "ruleversion", "spec", models.JSONField(blank=True, db_default={}, default=dict, verbose_name="conditions and limits")
        ),
        migrations.AddField("ruleversion", "ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
        migrations.AlterField("ruleversion", "kind", models.CharField(choices=KINDS, max_length=10, verbose_name="kind")),
        migrations.AlterField(
            "ruleversion", "value", models.DecimalField(decimal_places=6, max_digits=12, verbose_name="value")
        ),
        migrations.AddIndex(
            "ruleversion", models.Index(condition=Q(published_at__isnull=False), fields=["ends_at"], name="rule_not_ended")
        ),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gte=F("starts_at")), name="rule_ends_after_its_start"
            ),
        ),
        migrations.AddConstraint(
            "ruleversion",
            models.CheckConstraint(
                condition=Q(published_at=None)
                | Q(approved_by__isnull=False)
                | ~Q(kind="multiplier", value__gt=10)
                | Q(ends_at__isnull=False, ends_at=F("starts_at")),
                name="rule_generosity_is_approved",
            ),
        ),
        migrations.RunSQL(KEPT_WORD, KEPT_WORD_BEFORE),
        migrations.CreateModel(
            "Segment",
            [
                ("id", key()),
                ("code", models.CharField(max_length=40, unique=True, validators=[CODE], verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
            ],
            options={"verbose_name": "segment", "verbose_name_plural": "segments", "ordering": ["code"]},
        ),
        migrations.CreateModel(
            "SegmentMembership",
            [
                ("id", key()),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="members.member", verbose_name="member"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="campaigns.segment",
                        verbose_name="segment",
                    ),
                ),
            ],
            options={"verbose_name": "member of a segment", "verbose_name_plural": "members of segments"},
        ),
        migrations.AddIndex("segmentmembership", models.Index(fields=["member", "since"], name="segments_of_member")),
        migrations.AddIndex(
            "segmentmembership", models.Index(condition=Q(until=None), fields=["segment"], name="segment_members_now")
        ),
        migrations.AddConstraint(
            "segmentmembership",
            models.UniqueConstraint(condition=Q(until=None), fields=("member", "segment"), name="segment_member_once"),
        ),
        migrations.AddConstraint(
            "segmentmembership",
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="segment_until_after_since"),
        ),
    ]  # fmt: skip
