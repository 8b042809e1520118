"""Every door of the product. Sign-in pages are named one by one, so none of allauth's others stands open unnoticed."""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path, re_path

from config.api import api
from config.pages import (
    card,
    checking_in,
    errors,
    health,
    joining,
    mailbox,
    media,
    proof,
    redeeming,
    rewards,
    rules,
    tier,
    vouchers,
)
from config.pages.till import urls as till
from config.pages.till.pins import set_pin
from members import views as members
from members.access import public

urlpatterns = [
    path("", card.home, name="home"),
    path("card/", card.card, name="card"),
    path("card/code/", card.code, name="code"),
    path("card/expiry/", card.expiry, name="expiry"),
    path("tier/", tier.tier, name="tier"),
    path("check-in/", checking_in.check_in, name="check_in"),
    path("rewards/", rewards.rewards, name="rewards"),
    path("rewards/<str:code>/", rewards.reward, name="reward"),
    path("rewards/<str:code>/wait/", rewards.wait, name="reward_wait"),
    path("rewards/<str:code>/redeem/", redeeming.redeem, name="redeem"),
    path("redemptions/<uuid:redemption>/", redeeming.redemption, name="redemption"),
    path("vouchers/", vouchers.vouchers, name="vouchers"),
    path("vouchers/<uuid:voucher>/", vouchers.voucher, name="voucher"),
    path("history/", card.history, name="history"),
    path("history/proof/", proof.statement, name="proof"),
    path("history/<uuid:entry>/", card.line, name="line"),
    path("rules/", rules.rules, name="rules"),
    path("j/", joining.join, name="join"),
    path("j/<str:store>/", joining.join, name="join_at"),
    path("sign-in/", members.SignIn.as_view(), name="account_request_login_code"),
    path("sign-in/code/", members.Verify.as_view(), name="account_confirm_login_code"),
    path("sign-in/code/again/", members.resend_code, name="resend_code"),
    path("account/", members.account, name="account"),
    path("messages/", members.inbox, name="inbox"),
    path("accounts/login/", public(account.login), name="account_login"),
    path("accounts/logout/", public(account.logout), name="account_logout"),
    path("accounts/inactive/", public(account.account_inactive), name="account_inactive"),
    path("accounts/reauthenticate/", public(account.reauthenticate), name="account_reauthenticate"),
    path("accounts/signup/", public(joining.join), name="account_signup"),
    path("accounts/confirm-email/", public(account.email_verification_sent), name="account_email_verification_sent"),
    path("accounts/", include("allauth.mfa.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    re_path(r"^media/rewards/(?P<name>[0-9a-f]{32}(-480)?\.webp)$", media.picture, name="picture"),
    path("admin/mail/", mailbox.mailbox, name="mailbox"),
    path("admin/mail/<str:name>/", mailbox.mail, name="mail"),
    path("admin/till-pin/", set_pin, name="till_pin"),
    path("admin/", admin.site.urls),
    path("till/", include(till.urlpatterns)),
    path("api/v1/", api.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler500 = errors.server_error
