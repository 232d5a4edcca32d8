"""The call of each command that waits for its answer.

Made by `make proto`: change the contract, or the struct of the ledger, instead.
"""

from onetier_client.driving import Driving, blocking
from onetier_client.generated.calls import Commands


class BlockingCommands(Driving):
    """What may be done to an account; as `onetier_client.generated.calls.Commands`."""

    open_account = blocking(Commands.open_account)
    set_contract = blocking(Commands.set_contract)
    set_account_status = blocking(Commands.set_account_status)
    set_payment_mode = blocking(Commands.set_payment_mode)
    set_credit_limit = blocking(Commands.set_credit_limit)
    set_threshold = blocking(Commands.set_threshold)
    top_up = blocking(Commands.top_up)
    adjust = blocking(Commands.adjust)
    refund = blocking(Commands.refund)
    transfer = blocking(Commands.transfer)
    set_account_profile = blocking(Commands.set_account_profile)
    approve = blocking(Commands.approve)
    subscribe = blocking(Commands.subscribe)
    unsubscribe = blocking(Commands.unsubscribe)
    change_plan = blocking(Commands.change_plan)
    join = blocking(Commands.join)
    transfer_ownership = blocking(Commands.transfer_ownership)
    reopen_account = blocking(Commands.reopen_account)
    release_number = blocking(Commands.release_number)
    leave = blocking(Commands.leave)
    pause = blocking(Commands.pause)
    resume = blocking(Commands.resume)
    change_identity = blocking(Commands.change_identity)
    set_spending_limit = blocking(Commands.set_spending_limit)
    drop_book = blocking(Commands.drop_book)
    set_payer = blocking(Commands.set_payer)
    set_payee = blocking(Commands.set_payee)
    post_usage = blocking(Commands.post_usage)
    restate_usage = blocking(Commands.restate_usage)
    gift = blocking(Commands.gift)
    give_offering = blocking(Commands.give_offering)
    pay = blocking(Commands.pay)
    reverse_payment = blocking(Commands.reverse_payment)
    settle = blocking(Commands.settle)
    dispute = blocking(Commands.dispute)
    resolve_dispute = blocking(Commands.resolve_dispute)
    credit_bill = blocking(Commands.credit_bill)
    write_off = blocking(Commands.write_off)
    recover = blocking(Commands.recover)
    agree_instalments = blocking(Commands.agree_instalments)
    dun = blocking(Commands.dun)
    take_over_bill = blocking(Commands.take_over_bill)
    redeem_voucher = blocking(Commands.redeem_voucher)
    lift_voucher_block = blocking(Commands.lift_voucher_block)
    change_characteristics = blocking(Commands.change_characteristics)
