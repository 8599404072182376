-- A row is a payout: what it paid, which transactions make it up, whether both are the same amount, and what became of it.
with payouts as (
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
),

named as (
    select source, account_id, automatic_payout_id, currency, reporting_category, gross, fee, net, 1 as preference
    from {{ ref('stg_stripe_payout_transactions') }} as payout_transactions
    where automatic_payout_id is not null
    union all
    -- Where no payout reconciliation report is loaded, the activity names the payout too; of a payout that began before the first
    -- loaded period it has only a part.
    select source, account_id, automatic_payout_id, currency, reporting_category, gross, fee, net, 2 as preference
    from {{ ref('stg_stripe_activity') }} as activity
    where automatic_payout_id is not null
),

preferred as (
    select source, account_id, automatic_payout_id, min(preference) as preference
    from named
    group by source, account_id, automatic_payout_id
),

settled as (
    select
        named.source, named.account_id, named.automatic_payout_id as payout_id, named.currency, named.preference,
        count(*) as transactions,
        coalesce(sum(named.gross) filter (where named.reporting_category = 'charge'), 0) as charges,
        coalesce(sum(named.gross) filter (where named.reporting_category in ('refund', 'refund_failure')), 0) as refunds,
        coalesce(sum(named.gross) filter (where named.reporting_category in ('dispute', 'dispute_reversal')), 0)
            as disputes,
        coalesce(sum(named.gross) filter (where named.reporting_category not in
            ('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal')), 0) as other,
        -sum(named.fee) as fees,
        sum(named.net) as transactions_net
    from named
    inner join preferred
        on named.source = preferred.source and named.account_id = preferred.account_id
        and named.automatic_payout_id = preferred.automatic_payout_id and named.preference = preferred.preference
    group by named.source, named.account_id, named.automatic_payout_id, named.currency, named.preference
)

select
    payouts.source, payouts.account_id, payouts.payout_id, payouts.currency, payouts.payout_type, payouts.status,
    payouts.effective_date, payouts.arrival_date, payouts.paid_amount, payouts.payout_fee,
    payouts.returned_amount, payouts.returned_date, payouts.returned_date is not null as is_returned,
    settled.transactions, settled.charges, settled.refunds, settled.disputes, settled.other, settled.fees,
    settled.transactions_net,
    case when settled.preference = 1 then settled.transactions_net - payouts.paid_amount end as difference,
    case when settled.preference = 1 then settled.transactions_net = payouts.paid_amount end as ties,
    case
        when settled.preference is null
            then 'cannot be checked: no transaction names this payout (paid out by hand, or no report that names it is loaded)'
        when settled.preference = 2
            then 'cannot be checked: load payout_reconciliation.itemized, which holds all transactions of a payout'
        when settled.transactions_net <> payouts.paid_amount
            then 'does not tie: its transactions add up to another amount than was paid out'
        when payouts.returned_date is not null then 'ties, but the bank sent it back'
        else 'ties'
    end as verdict
from payouts
left join settled
    on payouts.source = settled.source and payouts.account_id = settled.account_id
    and payouts.payout_id = settled.payout_id and payouts.currency = settled.currency
