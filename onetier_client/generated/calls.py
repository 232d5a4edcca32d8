"""The call of each command, with the arguments that `onetier_client.generated.commands` tells.

Made by `make proto`: change the contract, or the struct of the ledger, instead.
"""

from onetier_client.asking import Asking, asked
from onetier_client.generated import commands


class Commands(Asking):
    """What may be done to an account. `charging.errors.Fault` is raised for what the platform refuses."""

    open_account = asked(commands.open_account)
    set_contract = asked(commands.set_contract)
    set_account_status = asked(commands.set_account_status)
    set_payment_mode = asked(commands.set_payment_mode)
    set_credit_limit = asked(commands.set_credit_limit)
    set_threshold = asked(commands.set_threshold)
    top_up = asked(commands.top_up)
    adjust = asked(commands.adjust)
    refund = asked(commands.refund)
    transfer = asked(commands.transfer)
    set_account_profile = asked(commands.set_account_profile)
    approve = asked(commands.approve)
    subscribe = asked(commands.subscribe)
    unsubscribe = asked(commands.unsubscribe)
    change_plan = asked(commands.change_plan)
    join = asked(commands.join)
    transfer_ownership = asked(commands.transfer_ownership)
    reopen_account = asked(commands.reopen_account)
    release_number = asked(commands.release_number)
    leave = asked(commands.leave)
    pause = asked(commands.pause)
    resume = asked(commands.resume)
    change_identity = asked(commands.change_identity)
    set_spending_limit = asked(commands.set_spending_limit)
    drop_book = asked(commands.drop_book)
    set_payer = asked(commands.set_payer)
    set_payee = asked(commands.set_payee)
    post_usage = asked(commands.post_usage)
    restate_usage = asked(commands.restate_usage)
    gift = asked(commands.gift)
    give_offering = asked(commands.give_offering)
    pay = asked(commands.pay)
    reverse_payment = asked(commands.reverse_payment)
    settle = asked(commands.settle)
    dispute = asked(commands.dispute)
    resolve_dispute = asked(commands.resolve_dispute)
    credit_bill = asked(commands.credit_bill)
    write_off = asked(commands.write_off)
    recover = asked(commands.recover)
    agree_instalments = asked(commands.agree_instalments)
    dun = asked(commands.dun)
    take_over_bill = asked(commands.take_over_bill)
    redeem_voucher = asked(commands.redeem_voucher)
    lift_voucher_block = asked(commands.lift_voucher_block)
    change_characteristics = asked(commands.change_characteristics)
