"""Points as money: from how many points on, in which steps, for which share of a receipt; worse is worse here too."""

from django.db import migrations, models
from django.db.models import Q

# loyalty/judging.py judges the same; notice and approval of what is worse are kept_word's.
KEPT_WORD = """
create function terms_tender_keeps_its_word() returns trigger language plpgsql as $$
declare
    before loyalty_termsversion;
    worse boolean;
begin
    if new.published_at is null or new.detriment then return new; end if;
    select * into before from loyalty_termsversion
     where published_at is not null and id <> new.id order by version desc limit 1;
    if not found then return new; end if;
    worse := new.tender_max_percent < before.tender_max_percent
          or new.tender_max_percent > 0 and before.tender_max_percent > 0
         and (new.tender_min > before.tender_min or before.tender_step % new.tender_step <> 0);
    if worse and exists (select from loyalty_wallet) then
        raise exception 'terms v% take points as money less freely and do not say so', new.version
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger kept_word_of_tender before insert or update on loyalty_termsversion
    for each row execute function terms_tender_keeps_its_word();
"""
UNDO = "drop trigger kept_word_of_tender on loyalty_termsversion; drop function terms_tender_keeps_its_word"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0007_faster")]

    operations = [
        migrations.AddField(
            "termsversion",
            "tender_min",
            models.PositiveIntegerField(db_default=1, default=1, verbose_name="fewest points in a payment"),
        ),
        migrations.AddField(
            "termsversion",
            "tender_step",
            models.PositiveIntegerField(db_default=1, default=1, verbose_name="points are taken in steps of"),
        ),
        migrations.AddField(
            "termsversion",
            "tender_max_percent",
            models.PositiveSmallIntegerField(db_default=100, default=100, verbose_name="share payable in points, in percent"),
        ),
        migrations.AddConstraint(
            "termsversion",
            models.CheckConstraint(
                condition=Q(tender_min__gte=1, tender_step__gte=1, tender_max_percent__lte=100), name="terms_tender_is_sane"
            ),
        ),
        migrations.RunSQL(KEPT_WORD, UNDO),
    ]
