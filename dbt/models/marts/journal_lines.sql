-- A row is a booking line, in debit or in credit; the lines of a booking balance. Accounts are those of the seed.
with bookings as (
    select
        source, account_id, currency, balance_transaction_id as booking_id,
        cast(coalesce(created, created_utc) at time zone coalesce(period_zone, 'UTC') as date) as booking_date,
        reporting_category as category, gross, fee, net, description
    from {{ ref('stg_stripe_activity') }} as activity
    union all
    select
        source, account_id, currency, balance_transaction_id as booking_id,
        cast(coalesce(effective_at, effective_at_utc) at time zone coalesce(period_zone, 'UTC') as date) as booking_date,
        reporting_category as category, gross, fee, net, payout_description as description
    from {{ ref('stg_stripe_payouts') }} as payouts
    union all
    -- Vipps MobilePay: entries have no id of their own, but a place on a day that never changes.
    select
        source, account_id, currency, concat_ws('.', 'funds', cast(ledger_date as text), cast(row_number as text)) as booking_id,
        ledger_date as booking_date, category, amount as gross, 0 as fee, amount as net,
        concat_ws(' ', entry_type, psp_reference, nullif(reference, '')) as description
    from {{ ref('int_vipps_funds') }} as funds
    union all
    select
        source, account_id, currency, concat_ws('.', 'fees', cast(ledger_date as text), cast(row_number as text)) as booking_id,
        ledger_date as booking_date, category, amount as gross, 0 as fee, amount as net,
        concat_ws(' ', entry_type, psp_reference, nullif(reference, '')) as description
    from {{ ref('int_vipps_fees') }} as fees
),

signed as (
    select source, account_id, currency, booking_id, booking_date, description, 'balance' as category, net as amount, 1 as line
    from bookings
    union all
    select source, account_id, currency, booking_id, booking_date, description, 'processing_fee' as category, fee as amount, 2 as line
    from bookings
    union all
    select source, account_id, currency, booking_id, booking_date, description, category, -gross as amount, 3 as line
    from bookings
    union all
    select source, account_id, currency, booking_id, booking_date, description, category, amount, line
    from {{ ref('int_klarna_lines') }} as klarna_lines
    union all
    select
        source, account_id, currency, invoice_id as booking_id, invoice_date as booking_date,
        invoice_number as description, 'freight' as category, coalesce(net_amount, total_amount) as amount, 1 as line
    from {{ ref('stg_invoices') }} as freight_invoices
    where source = 'bring' and status not in ('draft', 'void', 'deleted')
    union all
    select
        source, account_id, currency, invoice_id as booking_id, invoice_date as booking_date,
        invoice_number as description, 'input_vat' as category,
        total_amount - coalesce(net_amount, total_amount) as amount, 2 as line
    from {{ ref('stg_invoices') }} as freight_invoices
    where source = 'bring' and status not in ('draft', 'void', 'deleted')
    union all
    select
        source, account_id, currency, invoice_id as booking_id, invoice_date as booking_date,
        invoice_number as description, 'payable' as category, -total_amount as amount, 3 as line
    from {{ ref('stg_invoices') }} as freight_invoices
    where source = 'bring' and status not in ('draft', 'void', 'deleted')
)

select
    signed.source, signed.account_id, signed.booking_id, signed.line, signed.booking_date, signed.currency,
    signed.category,
    coalesce(accounts.account, otherwise.account) as account,
    coalesce(accounts.account_name, otherwise.account_name) as account_name,
    case when signed.amount > 0 then signed.amount else 0 end as debit,
    case when signed.amount < 0 then -signed.amount else 0 end as credit,
    signed.description
from signed
left join {{ ref('booking_accounts') }} as accounts on signed.category = accounts.category
left join {{ ref('booking_accounts') }} as otherwise on otherwise.category = 'anything else'
where signed.amount <> 0
