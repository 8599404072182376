-- A row is an order of your own with its freight; then shipments without an order, and invoices without specification.
with freight as (
    select source, account_id, shipment_id, currency, sum(net_amount) as net_amount, max(invoice_date) as invoice_date
    from {{ ref('freight_by_shipment') }} as freight_by_shipment
    group by source, account_id, shipment_id, currency
),

configured as (
    select count(*) as orders
    from {{ ref('stg_orders') }} as orders
)

select
    orders.order_id, orders.tracking_number, freight.source, freight.account_id, freight.currency,
    freight.net_amount as freight_amount, freight.invoice_date,
    case
        when freight.shipment_id is not null then 'order'
        when coalesce(orders.tracking_number, '') = '' then 'order without tracking number'
        else 'order without freight'
    end as kind
from {{ ref('stg_orders') }} as orders
left join freight on orders.tracking_number = freight.shipment_id
union all
select
    null as order_id, freight.shipment_id as tracking_number, freight.source, freight.account_id, freight.currency,
    freight.net_amount as freight_amount, freight.invoice_date, 'shipment without an order' as kind
from freight
cross join configured
where
    configured.orders > 0
    and not exists (
        select 1
        from {{ ref('stg_orders') }} as orders
        where orders.tracking_number = freight.shipment_id
    )
union all
select
    null as order_id, null as tracking_number, invoices.source, invoices.account_id, invoices.currency,
    coalesce(invoices.net_amount, invoices.total_amount) as freight_amount, invoices.invoice_date,
    'invoice without specification' as kind
from {{ ref('stg_invoices') }} as invoices
cross join configured
where
    configured.orders > 0
    and invoices.source = 'bring'
    and not exists (
        select 1
        from {{ ref('stg_bring_lines') }} as bring_lines
        where bring_lines.account_id = invoices.account_id and bring_lines.invoice_id = invoices.invoice_id
            -- An invoice without specification may have one row that only repeats what the invoice says.
            and coalesce(bring_lines.row_of, 'file') <> 'invoice'
    )
