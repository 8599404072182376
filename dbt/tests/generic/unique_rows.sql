{#- No two rows have the same values in these columns. -#}
{% test unique_rows(model, columns) %}
select {{ columns | join(", ") }}
from {{ model }}
group by {{ columns | join(", ") }}
having count(*) > 1
{% endtest %}
