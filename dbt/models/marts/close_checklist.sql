-- A row is an account and a month: what speaks against closing it.
with months as (
    select source, account_id, month
    from {{ ref('balance_rollforward') }} as balance_rollforward
    union
    select source, account_id, cast(date_trunc('month', invoice_date) as date) as month
    from {{ ref('stg_invoices') }} as invoices
    where invoice_date is not null
    union
    select source, account_id, cast(date_trunc('month', period_start) as date) as month
    from {{ ref('stg_stripe_activity') }} as activity
    where period_start is not null
),

loaded as (
    select source, account_id, max(period_end) as last_day
    from {{ ref('stg_stripe_activity') }} as activity
    group by source, account_id
),

balances as (
    select
        source, account_id, month,
        count(*) filter (where not ties or not itemized_agrees) as balances_off,
        count(*) filter (where not follows_previous) as balances_unchained,
        count(*) filter (where unsettled_net <> 0) as currencies_unsettled
    from {{ ref('balance_rollforward') }} as balance_rollforward
    group by source, account_id, month
),

payouts as (
    select
        source, account_id, cast(date_trunc('month', effective_date) as date) as month,
        count(*) filter (where not ties) as payouts_off,
        count(*) filter (where is_returned) as payouts_returned
    from {{ ref('payout_reconciliation') }} as payout_reconciliation
    group by source, account_id, date_trunc('month', effective_date)
),

settlements as (
    select
        source, account_id, cast(date_trunc('month', invoice_date) as date) as month,
        count(*) filter (where not cash_agrees) as invoices_off
    from {{ ref('invoice_settlement') }} as invoice_settlement
    group by source, account_id, date_trunc('month', invoice_date)
),

-- A period of a report starts at midnight of its zone: half a day on, it is that day in UTC too. Other periods are
-- invoices.
run_months as (
    select
        runs.source, runs.account_id, runs.run_id, runs.status, runs.finished_at,
        case
            when runs.period like '____-__-__T%'
                then cast(date_trunc('month', cast(runs.period as timestamp) + interval '12 hours') as date)
            else cast(date_trunc('month', invoices.invoice_date) as date)
        end as month
    from {{ ref('stg_report_runs') }} as runs
    left join {{ ref('stg_invoices') }} as invoices
        on runs.source = invoices.source and runs.account_id = invoices.account_id
        and runs.period = invoices.invoice_number
),

runs as (
    select
        source, account_id, month,
        count(*) filter (where status not in ('succeeded')) as runs_unfinished,
        max(finished_at) as last_read
    from run_months
    group by source, account_id, month
),

checks as (
    select
        run_months.source, run_months.account_id, run_months.month,
        count(*) filter (where reconciliations.ok = false) as checks_failed,
        count(*) filter (where reconciliations.ok is null) as checks_not_made
    from {{ ref('stg_reconciliations') }} as reconciliations
    inner join run_months
        on reconciliations.source = run_months.source and reconciliations.account_id = run_months.account_id
        and reconciliations.run_id = run_months.run_id
    group by run_months.source, run_months.account_id, run_months.month
),

-- Checks over all periods of a report belong to no run: one that fails speaks against every month.
account_checks as (
    select source, account_id, count(*) filter (where ok = false) as checks_failed
    from {{ ref('stg_reconciliations') }} as reconciliations
    where run_id is null
    group by source, account_id
),

counted as (
    select
        months.source, months.account_id, months.month,
        months.month < cast(date_trunc('month', current_date) as date) as is_over,
        loaded.last_day is null or loaded.last_day + 1 >= cast(months.month + interval '1 month' as date) as is_loaded,
        coalesce(checks.checks_failed, 0) + coalesce(account_checks.checks_failed, 0) as checks_failed,
        coalesce(checks.checks_not_made, 0) as checks_not_made,
        coalesce(balances.balances_off, 0) as balances_off,
        coalesce(balances.balances_unchained, 0) as balances_unchained,
        coalesce(payouts.payouts_off, 0) as payouts_off,
        coalesce(payouts.payouts_returned, 0) as payouts_returned,
        coalesce(settlements.invoices_off, 0) as invoices_off,
        coalesce(runs.runs_unfinished, 0) as runs_unfinished,
        coalesce(balances.currencies_unsettled, 0) as currencies_unsettled,
        runs.last_read
    from months
    left join loaded on months.source = loaded.source and months.account_id = loaded.account_id
    left join balances
        on months.source = balances.source and months.account_id = balances.account_id and months.month = balances.month
    left join payouts
        on months.source = payouts.source and months.account_id = payouts.account_id and months.month = payouts.month
    left join settlements
        on months.source = settlements.source and months.account_id = settlements.account_id
        and months.month = settlements.month
    left join runs
        on months.source = runs.source and months.account_id = runs.account_id and months.month = runs.month
    left join account_checks
        on months.source = account_checks.source and months.account_id = account_checks.account_id
    left join checks
        on months.source = checks.source and months.account_id = checks.account_id and months.month = checks.month
)

select
    counted.*,
    is_over and is_loaded and checks_failed = 0 and balances_off = 0 and payouts_off = 0 and invoices_off = 0
        and runs_unfinished = 0 as may_close,
    nullif(concat_ws(
        '; ',
        case when not is_over then 'the month is not over' end,
        case when not is_loaded then 'not all of its days are loaded' end,
        case when checks_failed > 0 then cast(checks_failed as text) || ' failed checks (reconciliations)' end,
        case when balances_off > 0 then cast(balances_off as text) || ' balances do not add up (balance_rollforward)' end,
        case when payouts_off > 0 then cast(payouts_off as text) || ' payouts do not tie (payout_reconciliation)' end,
        case when invoices_off > 0
            then cast(invoices_off as text) || ' invoices and their cash differ (invoice_settlement)' end,
        case when runs_unfinished > 0 then cast(runs_unfinished as text) || ' reports are not there yet (report_runs)' end
    ), '') as why_not
from counted
