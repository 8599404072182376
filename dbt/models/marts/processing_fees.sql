-- A row is a month, a kind of transaction, a card brand and its country: what processing cost.
select
    source, account_id, currency,
    cast(date_trunc('month', day) as date) as month,
    category, card_brand, card_country,
    cast(sum(transactions) as bigint) as transactions,
    sum(gross) as gross_amount,
    sum(fee) as fee_amount,
    sum(tax) as withheld_tax_amount,
    sum(fee_without_tax) as fee_without_tax_amount,
    -- Fees that are transactions of their own are negative amounts, not a fee of another one.
    sum(fee) - coalesce(sum(gross) filter (where category in ('fee', 'network_cost', 'tax')), 0) as cost_amount,
    case
        when sum(gross) > 0 then cast(round(100 * sum(fee) / sum(gross), 3) as decimal(12, 3))
    end as fee_percent
from {{ ref('int_charged') }} as charged
group by source, account_id, currency, date_trunc('month', day), category, card_brand, card_country
