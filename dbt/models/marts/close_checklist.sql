-- A row is an account and a month: may it be closed, what speaks against it, and what nobody could check.
-- What was not checked is neither a yes nor a no: `may_close` is null then, and `not_checked` says what would help.
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
    union
    select source, account_id, cast(date_trunc('month', coalesce(effective_date, returned_date)) as date) as month
    from {{ ref('payout_reconciliation') }} as payout_reconciliation
    where coalesce(effective_date, returned_date) is not null
    union
    select source, account_id, cast(date_trunc('month', ledger_date) as date) as month
    from {{ ref('int_vipps_funds') }} as funds
    where ledger_date is not null
),

-- One row a report and period: it may have been ordered more than once.
reports as (
    select
        source, account_id, month, report_name, report_type, period,
        max(case when run_status = 'succeeded' then 1 else 0 end) as is_there,
        max(case when outcome in ('passed', 'failed') then 1 else 0 end) as is_checked,
        max(finished_at) as last_read
    from {{ ref('check_results') }} as check_results
    where report_name is not null and month is not null
    group by source, account_id, month, report_name, report_type, period
),

runs as (
    select
        source, account_id, month,
        count(*) filter (where is_there = 0) as runs_unfinished,
        count(*) filter (where is_there = 1 and is_checked = 0) as reports_not_checked,
        count(*) filter (where is_there = 1 and report_type like 'balance.summary.%') as balance_reports,
        max(last_read) as last_read
    from reports
    group by source, account_id, month
),

checks as (
    select
        source, account_id, month,
        count(*) filter (where outcome = 'failed') as checks_failed,
        count(*) filter (where outcome = 'not made' and check_name is not null) as checks_not_made
    from {{ ref('check_results') }} as check_results
    where month is not null
    group by source, account_id, month
),

-- Checks over all periods: one that fails speaks against every month.
account_checks as (
    select
        source, account_id,
        count(*) filter (where outcome = 'failed' and month is null) as checks_failed,
        count(*) filter (where outcome in ('passed', 'failed')) as checks_made
    from {{ ref('check_results') }} as check_results
    group by source, account_id
),

-- Before the first day that the tap asks for, nobody knows whether there were invoices; nor before the first invoice,
-- where that day is not loaded.
begun as (
    select source, account_id, min(day) as first_day
    from (
        select source, account_id, invoices_from as day
        from {{ ref('stg_accounts') }} as accounts
        union all
        select source, account_id, invoice_date as day
        from {{ ref('stg_invoices') }} as invoices
    ) as listed
    group by source, account_id
),

-- Of a period in which nothing happened there is no row: its run says that it was read. A run's window begins and ends
-- at midnight of its zone: thirteen hours on, it is that day in UTC too.
periods as (
    select
        source, account_id, 'activity' as holds,
        cast(date_trunc('month', period_start) as date) as first_day, period_end as last_day
    from {{ ref('stg_stripe_activity') }} as activity
    union
    select
        source, account_id, 'payouts' as holds,
        cast(date_trunc('month', period_start) as date) as first_day, period_end as last_day
    from {{ ref('stg_stripe_payouts') }} as payouts
    union
    select
        source, account_id,
        case when report_type like 'payouts.itemized.%' then 'payouts' else 'activity' end as holds,
        case when period like '____-__-__T%' then cast(cast(period as timestamp) + interval '13 hours' as date) end as first_day,
        cast((window_end at time zone 'UTC') + interval '13 hours' as date) - 1 as last_day
    from {{ ref('stg_report_runs') }} as runs
    where
        status = 'succeeded' and coalesce(origin, 'ordered') <> 'foreign'
        and (
            report_type like 'payouts.itemized.%' or report_type like 'balance_change_from_activity.itemized.%'
            or (source = 'vipps' and report_type = 'funds')
        )
),

loaded as (
    select
        source, account_id,
        min(first_day) filter (where holds = 'activity') as activity_from,
        max(last_day) filter (where holds = 'activity') as activity_until,
        min(first_day) filter (where holds = 'payouts') as payouts_from,
        max(last_day) filter (where holds = 'payouts') as payouts_until
    from periods
    group by source, account_id
),

-- Klarna's payouts are listed by months, and again until the month is over.
months_read as (
    select source, account_id, month, cast(max(finished_at) at time zone 'UTC' as date) as last_day
    from {{ ref('check_results') }} as check_results
    where source = 'klarna' and report_type = 'payouts' and run_status = 'succeeded'
    group by source, account_id, month
),

balances as (
    select
        source, account_id, month,
        count(*) as balances,
        count(*) filter (where not ties or not itemized_agrees) as balances_off,
        count(*) filter (where not follows_previous) as balances_unchained,
        count(*) filter (where ties is null or itemized_agrees is null) as balances_not_checked,
        count(*) filter (where unsettled_net <> 0) as currencies_unsettled
    from {{ ref('balance_rollforward') }} as balance_rollforward
    group by source, account_id, month
),

payouts as (
    select
        source, account_id, cast(date_trunc('month', coalesce(effective_date, returned_date)) as date) as month,
        count(*) filter (where not ties) as payouts_off,
        count(*) filter (where ties is null) as payouts_not_checked,
        count(*) filter (where is_returned) as payouts_returned
    from {{ ref('payout_reconciliation') }} as payout_reconciliation
    group by source, account_id, date_trunc('month', coalesce(effective_date, returned_date))
),

-- Only where money comes through the vendor. What was paid in a later month is no matter of this one.
settlements as (
    select
        source, account_id, cast(date_trunc('month', invoice_date) as date) as month,
        count(*) filter (where not cash_agrees) as invoices_off,
        count(*) filter (
            where cash_agrees is null and total_amount > 0 and status <> 'deleted' and source = 'stripe'
                and (paid_date is null or paid_date < cast(date_trunc('month', invoice_date) + interval '1 month' as date))
        ) as invoices_not_checked
    from {{ ref('invoice_settlement') }} as invoice_settlement
    group by source, account_id, date_trunc('month', invoice_date)
),

-- No row where no orders of one's own are named.
freight as (
    select
        source, account_id, cast(date_trunc('month', invoice_date) as date) as month,
        count(*) filter (where kind = 'shipment without an order') as shipments_without_order,
        count(*) filter (where kind = 'invoice without specification') as invoices_without_specification
    from {{ ref('freight_per_order') }} as freight_per_order
    group by source, account_id, date_trunc('month', invoice_date)
),

counted as (
    select
        months.source, months.account_id, months.month,
        months.month < cast(date_trunc('month', current_date) as date) as is_over,
        -- Of vendors of invoices a sync lists all.
        case
            when months.source = 'klarna'
                then months_read.last_day >= cast(months.month + interval '1 month' as date)
            when months.source not in ('stripe', 'vipps') then true
            when loaded.activity_until is not null
                then loaded.activity_from <= months.month
                    and loaded.activity_until + 1 >= cast(months.month + interval '1 month' as date)
        end as is_loaded,
        coalesce(checks.checks_failed, 0) + coalesce(account_checks.checks_failed, 0) as checks_failed,
        coalesce(checks.checks_not_made, 0) as checks_not_made,
        coalesce(balances.balances_off, 0) as balances_off,
        coalesce(balances.balances_unchained, 0) as balances_unchained,
        coalesce(payouts.payouts_off, 0) as payouts_off,
        coalesce(payouts.payouts_returned, 0) as payouts_returned,
        coalesce(settlements.invoices_off, 0) as invoices_off,
        coalesce(runs.runs_unfinished, 0) as runs_unfinished,
        coalesce(freight.shipments_without_order, 0) as shipments_without_order,
        coalesce(balances.currencies_unsettled, 0) as currencies_unsettled,
        coalesce(account_checks.checks_made, 0) > 0 as has_checks,
        coalesce(runs.reports_not_checked, 0) as reports_not_checked,
        months.source <> 'stripe' or coalesce(balances.balances, runs.balance_reports, 0) > 0 as has_balance,
        coalesce(balances.balances_not_checked, 0) as balances_not_checked,
        months.source <> 'stripe' or coalesce(
            loaded.payouts_from <= months.month
            and loaded.payouts_until + 1 >= cast(months.month + interval '1 month' as date), false
        ) as has_payouts,
        coalesce(payouts.payouts_not_checked, 0) as payouts_not_checked,
        coalesce(settlements.invoices_not_checked, 0) as invoices_not_checked,
        coalesce(freight.invoices_without_specification, 0) as invoices_without_specification,
        case when begun.first_day > months.month then begun.first_day end as invoices_from,
        runs.last_read
    from months
    left join begun on months.source = begun.source and months.account_id = begun.account_id
    left join loaded on months.source = loaded.source and months.account_id = loaded.account_id
    left join months_read
        on months.source = months_read.source and months.account_id = months_read.account_id
        and months.month = months_read.month
    left join balances
        on months.source = balances.source and months.account_id = balances.account_id and months.month = balances.month
    left join payouts
        on months.source = payouts.source and months.account_id = payouts.account_id and months.month = payouts.month
    left join settlements
        on months.source = settlements.source and months.account_id = settlements.account_id
        and months.month = settlements.month
    left join freight
        on months.source = freight.source and months.account_id = freight.account_id and months.month = freight.month
    left join runs
        on months.source = runs.source and months.account_id = runs.account_id and months.month = runs.month
    left join account_checks
        on months.source = account_checks.source and months.account_id = account_checks.account_id
    left join checks
        on months.source = checks.source and months.account_id = checks.account_id and months.month = checks.month
),

said as (
    select
        counted.*,
        nullif(concat_ws(
            '; ',
            case when not is_over then 'the month is not over' end,
            case when not is_loaded then 'not all of its days are loaded' end,
            case when runs_unfinished > 0 then 'reports that are not there yet: ' || cast(runs_unfinished as text) end,
            case when checks_failed > 0 then 'checks that failed: ' || cast(checks_failed as text) end,
            case when balances_off > 0 then 'balances that do not add up: ' || cast(balances_off as text) end,
            case when balances_unchained > 0
                then 'balances that do not follow the month before: ' || cast(balances_unchained as text) end,
            case when payouts_off > 0 then 'payouts that do not tie: ' || cast(payouts_off as text) end,
            case when invoices_off > 0 then 'invoices whose status and cash differ: ' || cast(invoices_off as text) end,
            case when shipments_without_order > 0
                then 'shipments without an order: ' || cast(shipments_without_order as text) end
        ), '') as why_not,
        nullif(concat_ws(
            '; ',
            case when is_loaded is null
                then 'what happened on its days (load the '
                    || case when source = 'stripe' then 'report balance_change_from_activity.itemized)'
                        else 'stream report_runs)' end end,
            case when invoices_from is not null
                then 'invoices before ' || cast(invoices_from as text) || ' (begin with an earlier start_date)' end,
            case when not has_checks then 'the files (load the stream reconciliations)' end,
            case when has_checks and reports_not_checked > 0
                then 'reports without any check: ' || cast(reports_not_checked as text) || ' (see check_results)' end,
            case when not has_balance then 'the balance (load the report balance.summary by month)' end,
            case when balances_not_checked > 0
                then 'balances against their transactions: ' || cast(balances_not_checked as text)
                    || ' (load balance_change_from_activity.itemized and payouts.itemized by the same window)' end,
            case when not has_payouts
                then 'the payouts of all its days (load the report payouts.itemized, and the stream report_runs, which tells '
                    || 'that there were none)' end,
            case when payouts_not_checked > 0
                then 'payouts against their transactions: ' || cast(payouts_not_checked as text)
                    || case when source = 'stripe'
                        then ' (load the report payout_reconciliation.itemized; compare a payout by hand with the bank)'
                        else ' (begin with an earlier start_date; see payout_reconciliation)' end end,
            case when invoices_not_checked > 0
                then 'invoices against their cash: ' || cast(invoices_not_checked as text)
                    || ' (load balance_change_from_activity.itemized with its column invoice_id)' end,
            case when invoices_without_specification > 0
                then 'shipments of invoices without specification: ' || cast(invoices_without_specification as text)
                    || ' (look at the invoice, or ask the vendor for the specification)' end
        ), '') as not_checked
    from counted
)

select
    source, account_id, month,
    case when why_not is not null then 'no' when not_checked is not null then 'not checked' else 'yes' end as verdict,
    case when why_not is not null then false when not_checked is null then true end as may_close,
    why_not, not_checked,
    is_over, is_loaded, runs_unfinished, checks_failed, checks_not_made, reports_not_checked,
    balances_off, balances_unchained, balances_not_checked,
    payouts_off, payouts_not_checked, payouts_returned,
    invoices_off, invoices_not_checked,
    shipments_without_order, invoices_without_specification,
    currencies_unsettled, last_read
from said
