-- A row is a shipment (waybill) of an invoice: what its freight cost, by kind of charge.
-- What Bring's layouts have in common is read under its common name; the rest under the names of each. The columns of
-- international cargo are published nowhere: consignment_note and charge_text are read where a file has them.
with lines as (
    select
        source, account_id, invoice_id as invoice_key, coalesce(invoice_number, trx_number) as invoice_number,
        coalesce(shipment_id, consignment_note) as shipment_id, currency, line_date as invoice_date, handed_in_date,
        product_name, tax_amount, net_amount,
        coalesce(weight_kg, freight_calc_weight) as weight_kg,
        coalesce(sent_to_postal_code, delivery_postal_code) as postal_code,
        item_number,
        -- Parcels say the kind of charge at the start of a text that goes on with the receiver.
        lower(coalesce(item_description, charge_text, description, '')) as charge
    from {{ ref('stg_bring_lines') }} as bring_lines
),

kinds as (
    select
        lines.*,
        case
            when net_amount < 0 then 'rebate'
            when charge like 'drivstoff%' or charge like 'fuel%' then 'fuel'
            when item_number = '3123' or charge like 'bompeng%' or charge like 'toll%' or charge like 'road toll%'
                then 'toll'
            when item_number = '105633' or charge like 'frakt%' or charge like 'freight%' then 'base'
            else 'other'
        end as kind
    from lines
    where shipment_id is not null
)

select
    source, account_id, invoice_key, shipment_id, currency,
    max(invoice_number) as invoice_number,
    max(invoice_date) as invoice_date,
    min(handed_in_date) as handed_in_date,
    max(product_name) as product_name,
    max(postal_code) as postal_code,
    max(weight_kg) as weight_kg,
    count(*) as lines,
    coalesce(sum(net_amount) filter (where kind = 'base'), 0) as base_amount,
    coalesce(sum(net_amount) filter (where kind = 'fuel'), 0) as fuel_amount,
    coalesce(sum(net_amount) filter (where kind = 'toll'), 0) as toll_amount,
    coalesce(sum(net_amount) filter (where kind = 'other'), 0) as other_amount,
    coalesce(sum(net_amount) filter (where kind = 'rebate'), 0) as rebate_amount,
    sum(net_amount) as net_amount,
    sum(tax_amount) as tax_amount
from kinds
group by source, account_id, invoice_key, shipment_id, currency
