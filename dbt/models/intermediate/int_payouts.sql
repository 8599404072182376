-- A row is a payout of any vendor; what came back of it stands in the same row.
select
    source, account_id, currency, payout_id,
    max(payout_type) as payout_type,
    -- A reversal is a row of its own, whose status is that of its payout.
    max(payout_status) as status,
    cast(min(coalesce(effective_at, effective_at_utc) at time zone coalesce(period_zone, 'UTC'))
        filter (where reporting_category = 'payout') as date) as effective_date,
    max(payout_expected_arrival_date) as arrival_date,
    coalesce(-sum(gross) filter (where reporting_category = 'payout'), 0) as paid_amount,
    coalesce(sum(fee) filter (where reporting_category = 'payout'), 0) as payout_fee,
    coalesce(sum(net) filter (where reporting_category = 'payout_reversal'), 0) as returned_amount,
    cast(min(coalesce(effective_at, effective_at_utc) at time zone coalesce(period_zone, 'UTC'))
        filter (where reporting_category = 'payout_reversal') as date) as returned_date
from {{ ref('stg_stripe_payouts') }} as payouts
group by source, account_id, currency, payout_id
union all
-- Vipps MobilePay: a payout is an entry of the ledger, and so is one that could not be made.
select
    source, account_id, currency, psp_reference as payout_id,
    cast(null as text) as payout_type,
    coalesce(max(entry_type) filter (where category = 'payout_reversal'), max(entry_type)) as status,
    min(ledger_date) filter (where category = 'payout') as effective_date,
    cast(null as date) as arrival_date,
    coalesce(-sum(amount) filter (where category = 'payout'), 0) as paid_amount,
    0 as payout_fee,
    coalesce(sum(amount) filter (where category = 'payout_reversal'), 0) as returned_amount,
    min(ledger_date) filter (where category = 'payout_reversal') as returned_date
from {{ ref('int_vipps_funds') }} as funds
where category in ('payout', 'payout_reversal')
group by source, account_id, currency, psp_reference
union all
select
    source, account_id, currency_code as currency, payment_reference as payout_id,
    merchant_settlement_type as payout_type,
    -- The fees of a merchant who is paid out gross: Klarna lists their invoice among the payouts.
    case when merchant_settlement_type = 'GROSS_FEE' then 'invoiced' end as status,
    cast(payout_date at time zone 'UTC' as date) as effective_date,
    cast(null as date) as arrival_date,
    totals_settlement_amount as paid_amount,
    0 as payout_fee,
    0 as returned_amount,
    cast(null as date) as returned_date
from {{ ref('stg_klarna_payouts') }} as klarna_payouts
