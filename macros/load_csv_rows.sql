{#- A file of the home stands in place of the project's of the same name. -#}
{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {%- set own = (env_var('WAREHOUSE_HOME', 'data') ~ '/seeds/' ~ model.name ~ '.csv').replace("'", "''") -%}
    {%- set is_own = run_query("select count(*) from glob('" ~ own ~ "')").rows[0][0] > 0 -%}
    {%- set file = own if is_own else adapter.get_seed_file_path(model).replace("'", "''") -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
        {%- do columns.append("'" ~ name ~ "': '" ~ type ~ "'") -%}
    {%- endfor -%}
    {%- set sql -%}
        insert into {{ this.render() }} by name
        select {{ agate_table.column_names | join(', ') }}
        from read_csv('{{ file }}', header = true, delim = ',', quote = '"', escape = '"', hive_partitioning = false, types = { {{ columns | join(', ') }} })
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}

{#- dbt-spark's own seed loading writes NULL strings as 'None', breaks on quotes and loses backslashes. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(get_batch_size()) -%}
        {%- set lines = [] -%}
        {%- for row in rows -%}
            {%- set values = [] -%}
            {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                {%- set text = (row[name] | string).replace('\\', '\\\\').replace("'", "\\'") -%}
                {%- do values.append("cast(" ~ ("null" if row[name] is none else "'" ~ text ~ "'") ~ " as " ~ type ~ ")") -%}
            {%- endfor -%}
            {%- do lines.append('(' ~ values | join(', ') ~ ')') -%}
        {%- endfor -%}
        {%- set sql = 'insert into ' ~ this.render() ~ ' values\n' ~ lines | join(',\n') -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements[0]) }}
{%- endmacro %}
