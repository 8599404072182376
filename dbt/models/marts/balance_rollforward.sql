-- A row is an account, a currency and a month of the report's zone: opening balance, what moved it, ending balance.
-- Stripe states its balances in a report of their own; Vipps MobilePay's stand in the entries of its ledger of funds.
-- Klarna has none: what it owes goes out with each payout. Stripe's page on the report names four categories: starting_balance, activity, payouts, ending_balance. Activity
-- is split by the itemised report; an account that sees it split already keeps its own split.
with stated as (
    select
        source, account_id, currency, period_start, period_end,
        sum(net_amount) filter (where category = 'starting_balance') as opening_balance,
        sum(net_amount) filter (where category = 'ending_balance') as ending_balance,
        count(*) filter (where category = 'activity') > 0 as is_in_one,
        coalesce(sum(net_amount) filter (where category not in ('starting_balance', 'ending_balance', 'payouts', 'payout',
            'payout_reversal')), 0) as activity,
        coalesce(sum(net_amount) filter (where category in ('charge', 'charge_failure')), 0) as charges,
        coalesce(sum(net_amount) filter (where category in ('refund', 'refund_failure')), 0) as refunds,
        coalesce(sum(net_amount) filter (where category in ('dispute', 'dispute_reversal')), 0) as disputes,
        coalesce(sum(net_amount) filter (where category in ('fee', 'network_cost', 'tax')), 0) as fees,
        coalesce(sum(net_amount) filter (where category in ('payouts', 'payout', 'payout_reversal')), 0) as payouts
    from {{ ref('stg_stripe_balance') }} as balance
    group by source, account_id, currency, period_start, period_end
),

split as (
    select
        source, account_id, currency, period_start,
        coalesce(sum(net) filter (where reporting_category in ('charge', 'charge_failure')), 0) as charges,
        coalesce(sum(net) filter (where reporting_category in ('refund', 'refund_failure')), 0) as refunds,
        coalesce(sum(net) filter (where reporting_category in ('dispute', 'dispute_reversal')), 0) as disputes,
        coalesce(sum(net) filter (where reporting_category in ('fee', 'network_cost', 'tax')), 0) as fees
    from {{ ref('stg_stripe_activity') }} as activity
    group by source, account_id, currency, period_start
),

told as (
    select
        stated.source, stated.account_id, stated.currency, stated.period_start, stated.period_end,
        stated.opening_balance, stated.ending_balance, stated.activity, stated.payouts,
        case when stated.is_in_one then coalesce(split.charges, 0) else stated.charges end as charges,
        case when stated.is_in_one then coalesce(split.refunds, 0) else stated.refunds end as refunds,
        case when stated.is_in_one then coalesce(split.disputes, 0) else stated.disputes end as disputes,
        case when stated.is_in_one then coalesce(split.fees, 0) else stated.fees end as fees
    from stated
    left join split
        on stated.source = split.source and stated.account_id = split.account_id
        and stated.currency = split.currency and stated.period_start = split.period_start
),

itemized as (
    select source, account_id, currency, period_start, sum(net) as net
    from (
        select source, account_id, currency, period_start, net
        from {{ ref('stg_stripe_activity') }} as activity
        union all
        select source, account_id, currency, period_start, net
        from {{ ref('stg_stripe_payouts') }} as payouts
    ) as moved
    group by source, account_id, currency, period_start
),

-- What is loaded of a period, in whatever currency: one in which nothing moved has no transaction.
itemized_periods as (
    select
        source, account_id, period_start,
        max(is_activity) as has_activity,
        max(1 - is_activity) as has_payouts
    from (
        select source, account_id, period_start, 1 as is_activity
        from {{ ref('stg_stripe_activity') }} as activity
        union all
        select source, account_id, period_start, 0 as is_activity
        from {{ ref('stg_stripe_payouts') }} as payouts
    ) as moved
    group by source, account_id, period_start
),

unsettled as (
    select source, account_id, currency, period_start, sum(net) as net
    from {{ ref('stg_stripe_unsettled') }} as unsettled
    group by source, account_id, currency, period_start
),

following as (
    select
        told.*,
        lag(ending_balance) over (partition by source, account_id, currency order by period_start) as previous_ending,
        lag(period_end) over (partition by source, account_id, currency order by period_start) as previous_end
    from told
),

explained as (
    select
        following.*,
        case
            when (following.activity = 0 or itemized_periods.has_activity = 1)
                and (following.payouts = 0 or itemized_periods.has_payouts = 1)
                then coalesce(itemized.net, 0)
        end as itemized_net
    from following
    left join itemized
        on following.source = itemized.source and following.account_id = itemized.account_id
        and following.currency = itemized.currency and following.period_start = itemized.period_start
    left join itemized_periods
        on following.source = itemized_periods.source and following.account_id = itemized_periods.account_id
        and following.period_start = itemized_periods.period_start
),

-- Of Vipps MobilePay, the first and the last entry of a month hold the balances around it.
entries as (
    select
        funds.*, cast(date_trunc('month', ledger_date) as date) as month,
        row_number() over (
            partition by source, account_id, currency, date_trunc('month', ledger_date) order by ledger_date, row_number
        ) as place,
        row_number() over (
            partition by source, account_id, currency, date_trunc('month', ledger_date)
            order by ledger_date desc, row_number desc
        ) as place_from_end
    from {{ ref('int_vipps_funds') }} as funds
),

ledgers as (
    select
        source, account_id, currency, month,
        sum(case when place = 1 then balance_before end) as opening_balance,
        sum(case when place_from_end = 1 then balance_after end) as ending_balance,
        coalesce(sum(amount) filter (where category = 'charge'), 0) as charges,
        coalesce(sum(amount) filter (where category = 'refund'), 0) as refunds,
        coalesce(sum(amount) filter (where category in ('dispute', 'dispute_reversal')), 0) as disputes,
        coalesce(sum(amount) filter (where category = 'fees_retained'), 0) as fees,
        coalesce(sum(amount) filter (where category in ('payout', 'payout_reversal')), 0) as payouts,
        sum(amount) as moved
    from entries
    group by source, account_id, currency, month
)

select
    explained.source, explained.account_id, explained.currency,
    cast(date_trunc('month', explained.period_start) as date) as month,
    explained.period_start, explained.period_end, explained.opening_balance,
    explained.charges, explained.refunds, explained.disputes, explained.fees,
    explained.activity - explained.charges - explained.refunds - explained.disputes - explained.fees as other,
    explained.payouts, explained.ending_balance,
    explained.opening_balance + explained.activity + explained.payouts - explained.ending_balance as difference,
    explained.opening_balance + explained.activity + explained.payouts = explained.ending_balance as ties,
    explained.previous_ending = explained.opening_balance and explained.previous_end + 1 = explained.period_start
        as follows_previous,
    explained.itemized_net,
    explained.itemized_net = explained.ending_balance - explained.opening_balance as itemized_agrees,
    unsettled.net as unsettled_net
from explained
left join unsettled
    on explained.source = unsettled.source and explained.account_id = unsettled.account_id
    and explained.currency = unsettled.currency and explained.period_start = unsettled.period_start
union all
select
    source, account_id, currency, month,
    month as period_start, cast(month + interval '1 month' as date) - 1 as period_end, opening_balance,
    charges, refunds, disputes, fees, moved - charges - refunds - disputes - fees - payouts as other,
    payouts, ending_balance,
    opening_balance + moved - ending_balance as difference,
    opening_balance + moved = ending_balance as ties,
    -- A month without an entry has no row, and leaves the balance as it is.
    lag(ending_balance) over (partition by source, account_id, currency order by month) = opening_balance as follows_previous,
    moved as itemized_net,
    moved = ending_balance - opening_balance as itemized_agrees,
    null as unsettled_net
from ledgers
where opening_balance is not null and ending_balance is not null
