{#- One table of the tap's: its columns with their types, without rows that the vendor has deleted. What no table or
    no column holds is null or no row, so that a vendor who is not there costs nothing.
    `tap_billing_reports/views` reads these calls and does the same without dbt; a test holds both equal. -#}
{% macro staged(table, columns, report=none) %}
  {%- set relation = billing_reports.table_of(table, report) if execute else none -%}
  {%- if relation is none -%}
    select
      {%- for name, kind in columns.items() %}
      cast(null as {{ billing_reports.type_of(kind) }}) as {{ adapter.quote(name) }}{{ "," if not loop.last }}
      {%- endfor %}
    where 1 = 0
  {%- else -%}
    {%- set held = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
      {%- do held.update({column.name: column.dtype | lower}) -%}
    {%- endfor -%}
    select
      {%- for name, kind in columns.items() %}
      {{ billing_reports.cell(name, kind, held.get(name)) }} as {{ adapter.quote(name) }}{{ "," if not loop.last }}
      {%- endfor %}
    from {{ relation }}
    {%- if "_sdc_deleted_at" in held %}
    where {{ adapter.quote("_sdc_deleted_at") }} is null
    {%- endif %}
  {%- endif -%}
{% endmacro %}

{#- A cell in its type. Amounts may be text in the table; an instant without a zone is UTC. -#}
{% macro cell(name, kind, held) %}
  {%- set type = billing_reports.type_of(kind) -%}
  {%- set column = adapter.quote(name) -%}
  {%- if held is none -%} cast(null as {{ type }})
  {%- elif kind == "currency" -%} upper(cast({{ column }} as {{ type }}))
  {%- elif kind == "instant" and held.startswith("timestamp") and "time zone" not in held.replace("without time zone", "") and held != "timestamptz" -%}
    {{ column }} at time zone 'UTC'
  {%- elif kind == "text" or held in ("text", "varchar") or held.startswith("character varying") -%}
    {%- if kind == "text" -%} cast({{ column }} as {{ type }})
    {%- else -%} cast(nullif({{ column }}, '') as {{ type }}) {%- endif -%}
  {%- else -%} cast({{ column }} as {{ type }})
  {%- endif -%}
{% endmacro %}

{% macro type_of(kind) %}
  {%- set amount = "decimal(38, 12)" if target.type == "duckdb" else "numeric" -%}
  {{- {"text": "text", "currency": "text", "amount": amount, "date": "date", "instant": "timestamp with time zone",
       "whole": "bigint", "truth": "boolean"}[kind] -}}
{% endmacro %}

{#- The table of a stream, or none. Of a family of reports: the one that `billing_tables` names, else the newest
    version under the tap's own name for it, else the first of those that the runs in `report_runs` name. -#}
{% macro table_of(table, report) %}
  {%- set named = var("billing_tables").get(table) -%}
  {%- if named -%} {{- return(billing_reports.relation_of(named)) -}} {%- endif -%}
  {%- if report is none -%} {{- return(billing_reports.relation_of(table)) -}} {%- endif -%}
  {%- set source = table.split("_")[0] -%}
  {%- for version in range(9, 0, -1) -%}
    {%- set found = billing_reports.relation_of(source ~ "_" ~ report.replace(".", "_") ~ "_" ~ version) -%}
    {%- if found is not none -%} {{- return(found) -}} {%- endif -%}
  {%- endfor -%}
  {%- set runs = billing_reports.relation_of("report_runs") -%}
  {%- if runs is not none -%}
    {%- set rows = run_query(
      "select distinct report_name from " ~ runs ~ " where source = '" ~ source ~ "' and report_type like '" ~ report
      ~ ".%' order by report_name") -%}
    {%- for row in rows -%}
      {%- set found = billing_reports.relation_of(source ~ "_" ~ row[0]) -%}
      {%- if found is not none -%} {{- return(found) -}} {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- return(none) -}}
{% endmacro %}

{% macro relation_of(name) %}
  {{- return(adapter.get_relation(
    database=var("billing_database", target.database), schema=var("billing_schema"), identifier=name)) -}}
{% endmacro %}

{#- The user's own orders: order and tracking number as text; no row where no relation is named. -#}
{% macro own_orders() %}
  {%- if var("orders_relation") -%}
    select
      cast({{ var("order_column") }} as text) as order_id,
      cast({{ var("tracking_column") }} as text) as tracking_number
    from {{ var("orders_relation") }}
  {%- else -%}
    select cast(null as text) as order_id, cast(null as text) as tracking_number
    where 1 = 0
  {%- endif -%}
{% endmacro %}
