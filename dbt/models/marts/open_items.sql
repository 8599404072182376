-- A row is an invoice that is not settled and of which something remains: how long it has been due, and whether a collector has it.
select
    source, account_id,
    -- Bring's invoices are what its customer, the user, is to pay; the others are the user's own.
    case when source = 'bring' then 'payable' else 'receivable' end as direction,
    invoice_id, invoice_number, type, status, source_status, invoice_date, due_date, currency, total_amount,
    coalesce(amount_remaining, total_amount) as open_amount,
    amount_remaining is null as open_amount_is_total,
    customer_id, recipient,
    case when due_date < current_date then current_date - due_date else 0 end as days_overdue,
    case
        when due_date is null then 'no due date'
        when due_date >= current_date then 'not due'
        when current_date - due_date <= 30 then '1 to 30 days'
        when current_date - due_date <= 60 then '31 to 60 days'
        when current_date - due_date <= 90 then '61 to 90 days'
        else 'over 90 days'
    end as age,
    status = 'collection' as is_with_collector
from {{ ref('stg_invoices') }} as invoices
where not coalesce(is_settled, false) and status not in ('draft', 'void', 'deleted')
    and (amount_remaining is null or amount_remaining <> 0)
