-- A row is a charge or what was paid for processing, of any vendor.
select
    source, account_id, currency, period_start as day, coalesce(reporting_category, '') as category,
    coalesce(card_brand, '') as card_brand, coalesce(card_country, '') as card_country, 1 as transactions, gross, fee,
    -- Null where the report does not tell tax and fee apart.
    withheld_tax as tax, fee_net_of_withheld_tax as fee_without_tax
from {{ ref('stg_stripe_activity') }} as activity
where fee <> 0 or reporting_category in ('charge', 'fee', 'network_cost', 'tax')
union all
select
    source, account_id, currency, ledger_date as day, category, '' as card_brand, '' as card_country,
    1 as transactions, amount as gross, 0 as fee, cast(null as decimal(38, 12)) as tax,
    cast(null as decimal(38, 12)) as fee_without_tax
from {{ ref('int_vipps_funds') }} as funds
where category = 'charge'
union all
-- The fees of captures stand on a ledger of their own, those of a day's last minutes on the next day.
select
    source, account_id, currency, ledger_date as day,
    case when entry_type = 'capture-fee' then 'charge' else 'fee' end as category, '' as card_brand, '' as card_country,
    case when entry_type = 'capture-fee' then 0 else 1 end as transactions,
    case when entry_type = 'capture-fee' then 0 else amount end as gross,
    case when entry_type = 'capture-fee' then -amount else 0 end as fee,
    cast(null as decimal(38, 12)) as tax, cast(null as decimal(38, 12)) as fee_without_tax
from {{ ref('int_vipps_fees') }} as fees
where category = 'fee'
union all
-- By the day of the payout, as all that Klarna reports.
select
    transactions.source, transactions.account_id, transactions.currency,
    cast(coalesce(payouts.payout_date, transactions.capture_date) at time zone 'UTC' as date) as day,
    case when transactions.category = 'processing_fee' then 'charge' else transactions.category end as category,
    '' as card_brand, '' as card_country,
    case when transactions.category = 'processing_fee' then 0 else 1 end as transactions,
    transactions.gross, transactions.fee, transactions.fee_tax as tax,
    case when transactions.category = 'processing_fee' then transactions.fee - transactions.fee_tax end as fee_without_tax
from {{ ref('int_klarna_transactions') }} as transactions
left join {{ ref('stg_klarna_payouts') }} as payouts
    on transactions.source = payouts.source and transactions.account_id = payouts.account_id
    and transactions.payment_reference = payouts.payment_reference
where transactions.category in ('charge', 'processing_fee', 'fee')
