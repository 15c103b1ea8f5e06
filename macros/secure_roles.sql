{#-
    The role policy as secure views and grants, for engines that share one catalog instead of files: one schema and one
    group per role, views that hold only the policy's rows and columns, select on these and on nothing else.
    Run it with `dbt run-operation secure_roles`; it prints the statements, or runs them if told to. The key of pseudonyms
    is one row of role_secrets.pseudonym_keys, which nobody but the owner of the views may read.
-#}
{% macro secure_roles(execute_them=false) -%}
    {%- set statements = secure_role_statements() -%}
    {%- for statement in statements -%}
        {%- if execute_them -%}{%- do run_query(statement) -%}{%- else -%}{%- do print(statement ~ ';') -%}{%- endif -%}
    {%- endfor -%}
    {%- do return(statements) -%}
{%- endmacro %}

{#- The statements, in order. Policies and scopes are those of rpt_access_policy and role_scopes as they stand in the target. -#}
{% macro secure_role_statements() -%}
    {%- set roles = run_query('select distinct role_id from ' ~ ref('rpt_access_policy') ~ ' order by role_id') -%}
    {%- set decided = run_query(
        'select role_id, mart_name, row_scope, personal_data, minimum_group_size from ' ~ ref('rpt_access_policy')
        ~ ' where is_published'
    ) -%}
    {%- set policies = {} -%}
    {%- for row in decided.rows -%}
        {%- do policies.update({(row['role_id'], row['mart_name']): row}) -%}
    {%- endfor -%}
    {%- set scopes = run_query('select role_id, scope_column, scope_value from ' ~ ref('role_scopes')) -%}
    {%- set statements = [
        'create schema if not exists role_secrets',
        'create table if not exists role_secrets.pseudonym_keys (pseudonym_key ' ~ dbt.type_string() ~ ')',
    ] -%}
    {%- for role in roles.columns['role_id'].values() -%}
        {%- do statements.append('create schema if not exists ' ~ secure_schema(role)) -%}
        {%- for mart in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name')
            if mart.fqn[1] == 'marts' -%}
            {%- set view = secure_schema(role) ~ '.' ~ mart.name -%}
            {%- set selection = secure_selection(mart, policies.get((role, mart.name)), scopes) -%}
            {%- if selection -%}
                {%- do statements.append('create or replace view ' ~ view ~ ' as ' ~ selection) -%}
                {%- do statements.append('grant select on ' ~ view ~ ' to `' ~ role ~ '`') -%}
            {%- else -%}
                {%- do statements.append('drop view if exists ' ~ view) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do statements.append('grant usage on schema ' ~ secure_schema(role) ~ ' to `' ~ role ~ '`') -%}
        {%- do statements.append('revoke all privileges on schema ' ~ generate_schema_name('marts', none) ~ ' from `' ~ role ~ '`') -%}
    {%- endfor -%}
    {%- do return(statements) -%}
{%- endmacro %}

{% macro secure_schema(role) -%}
    {%- do return('role_' ~ role) -%}
{%- endmacro %}

{#- The query of what a role may see of a mart; none if that is nothing. -#}
{% macro secure_selection(mart, policy, scopes) -%}
    {%- if not policy -%}{%- do return(none) -%}{%- endif -%}
    {%- set columns = [] -%}
    {%- for column in mart.columns.values() -%}
        {%- set is_personal = column.config.get('meta', {}).get('pii') -%}
        {%- if not is_personal or policy['personal_data'] == 'keep' -%}
            {%- do columns.append(column.name) -%}
        {%- elif policy['personal_data'] == 'mask' and column.data_type == 'string' -%}
            {#- The view reads the key with its owner's rights; its text, which readers may see, does not hold it. -#}
            {%- do columns.append(
                'left(sha2((select max(pseudonym_key) from role_secrets.pseudonym_keys) || ' ~ column.name
                ~ ', 256), 16) as ' ~ column.name
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set conditions = [] -%}
    {%- if policy['row_scope'] != 'all' -%}
        {%- set scope_column = {'own_products': 'product_id', 'own_cost_centers': 'cost_center_id'}[policy['row_scope']] -%}
        {%- if scope_column not in mart.columns -%}{%- do return(none) -%}{%- endif -%}
        {%- set own = [] -%}
        {%- for row in scopes.rows if row['role_id'] == policy['role_id'] and row['scope_column'] == scope_column -%}
            {%- do own.append(dbt.string_literal(dbt.escape_single_quotes(row['scope_value']))) -%}
        {%- endfor -%}
        {%- do conditions.append(scope_column ~ ' in (' ~ own | join(', ') ~ ')' if own else 'false') -%}
    {%- endif -%}
    {%- if policy['minimum_group_size'] is not none -%}
        {%- do conditions.append(mart.config.meta['group_size'] ~ ' >= ' ~ policy['minimum_group_size']) -%}
    {%- endif -%}
    {%- if not columns -%}{%- do return(none) -%}{%- endif -%}
    {%- set where = ' where ' ~ conditions | join(' and ') if conditions else '' -%}
    {%- do return('select ' ~ columns | join(', ') ~ ' from ' ~ mart.relation_name ~ where) -%}
{%- endmacro %}
