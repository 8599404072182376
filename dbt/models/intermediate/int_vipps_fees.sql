-- A row is an entry of a Vipps MobilePay ledger of fees: a fee, below zero, or how fees were settled.
select
    source, account_id, currency, ledger_date, row_number, psp_reference, reference, amount,
    case
        when entry_type = 'fees-retained' then 'fees_retained'
        when entry_type = 'fees-invoiced' then 'fees_invoiced'
        when entry_type = 'correction' or entry_type like '%-fee' then 'fee'
        else entry_type
    end as category,
    entry_type
from {{ ref('stg_vipps_fees') }} as fees
