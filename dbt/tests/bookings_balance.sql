-- Each booking's debit is its credit, in each currency.
select source, account_id, booking_id, currency, sum(debit) as debit, sum(credit) as credit
from {{ ref('journal_lines') }}
group by source, account_id, booking_id, currency
having sum(debit) <> sum(credit)
