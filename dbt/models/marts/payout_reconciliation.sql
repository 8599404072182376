-- A row is a payout: what it paid, which transactions make it up, whether both are the same amount, and what became of it.
with preferred as (
    select source, account_id, payout_id, min(preference) as preference
    from {{ ref('int_payout_parts') }} as parts
    group by source, account_id, payout_id
),

settled as (
    select
        parts.source, parts.account_id, parts.payout_id, parts.currency, parts.preference,
        cast(sum(parts.transactions) as bigint) as transactions,
        coalesce(sum(parts.gross) filter (where parts.category = 'charge'), 0) as charges,
        coalesce(sum(parts.gross) filter (where parts.category in ('refund', 'refund_failure')), 0) as refunds,
        coalesce(sum(parts.gross) filter (where parts.category in ('dispute', 'dispute_reversal')), 0) as disputes,
        coalesce(sum(parts.gross) filter (where parts.category not in
            ('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal')), 0) as other,
        -sum(parts.fee) as fees,
        sum(parts.net) as transactions_net
    from {{ ref('int_payout_parts') }} as parts
    inner join preferred
        on parts.source = preferred.source and parts.account_id = preferred.account_id
        and parts.payout_id = preferred.payout_id and parts.preference = preferred.preference
    group by parts.source, parts.account_id, parts.payout_id, parts.currency, parts.preference
),

-- A transaction that no payout names is late where a newer one of the same balance has been paid out. What is newer than
-- all that a payout has is on its way as a rule.
named as (
    select source, account_id, balance_transaction_id, automatic_payout_id as payout_id
    from {{ ref('stg_stripe_payout_transactions') }} as payout_transactions
    where automatic_payout_id is not null and balance_transaction_id is not null
    union
    select source, account_id, balance_transaction_id, automatic_payout_id as payout_id
    from {{ ref('stg_stripe_activity') }} as activity
    where automatic_payout_id is not null and balance_transaction_id is not null
),

newest as (
    select
        named.source, named.account_id, named.payout_id, activity.currency,
        max(coalesce(activity.created, activity.created_utc)) as created
    from named
    inner join {{ ref('stg_stripe_activity') }} as activity
        on named.source = activity.source and named.account_id = activity.account_id
        and named.balance_transaction_id = activity.balance_transaction_id
    group by named.source, named.account_id, named.payout_id, activity.currency
),

nameless as (
    select
        activity.source, activity.account_id, activity.currency, activity.net,
        coalesce(activity.created, activity.created_utc) as created
    from {{ ref('stg_stripe_activity') }} as activity
    left join named
        on activity.source = named.source and activity.account_id = named.account_id
        and activity.balance_transaction_id = named.balance_transaction_id
    where named.payout_id is null
),

unassigned as (
    select
        newest.source, newest.account_id, newest.payout_id, newest.currency,
        count(*) as transactions, sum(nameless.net) as net
    from newest
    inner join settled
        on newest.source = settled.source and newest.account_id = settled.account_id
        and newest.payout_id = settled.payout_id and newest.currency = settled.currency
    inner join nameless
        on newest.source = nameless.source and newest.account_id = nameless.account_id
        and newest.currency = nameless.currency and nameless.created <= newest.created
    group by newest.source, newest.account_id, newest.payout_id, newest.currency
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
        when settled.preference = 2 and payouts.source = 'vipps'
            then 'cannot be checked: it began before the first day that is loaded'
        when settled.preference = 2 and payouts.source = 'klarna'
            then 'cannot be checked: it has transactions of a type that is not known'
        when settled.preference = 2
            then 'cannot be checked: load payout_reconciliation.itemized, which holds all transactions of a payout'
        when payouts.paid_amount is null then 'cannot be checked: the vendor does not say what was paid'
        when settled.transactions_net <> payouts.paid_amount
            then 'does not tie: its transactions add up to another amount than was paid out'
        when payouts.returned_date is not null then 'ties, but the bank sent it back'
        else 'ties'
    end as verdict,
    case when settled.preference = 1 and settled.transactions_net <> payouts.paid_amount
        then coalesce(unassigned.transactions, 0) end as unassigned_transactions,
    case when settled.preference = 1 and settled.transactions_net <> payouts.paid_amount then unassigned.net end as unassigned_net
from {{ ref('int_payouts') }} as payouts
left join settled
    on payouts.source = settled.source and payouts.account_id = settled.account_id
    and payouts.payout_id = settled.payout_id and payouts.currency = settled.currency
left join unassigned
    on payouts.source = unassigned.source and payouts.account_id = unassigned.account_id
    and payouts.payout_id = unassigned.payout_id and payouts.currency = unassigned.currency
