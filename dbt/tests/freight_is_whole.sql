-- The kinds of charges of a shipment add up to its freight.
select source, account_id, invoice_key, shipment_id, currency
from {{ ref('freight_by_shipment') }}
where base_amount + fuel_amount + toll_amount + other_amount + rebate_amount <> net_amount
