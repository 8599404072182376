-- A row is a line of the booking of a Klarna payout, made of the totals that Klarna states of it: its transactions need not be
-- loaded. What the totals do not explain is a line, too, so that each booking balances.
with payouts as (
    select
        source, account_id, currency_code as currency, payment_reference as booking_id,
        cast(payout_date at time zone 'UTC' as date) as booking_date, merchant_settlement_type as kind,
        coalesce(totals_settlement_amount, 0) as settlement, coalesce(totals_sale_amount, 0) as sale,
        coalesce(totals_return_amount, 0) as returned, coalesce(totals_reversal_amount, 0) as reversal,
        coalesce(totals_fee_amount, 0) - coalesce(totals_fee_refund_amount, 0)
            - coalesce(totals_fee_correction_amount, 0) as fee,
        coalesce(totals_tax_amount, 0) - coalesce(totals_tax_refund_amount, 0) as tax,
        coalesce(totals_charge_amount, 0) as charge, coalesce(totals_commission_amount, 0) as commission,
        coalesce(totals_credit_amount, 0) as credit,
        coalesce(totals_holdback_amount, 0) - coalesce(totals_release_amount, 0) as reserve,
        coalesce(totals_repay_amount, 0) - coalesce(totals_deposit_amount, 0) as debt
    from {{ ref('stg_klarna_payouts') }} as klarna_payouts
)

select
    payouts.source, payouts.account_id, payouts.currency, payouts.booking_id, payouts.booking_date,
    cast(null as text) as description,
    -- The fees of a merchant who is paid out gross are an invoice.
    case when lines.line = 1 and payouts.kind = 'GROSS_FEE' then 'fees_invoiced' else lines.category end as category,
    case lines.line
        when 1 then settlement
        when 2 then -sale
        when 3 then returned
        when 4 then reversal
        when 5 then fee
        when 6 then tax
        when 7 then charge
        when 8 then -commission
        when 9 then -credit
        when 10 then reserve
        when 11 then debt
        else sale - settlement - returned - reversal - fee - tax - charge + commission + credit - reserve - debt
    end as amount,
    lines.line
from payouts
cross join (
    values
    (1, 'payout'), (2, 'charge'), (3, 'refund'), (4, 'dispute'), (5, 'processing_fee'), (6, 'tax'), (7, 'fee'),
    (8, 'commission'), (9, 'credit'), (10, 'reserve'), (11, 'debt'), (12, 'not_stated')
) as lines (line, category)
