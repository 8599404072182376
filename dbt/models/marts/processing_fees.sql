-- A row is a month, a kind of transaction, a card brand and its country: what processing cost.
select
    source, account_id, currency,
    cast(date_trunc('month', period_start) as date) as month,
    coalesce(reporting_category, '') as category,
    coalesce(card_brand, '') as card_brand,
    coalesce(card_country, '') as card_country,
    count(*) as transactions,
    sum(gross) as gross_amount,
    sum(fee) as fee_amount,
    -- Null where the report does not tell tax and fee apart.
    sum(withheld_tax) as withheld_tax_amount,
    sum(fee_net_of_withheld_tax) as fee_without_tax_amount,
    -- Fees that are transactions of their own are negative amounts, not a fee of another one.
    sum(fee) - coalesce(sum(gross) filter (where reporting_category in ('fee', 'network_cost', 'tax')), 0) as cost_amount,
    case
        when sum(gross) > 0 then cast(round(100 * sum(fee) / sum(gross), 3) as decimal(12, 3))
    end as fee_percent
from {{ ref('stg_stripe_activity') }} as activity
where fee <> 0 or reporting_category in ('charge', 'fee', 'network_cost', 'tax')
group by
    source, account_id, currency, date_trunc('month', period_start), coalesce(reporting_category, ''),
    coalesce(card_brand, ''), coalesce(card_country, '')
