-- A row is what a payout is made of: a transaction, or what it carries over from the payout before and to the next.
-- `preference`: 1 where all of a payout is there, 2 where it may be a part of it only.
with vipps as (
    select
        funds.*,
        -- The entries between two payouts are those of the second.
        coalesce(sum(case when category = 'payout' then 1 else 0 end) over (
            partition by source, account_id order by ledger_date, row_number
            rows between unbounded preceding and 1 preceding
        ), 0) as earlier_payouts
    from {{ ref('int_vipps_funds') }} as funds
),

begun as (
    select source, account_id, balance_before
    from (
        select
            source, account_id, balance_before,
            row_number() over (partition by source, account_id order by ledger_date, row_number) as place
        from {{ ref('int_vipps_funds') }} as funds
    ) as ordered
    where place = 1
),

vipps_payouts as (
    select
        vipps.source, vipps.account_id, vipps.earlier_payouts, vipps.psp_reference as payout_id, vipps.currency,
        vipps.balance_after,
        coalesce(
            lag(vipps.balance_after) over (partition by vipps.source, vipps.account_id order by vipps.earlier_payouts),
            begun.balance_before
        ) as carried_in,
        -- Of what was there before the first loaded day nobody knows what it is made of.
        case when vipps.earlier_payouts = 0 and begun.balance_before <> 0 then 2 else 1 end as preference
    from vipps
    inner join begun on vipps.source = begun.source and vipps.account_id = begun.account_id
    where vipps.category = 'payout'
),

klarna as (
    select
        transactions.*,
        max(case when net is null then 2 else 1 end) over (partition by source, account_id, payment_reference) as preference
    from {{ ref('int_klarna_transactions') }} as transactions
),

klarna_payouts as (
    select source, account_id, payment_reference, preference
    from klarna
    group by source, account_id, payment_reference, preference
)

select
    source, account_id, automatic_payout_id as payout_id, currency, reporting_category as category, gross, fee, net,
    1 as preference, 1 as transactions
from {{ ref('stg_stripe_payout_transactions') }} as payout_transactions
where automatic_payout_id is not null
union all
-- Where no payout reconciliation report is loaded, the activity names the payout too; of a payout that began before the first
-- loaded period it has only a part.
select
    source, account_id, automatic_payout_id as payout_id, currency, reporting_category as category, gross, fee, net,
    2 as preference, 1 as transactions
from {{ ref('stg_stripe_activity') }} as activity
where automatic_payout_id is not null
union all
select
    vipps.source, vipps.account_id, vipps_payouts.payout_id, vipps.currency, vipps.category,
    case when vipps.category = 'fees_retained' then 0 else vipps.amount end as gross,
    case when vipps.category = 'fees_retained' then -vipps.amount else 0 end as fee,
    vipps.amount as net, vipps_payouts.preference, 1 as transactions
from vipps
inner join vipps_payouts
    on vipps.source = vipps_payouts.source and vipps.account_id = vipps_payouts.account_id
    and vipps.earlier_payouts = vipps_payouts.earlier_payouts
where vipps.category <> 'payout'
union all
select
    source, account_id, payout_id, currency, 'carried_over' as category, carried_in - balance_after as gross, 0 as fee,
    carried_in - balance_after as net, preference, 0 as transactions
from vipps_payouts
where carried_in <> balance_after
union all
select
    source, account_id, payment_reference as payout_id, currency, category, gross, fee, net, preference, 1 as transactions
from klarna
union all
-- What the merchant owes from earlier payouts, or is made to owe by this one.
select
    payouts.source, payouts.account_id, payouts.payment_reference as payout_id, payouts.currency_code as currency,
    'debt' as category,
    coalesce(payouts.totals_deposit_amount, 0) - coalesce(payouts.totals_repay_amount, 0) as gross, 0 as fee,
    coalesce(payouts.totals_deposit_amount, 0) - coalesce(payouts.totals_repay_amount, 0) as net,
    klarna_payouts.preference, 0 as transactions
from {{ ref('stg_klarna_payouts') }} as payouts
inner join klarna_payouts
    on payouts.source = klarna_payouts.source and payouts.account_id = klarna_payouts.account_id
    and payouts.payment_reference = klarna_payouts.payment_reference
where coalesce(payouts.totals_deposit_amount, 0) <> coalesce(payouts.totals_repay_amount, 0)
