-- A row is a check and what came of it: of a report's file, of an invoice's lines, of all that is loaded of an account.
-- A run of a report that no check belongs to has a row too, so that nothing unchecked is out of sight.
-- A run that an invoice was ordered by stands under the account that was asked, its checks under the one that is billed.
with invoiced as (
    select
        runs.source, runs.account_id, runs.run_id,
        min(invoices.account_id) as billed_account_id, min(invoices.invoice_date) as invoice_date
    from {{ ref('stg_report_runs') }} as runs
    inner join {{ ref('stg_invoices') }} as invoices
        on runs.source = invoices.source and runs.period = invoices.invoice_id
        and runs.account_id in (invoices.account_id, invoices.requested_account_id)
    group by runs.source, runs.account_id, runs.run_id
),

runs as (
    select
        runs.source, coalesce(invoiced.billed_account_id, runs.account_id) as account_id, runs.run_id,
        runs.report_name, runs.report_type, runs.period, runs.status, runs.finished_at, runs.error,
        -- A period of a report starts at midnight of its zone: thirteen hours on, it is that day in UTC too, also in
        -- New Zealand's summer. Other periods are invoices, or payouts.
        case
            when runs.period like '____-__-__T%'
                then cast(date_trunc('month', cast(runs.period as timestamp) + interval '13 hours') as date)
            else cast(date_trunc('month', coalesce(invoiced.invoice_date, payouts.effective_date)) as date)
        end as month
    from {{ ref('stg_report_runs') }} as runs
    left join invoiced
        on runs.source = invoiced.source and runs.account_id = invoiced.account_id and runs.run_id = invoiced.run_id
    left join (
        select source, account_id, payout_id, min(effective_date) as effective_date
        from {{ ref('int_payouts') }} as every_payout
        group by source, account_id, payout_id
    ) as payouts
        on runs.source = payouts.source and runs.account_id = payouts.account_id and runs.period = payouts.payout_id
    -- Runs of others are no reports of ours.
    where coalesce(runs.origin, 'ordered') <> 'foreign'
)

select
    coalesce(checks.source, runs.source) as source,
    coalesce(checks.account_id, runs.account_id) as account_id,
    -- How old the data were speaks of the month in which that was looked at: the days of an earlier one are loaded or
    -- are not, however late.
    case
        when checks."check" = 'freshness' then cast(date_trunc('month', checks.checked_at at time zone 'UTC') as date)
        else runs.month
    end as month,
    coalesce(checks.subject, concat_ws(' ', coalesce(runs.report_name, runs.report_type), runs.period)) as subject,
    checks."check" as check_name,
    coalesce(checks.title, checks."check") as title,
    case when checks.ok then 'passed' when not checks.ok then 'failed' else 'not made' end as outcome,
    checks.expected, checks.actual, checks.difference, checks.currency,
    coalesce(
        checks.reason,
        case
            when checks."check" is not null then null
            when runs.status = 'succeeded' then 'no check of this report is loaded'
            else concat_ws(': ', 'the report is not there', runs.status, runs.error)
        end
    ) as reason,
    runs.report_name, runs.report_type, runs.period, runs.status as run_status, runs.finished_at
from {{ ref('stg_reconciliations') }} as checks
full outer join runs
    on checks.source = runs.source and checks.account_id = runs.account_id and checks.run_id = runs.run_id
