"""The doors of the till."""

from django.urls import path

from config.pages.till import done, doors, enrolling, helping, home, refunds, rewards, sale, sending

urlpatterns = [
    path("", home.home, name="till"),
    path("register/", doors.register, name="till_register"),
    path("lock/", doors.lock, name="till_lock"),
    path("member/<uuid:member>/", sale.sale, name="till_sale"),
    path("member/<uuid:member>/gives/", sale.gives, name="till_gives"),
    path("member/<uuid:member>/rewards/", rewards.rewards, name="till_rewards"),
    path("voucher/<uuid:voucher>/", rewards.voucher, name="till_voucher"),
    path("done/<uuid:act>/", done.done, name="till_done"),
    path("done/<uuid:act>/undo/", done.undo, name="till_undo"),
    path("enrol/", enrolling.enrolment, name="till_enrol"),
    path("refund/", refunds.refunds, name="till_refunds"),
    path("refund/<uuid:purchase>/", refunds.refund, name="till_refund"),
    path("refund/<uuid:purchase>/takes/", refunds.takes, name="till_refund_takes"),
    path("help/", helping.answers, name="till_help"),
    path("report/", home.report, name="till_report"),
    path("sales/", sending.sales, name="till_sales"),
    path("offline/", sending.offline, name="till_offline"),
    path("worker.js", sending.worker, name="till_worker"),
]
