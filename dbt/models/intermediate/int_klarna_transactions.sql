-- A row is a transaction of a Klarna payout, with the sign that its type says and by the categories that all vendors share.
-- Of a type that is not known nobody knows the sign: `net` is null.
with signed as (
    select
        source, account_id, currency_code as currency, payment_reference, type, capture_date,
        case
            when type in ('SALE', 'REVERSAL_MERCHANT_PROTECTION', 'CORRECTION', 'COMMISSION', 'CREDIT', 'RELEASE', 'FEE_REFUND')
                then amount
            when type in ('RETURN', 'REVERSAL', 'FEE', 'CHARGE', 'HOLDBACK') then -amount
        end as amount,
        -- VAT on fees is no transaction of its own.
        case type when 'FEE' then -coalesce(vat_amount, 0) when 'FEE_REFUND' then coalesce(vat_amount, 0) else 0 end as vat
    from {{ ref('stg_klarna_transactions') }} as transactions
)

select
    source, account_id, currency, payment_reference, type, capture_date,
    case
        when type = 'SALE' then 'charge'
        when type = 'RETURN' then 'refund'
        when type = 'REVERSAL' then 'dispute'
        when type = 'REVERSAL_MERCHANT_PROTECTION' then 'dispute_reversal'
        when type in ('FEE', 'FEE_REFUND') then 'processing_fee'
        when type in ('CHARGE', 'CORRECTION') then 'fee'
        else lower(type)
    end as category,
    case when type in ('FEE', 'FEE_REFUND') then 0 else amount end as gross,
    case when type in ('FEE', 'FEE_REFUND') then -(amount + vat) else 0 end as fee,
    case when type in ('FEE', 'FEE_REFUND') then -vat end as fee_tax,
    amount + vat as net
from signed
