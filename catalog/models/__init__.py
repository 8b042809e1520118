from catalog.models.codes import Code, CodePool
from catalog.models.redemptions import Redemption, RedemptionStep
from catalog.models.rewards import Category, Reward, RewardPrice, Stock, Waiting
from catalog.models.vouchers import Voucher, VoucherUse

__all__ = [
    "Category",
    "Code",
    "CodePool",
    "Redemption",
    "RedemptionStep",
    "Reward",
    "RewardPrice",
    "Stock",
    "Voucher",
    "VoucherUse",
    "Waiting",
]
