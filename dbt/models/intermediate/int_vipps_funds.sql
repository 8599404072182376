-- A row is an entry of a Vipps MobilePay ledger of funds, by the categories that all vendors share.
select
    source, account_id, currency, ledger_date, row_number, psp_reference, reference, amount, balance_before, balance_after,
    case entry_type
        when 'capture' then 'charge'
        when 'retained-disputed-capture' then 'dispute'
        when 'returned-disputed-capture' then 'dispute_reversal'
        when 'fees-retained' then 'fees_retained'
        when 'top-up' then 'topup'
        -- The vendor has called a payout two things.
        when 'scheduled-for-payout' then 'payout'
        when 'payout-scheduled' then 'payout'
        when 'payout-aborted' then 'payout_reversal'
        else entry_type
    end as category,
    entry_type
from {{ ref('stg_vipps_funds') }} as funds
