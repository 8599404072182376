-- A row is a run of a report: when it was ordered, when the vendor had it, and how long that took.
select
    source, account_id, report_name, report_type, period, run_id, status,
    created_at as ordered_at, finished_at,
    -- A vendor's clock may stand behind; no run takes less than no time.
    case
        when finished_at >= created_at then cast(round(extract(epoch from finished_at - created_at)) as bigint)
        when finished_at < created_at then 0
    end as seconds,
    error
from {{ ref('stg_report_runs') }} as report_runs
where coalesce(origin, 'ordered') <> 'foreign' and created_at is not null
