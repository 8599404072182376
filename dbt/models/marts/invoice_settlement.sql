-- A row is an invoice of any vendor: what was asked for, what Stripe's transactions say came in, and where they differ.
with cash as (
    select
        source, account_id, invoice_id, currency,
        coalesce(sum(gross) filter (where reporting_category in ('charge', 'charge_failure')), 0) as charged_amount,
        coalesce(sum(gross) filter (where reporting_category in ('refund', 'refund_failure')), 0) as refunded_amount,
        coalesce(sum(gross) filter (where reporting_category in ('dispute', 'dispute_reversal')), 0) as disputed_amount,
        sum(fee) as fee_amount,
        sum(net) as net_amount,
        count(*) filter (where reporting_category = 'charge') as charges,
        string_agg(distinct automatic_payout_id, ', ' order by automatic_payout_id) as payout_ids,
        cast(max(automatic_payout_effective_at at time zone coalesce(period_zone, 'UTC')) as date) as payout_date
    from {{ ref('stg_stripe_activity') }} as activity
    where invoice_id is not null
    group by source, account_id, invoice_id, currency
),

loaded as (
    select
        source, account_id,
        min(cast(coalesce(created, created_utc) at time zone coalesce(period_zone, 'UTC') as date)) as first_day,
        max(period_end) as last_day,
        count(invoice_id) as invoice_ids
    from {{ ref('stg_stripe_activity') }} as activity
    group by source, account_id
),

judged as (
    select
        invoices.source, invoices.account_id, invoices.invoice_id,
        loaded.first_day is null as has_no_transactions,
        -- The report was ordered without that column.
        loaded.invoice_ids = 0 as names_no_invoice,
        -- The charge of an invoice that was paid on a day that is not loaded cannot be there.
        loaded.first_day is not null
            and (invoices.paid_date < loaded.first_day or invoices.paid_date > loaded.last_day) as is_outside
    from {{ ref('stg_invoices') }} as invoices
    left join loaded on invoices.source = loaded.source and invoices.account_id = loaded.account_id
)

select
    invoices.source, invoices.account_id, invoices.invoice_id, invoices.invoice_number, invoices.type,
    invoices.status, invoices.invoice_date, invoices.due_date, invoices.paid_date, invoices.currency,
    invoices.total_amount, invoices.amount_remaining, invoices.is_settled, invoices.customer_id,
    cash.charged_amount, cash.refunded_amount, cash.disputed_amount, cash.fee_amount as charge_fee_amount,
    cash.net_amount as cash_net_amount, cash.payout_ids, cash.payout_date,
    case
        when judged.has_no_transactions or judged.names_no_invoice or judged.is_outside or invoices.total_amount <= 0
            then null
        when invoices.status = 'paid' then coalesce(cash.charges, 0) > 0
        when invoices.status in ('draft', 'void') then coalesce(cash.charges, 0) = 0
        when invoices.status in ('open', 'uncollectible') then coalesce(cash.charged_amount, 0) < invoices.total_amount
    end as cash_agrees,
    case
        when judged.has_no_transactions then 'cannot be checked: no transactions of this account are loaded'
        when judged.names_no_invoice
            then 'cannot be checked: no transaction of this account names an invoice (order the column invoice_id)'
        when judged.is_outside then 'cannot be checked: it was paid on a day whose transactions are not loaded'
        when invoices.total_amount <= 0 then 'nothing to be paid'
        when invoices.status = 'paid' and coalesce(cash.charges, 0) = 0
            then 'paid by the vendor''s word, but no charge names it: paid elsewhere, or not at all'
        when invoices.status in ('draft', 'void') and coalesce(cash.charges, 0) > 0
            then 'drafted or void, but money came in'
        when invoices.status in ('open', 'uncollectible') and coalesce(cash.charged_amount, 0) >= invoices.total_amount
            then 'unpaid by the vendor''s word, but the money came in'
        when cash.disputed_amount < 0 then 'paid, then disputed'
        when cash.refunded_amount < 0 then 'paid, then refunded'
        when invoices.status = 'paid' and cash.payout_ids is null then 'paid; the money has not been paid out yet'
        when invoices.status = 'paid' then 'paid, and paid out'
        else 'nothing paid'
    end as verdict
from {{ ref('stg_invoices') }} as invoices
left join cash
    on invoices.source = cash.source and invoices.account_id = cash.account_id
    and invoices.invoice_id = cash.invoice_id and invoices.currency = cash.currency
left join judged
    on invoices.source = judged.source and invoices.account_id = judged.account_id
    and invoices.invoice_id = judged.invoice_id
