{#- Every extract of the contract, as [source, extract]; the compiler complains where the contract has another. -#}
{% macro delivered_extracts() -%}
    {%- set extracts = [
        ['budget', 'budget_lines'],
        ['budget', 'labour_standards'],
        ['budget', 'period_closes'],
        ['budget', 'revenue_budgets'],
        ['budget', 'variance_explanations'],
        ['cost', 'cloud_costs'],
        ['cost', 'gl_entries'],
        ['cost', 'payroll'],
        ['cost', 'po_invoices'],
        ['cost', 'purchase_orders'],
        ['cost', 'timesheets'],
        ['cost', 'usage_drivers'],
        ['product', 'benefits'],
        ['product', 'business_cases'],
        ['product', 'experiments'],
        ['product', 'feature_usage'],
        ['product', 'features'],
        ['product', 'initiatives'],
        ['product', 'milestones'],
        ['product', 'products'],
        ['product', 'support_tickets'],
        ['product', 'survey_responses'],
        ['revenue', 'conversions'],
        ['revenue', 'customers'],
        ['revenue', 'invoice_lines'],
        ['revenue', 'marketing_spend'],
        ['revenue', 'payments'],
        ['revenue', 'subscriptions'],
        ['revenue', 'touchpoints'],
    ] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if not node.source_meta.get('internal') -%}
            {%- if [node.source_name, node.name] not in extracts -%}
                {%- do exceptions.raise_compiler_error('delivered_extracts lacks ' ~ node.source_name ~ '.' ~ node.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(extracts) }}
{%- endmacro %}

{#- What the contract says of an extract; while the project is being parsed, nothing yet. -#}
{% macro extract_contract(source_name, extract_name) -%}
    {{ return(graph.sources['source.' ~ project_name ~ '.' ~ source_name ~ '.' ~ extract_name] if execute else none) }}
{%- endmacro %}

{#- The first date in an extract's key, where it has one. -#}
{% macro day_in_key(contract) -%}
    {%- set days = [] -%}
    {%- for column in (contract.config.meta.key or [] if contract else []) if contract.columns[column].data_type == 'date' -%}
        {%- do days.append(column) -%}
    {%- endfor -%}
    {{ return(days | first if days else none) }}
{%- endmacro %}

{#- Extracts of transactions, as [source, extract]: a second row of the same key is a correction, not a new state. -#}
{% macro transaction_extracts() -%}
    {%- set extracts = [
        ['budget', 'budget_lines'],
        ['budget', 'revenue_budgets'],
        ['cost', 'gl_entries'],
        ['cost', 'payroll'],
        ['cost', 'timesheets'],
        ['cost', 'po_invoices'],
        ['cost', 'usage_drivers'],
        ['product', 'benefits'],
        ['product', 'feature_usage'],
        ['product', 'support_tickets'],
        ['product', 'survey_responses'],
        ['revenue', 'invoice_lines'],
        ['revenue', 'payments'],
        ['revenue', 'touchpoints'],
        ['revenue', 'conversions'],
        ['revenue', 'marketing_spend'],
    ] -%}
    {{ return(extracts) }}
{%- endmacro %}
