"""Ten answers that staff can read out (T09), in the member's language, by the terms and rates of today."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config.pages import joining
from config.pages.till.frame import page
from loyalty import terms, wording
from members.access import for_till
from members.models import Shift


@for_till
def answers(request: HttpRequest, shift: Shift) -> HttpResponse:
    asked = request.GET.get("lang", "")
    language = asked if asked in dict(settings.LANGUAGES) else get_language() or "en"
    with translation.override(language):
        told = _answers()
    context = {"answers": told, "told_in": language, "languages": settings.LANGUAGES}
    return page(request, shift, "help", context)


def _answers() -> list[tuple[str, Any]]:
    contract = terms.current(timezone.now())
    return [
        (_("How do I get points?"), joining.earn_sentence()),
        (_("What are my points worth?"), wording.worth(contract)),
        (_("When can I use them?"), wording.usable(contract)),
        (_("When do points expire?"), wording.expiry(contract)),
        (_("Can I pay with points?"), wording.tender(contract)),
        (_("What happens when I bring something back?"), wording.claw_back(contract)),
        (_("I have no phone with me. Can I still get points?"),
         _("Yes. Tell us the end of your phone number, or the number of your card.")),
        (_("I forgot my card last time. Can I still get the points?"),
         _("Yes, with the receipt, for 30 days after the purchase.")),
        (_("What do you do with my phone number?"),
         _("We use it to find your card. You get offers only if you ask for them, and can stop them at any time.")),
        (_("Do the rules change?"), wording.notice(contract)),
    ]  # fmt: skip
