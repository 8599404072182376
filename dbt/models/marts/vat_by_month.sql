-- A row is a month, a kind of document and a tax rate: net, tax and total of what was invoiced.
select
    source, account_id, currency,
    cast(date_trunc('month', invoice_date) as date) as month,
    type as document_type,
    case
        when net_amount <> 0 and tax_amount is not null
            then cast(round(100 * tax_amount / net_amount, 1) as decimal(12, 1))
    end as rate_percent,
    count(*) as documents,
    sum(net_amount) as net_amount,
    sum(tax_amount) as tax_amount,
    sum(total_amount) as total_amount,
    -- Documents whose vendor does not say the tax: their total is in, their net and tax are not.
    count(*) filter (where tax_amount is null) as documents_without_tax
from {{ ref('stg_invoices') }} as invoices
where status not in ('draft', 'void', 'deleted')
group by
    source, account_id, currency, date_trunc('month', invoice_date), type,
    case
        when net_amount <> 0 and tax_amount is not null
            then cast(round(100 * tax_amount / net_amount, 1) as decimal(12, 1))
    end
