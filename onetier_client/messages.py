"""The messages of commands, of which a request has one.

Made by `make proto`: change the contract, or the struct of the ledger, instead.
"""

from onetier.v1 import service_desk_pb2 as desk

Command = (
    desk.OpenAccount
    | desk.SetContract
    | desk.SetAccountStatus
    | desk.SetPaymentMode
    | desk.SetCreditLimit
    | desk.SetThreshold
    | desk.TopUp
    | desk.Adjust
    | desk.Refund
    | desk.Transfer
    | desk.SessionRequest
    | desk.SetAccountProfile
    | desk.Approve
    | desk.Subscribe
    | desk.Unsubscribe
    | desk.ChangePlan
    | desk.Join
    | desk.TransferOwnership
    | desk.ReopenAccount
    | desk.ReleaseNumber
    | desk.Leave
    | desk.Pause
    | desk.Resume
    | desk.ChangeIdentity
    | desk.SetSpendingLimit
    | desk.DropBook
    | desk.SetPayer
    | desk.SetPayee
    | desk.PostUsage
    | desk.RestateUsage
    | desk.Gift
    | desk.GiveOffering
    | desk.Pay
    | desk.ReversePayment
    | desk.Settle
    | desk.Dispute
    | desk.ResolveDispute
    | desk.CreditBill
    | desk.WriteOff
    | desk.Recover
    | desk.AgreeInstalments
    | desk.Dun
    | desk.TakeOverBill
    | desk.RedeemVoucher
    | desk.LiftVoucherBlock
    | desk.ChangeCharacteristics
)
