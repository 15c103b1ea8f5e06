/* The report's own script: filter, draw, drill, download. Rows are in the page; nothing is fetched.
   A figure's columns steer the filter; what they mean stands in report/figure.py. */
(() => {
  "use strict";
  const shared = JSON.parse(document.getElementById("shared").textContent);
  const form = document.querySelector("form.filter");
  const FILTERS = ["line", "product", "initiative", "from", "to"];
  const ROWS_SHOWN = 12;
  const isSingle = shared.pages.length > 1;
  const products = new Map(shared.products.map(([id, name, line]) => [id, { name, line }]));

  /* ---------- how numbers and words are written ---------- */
  const numbers = new Map();
  function digits(value, least, most, options) {
    const key = `${least} ${most} ${options ? JSON.stringify(options) : ""}`;
    if (!numbers.has(key))
      numbers.set(key, new Intl.NumberFormat(shared.locale, {
        minimumFractionDigits: least, maximumFractionDigits: most, ...options }));
    const text = numbers.get(key).format(Math.abs(value));
    return value < 0 && /[1-9]/.test(text) ? `(${text})` : text;
  }
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const guard = (write) => (value) => (isNumber(value) ? write(value) : "–");
  const FORMAT = {
    money: guard((v) => digits(v, 0, 0)),
    price: guard((v) => (Math.abs(v) >= 100 ? digits(v, 0, 0) : Math.abs(v) >= 1 ? digits(v, 2, 2) : digits(v, 2, 4))),
    rate: guard((v) => digits(v, 1, 1, { style: "percent" })),
    ratio: guard((v) => digits(v, 2, 2)),
    number: guard((v) => digits(v, 0, Math.abs(v) >= 100 ? 0 : 2)),
    count: guard((v) => digits(v, 0, 0)),
    flag: (v) => (v === null ? "–" : v ? "Yes" : "No"),
    month: (v) => monthText(v),
    date: (v) => v ?? "–",
    text: (v) => wordsText(v),
  };
  const NUMERIC = new Set(["money", "price", "rate", "ratio", "number", "count"]);
  /* Three digits, four at most: 1.74M, 425.5K, 740, 60.53. */
  const short = guard((v) => { const size = Math.abs(v); return digits(v, 0, size >= 1e6 ? 2 : size >= 1e3 ? 1 : size >= 100 ? 0 : 2, { notation: "compact" }); });
  const monthNames = new Intl.DateTimeFormat(shared.locale, { month: "short", year: "numeric", timeZone: "UTC" });
  function monthText(value) {
    const parts = /^(\d{4})-(\d\d)/.exec(value ?? "");
    return parts ? monthNames.format(Date.UTC(+parts[1], +parts[2] - 1, 1)) : value ?? "–";
  }
  const ACRONYMS = new Set(["mrr", "arr", "npv", "irr", "roi", "nrr", "grr", "cac", "ltv", "gl", "po", "fx", "kpi", "eu", "us", "hr"]);
  const CODES = /^[a-z][a-z0-9]*(_[a-z0-9]+)*(, [a-z][a-z0-9]*(_[a-z0-9]+)*)*$/;
  /* Codes of the marts, and lists of them, read as words: `never_pays_back` is Never pays back. */
  function wordsText(value) {
    if (value === null || value === undefined || value === "") return "–";
    const text = String(value);
    if (!CODES.test(text) || /^(fct|dim|rpt)_/.test(text)) return text;
    const spaced = text.replace(/[a-z0-9]+/g, (word) => (ACRONYMS.has(word) ? word.toUpperCase() : word)).replaceAll("_", " ");
    return spaced[0].toUpperCase() + spaced.slice(1);
  }
  const chartFunctions = {
    money: FORMAT.money, short, rate: guard((v) => digits(v, 0, 1, { style: "percent" })),
    plain: FORMAT.number, period: monthText, words: wordsText, wrap,
  };
  /* A label on lines of about a dozen letters. */
  function wrap(value) {
    const lines = [""];
    for (const word of wordsText(value).split(" ")) {
      const last = lines.at(-1);
      if (last && last.length + word.length > 11) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return lines;
  }

  /* ---------- figures and their rows ---------- */
  const figures = new Map();
  for (const section of document.querySelectorAll("section.figure")) {
    const text = document.getElementById(`data-${section.id}`);
    if (!text || !section.querySelector("[data-rows]")) continue;
    const data = JSON.parse(text.textContent);
    const rows = Array.from({ length: data.size }, (_, at) => {
      const row = {};
      for (const column of data.columns) {
        const value = column.values[at];
        row[column.name] = column.words && value !== null ? column.words[value] : value;
      }
      return row;
    });
    figures.set(section.id, {
      ...data, id: section.id, section, rows, page: section.closest("article").id.slice(5),
      has: new Set(data.columns.map((column) => column.name)),
      sort: null, pick: null, isWhole: false, view: null,
    });
  }

  /* ---------- state: kept in the address, so that every view can be linked to ---------- */
  let state = {};
  function readAddress() {
    const given = new URLSearchParams(location.hash.replace(/^#/, ""));
    state = { page: given.get("page"), at: given.get("at"), mart: given.get("mart") };
    for (const name of FILTERS) state[name] = given.get(name) ?? "";
    if (!shared.pages.includes(state.page))
      state.page = (state.at && figures.get(state.at)?.page) || shared.pages[0];
  }
  const defaults = () => {
    const before = shared.months.filter((month) => month <= shared.closed);
    return { line: "", product: "", initiative: "", from: before.at(-12) ?? before[0] ?? "", to: before.at(-1) ?? "" };
  };
  function effective() {
    const base = defaults();
    const from = state.from || base.from, to = state.to || base.to;
    return { ...state, from: from < to ? from : to, to: from < to ? to : from };
  }
  function query(changes = {}) {
    const all = { ...state, ...changes };
    const out = new URLSearchParams();
    if (isSingle) out.set("page", all.page);
    for (const name of [...FILTERS, "at"]) if (all[name]) out.set(name, all[name]);
    return out.toString();
  }
  function writeAddress() {
    history.replaceState(null, "", `#${query()}`);
    for (const link of document.querySelectorAll("nav a[data-page]")) {
      const kept = query({ page: link.dataset.page, at: "" });
      link.setAttribute("href", isSingle ? `#${kept}` : `${link.getAttribute("href").split("#")[0]}${kept ? `#${kept}` : ""}`);
    }
    for (const link of document.querySelectorAll("a[data-at]"))
      link.setAttribute("href", `#${query({ at: link.dataset.at })}`);
  }

  /* ---------- the filter ---------- */
  function scopeOf(choice) {
    if (choice.product) return ["product", choice.product];
    if (choice.line) return ["product_line", choice.line];
    return ["company", null];
  }
  function select(figure, choice) {
    let rows = figure.rows;
    let scope = "";
    if (figure.has.has("scope_type")) {
      const [type, id] = scopeOf(choice);
      const own = rows.filter((row) => row.scope_type === type && (id === null || row.scope_id === id));
      if (own.length || type === "company") rows = own;
      else { rows = rows.filter((row) => row.scope_type === "company"); scope = "company only"; }
    } else if (figure.has.has("product_id")) {
      if (choice.product) rows = rows.filter((row) => row.product_id === choice.product);
      else if (choice.line) rows = rows.filter((row) => products.get(row.product_id)?.line === choice.line);
    } else if (choice.product || choice.line) scope = "not split by product";
    if (choice.initiative && figure.has.has("initiative_id"))
      rows = rows.filter((row) => row.initiative_id === choice.initiative);
    let period = figure.rows.length && !figure.has.has("month") ? "not split by month" : "";
    if (figure.has.has("month") && figure.rows.length) {
      rows = rows.filter((row) => row.month >= choice.from && row.month <= choice.to);
      const months = rows.map((row) => row.month);
      const first = months.reduce((a, b) => (b < a ? b : a), months[0]);
      const last = months.reduce((a, b) => (b > a ? b : a), months[0]);
      if (figure.period === "last") rows = rows.filter((row) => row.month === last);
      if (figure.has.has("holds"))
        rows = rows.filter((row) => row.holds === "flow" || row.month === (row.holds === "opening" ? first : last));
      if (last) period = figure.period === "last" || first === last ? monthText(last) : `${monthText(first)} – ${monthText(last)}`;
    }
    return { rows, scope, period };
  }

  /* ---------- drawing ---------- */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const shownColumns = (figure) =>
    figure.columns.filter((column) => !column.hidden && !(column.name === "month" && figure.period === "last") && column.name !== "rate_reason" && !(column.name.endsWith("_reason") && figure.has.has(column.name.slice(0, -7))));

  const GOOD = /^(on_target|met|exceeded_target|reconciled|passed|fresh|current|held|done|within|funded|ok|on_time|closed|complete|good|green|accepted|achieved|ahead|favourable|improving)$/;
  const BAD = /^(missed|off_target|failed|failing|stale|overdue|exceeded|stop_ignored|difference|breach|breached|late|error|critical|high|red|bad|unfavourable|not_met|triggered|worsening|behind|violated)$/;
  const WARN = /^(near_target|near_limit|at_risk|warning|due|open_period|medium|amber|watch|pending|insufficient_evidence|not_measured|unproven|simulated_only|not_measurable|accepted_risk)$/;
  function stateMark(value) {
    const text = String(value);
    const kind = GOOD.test(text) ? "good" : BAD.test(text) ? "bad" : WARN.test(text) ? "warn" : "plain";
    const sign = { good: "✓ ", bad: "✕ ", warn: "! ", plain: "" }[kind];
    return make("span", { class: `state ${kind}` }, sign + wordsText(value));
  }
  const isState = (name) => /(^|_)(state|status|severity|verdict)$/.test(name);

  function cell(figure, column, row) {
    const value = row[column.name];
    if (!NUMERIC.has(column.kind)) {
      if (isState(column.name) && value) return make("td", {}, stateMark(value));
      const text = FORMAT[column.kind](value);
      return make("td", { class: text.length > 24 ? "prose" : ["month", "date", "flag"].includes(column.kind) ? "brief" : null }, text);
    }
    if (value === null) {
      const reason = row[`${column.name}_reason`] ?? row.rate_reason;
      return reason ? make("td", { class: "number reason" }, wordsText(reason)) : make("td", { class: "number" }, "–");
    }
    const text = FORMAT[column.kind](value);
    const classes = ["number", text.startsWith("(") ? "minus" : "plus"];
    const judged = /favourable|effect_amount|value_created|return_amount|result_amount/.test(column.name);
    if (judged && value !== 0) {
      classes.push(value > 0 ? "helps" : "harms");
      return make("td", { class: classes.join(" ") },
        make("span", { role: "img", "aria-label": value > 0 ? "favourable" : "unfavourable" }, value > 0 ? "▲ " : "▼ "), text);
    }
    return make("td", { class: classes.join(" ") }, text);
  }

  function sorted(figure, rows) {
    if (!figure.sort) return rows;
    const { name, direction } = figure.sort;
    return [...rows].sort((a, b) => {
      const [x, y] = [a[name], b[name]];
      if (x === null || y === null) return (x === null) - (y === null);
      return (x < y ? -1 : x > y ? 1 : 0) * direction;
    });
  }

  function table(figure, rows, redraw) {
    const columns = shownColumns(figure);
    const head = make("tr", {}, ...columns.map((column) => {
      const isSorted = figure.sort?.name === column.name;
      const button = make("button", { type: "button" }, column.label);
      button.addEventListener("click", () => {
        const direction = isSorted ? -figure.sort.direction : NUMERIC.has(column.kind) ? -1 : 1;
        figure.sort = { name: column.name, direction };
        redraw(column.name);
      });
      return make("th", { scope: "col", class: NUMERIC.has(column.kind) ? "number" : null, "data-column": column.name,
        "aria-sort": isSorted ? (figure.sort.direction > 0 ? "ascending" : "descending") : null }, button);
    }));
    const canPick = figure.has.has("initiative_id") && figure.page === "returns";
    const all = sorted(figure, rows);
    const shown = figure.isWhole ? all : all.slice(0, ROWS_SHOWN);
    const body = shown.map((row) => {
      const cells = columns.map((column) => cell(figure, column, row));
      const element = make("tr", {}, ...cells);
      if (canPick) {
        const name = cells[0].textContent;
        const link = make("a", { href: `#${query({ initiative: row.initiative_id, at: "" })}`, "aria-label": `Show only ${name}` }, name);
        cells[0].replaceChildren(link);
      }
      return element;
    });
    const box = make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `Rows: ${figure.title}` },
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
    const parts = [box];
    if (all.length > ROWS_SHOWN) {
      const button = make("button", { type: "button" }, figure.isWhole ? `Show the first ${ROWS_SHOWN} rows` : `Show all ${FORMAT.count(all.length)} rows`);
      button.addEventListener("click", () => { figure.isWhole = !figure.isWhole; redraw("more"); });
      parts.push(make("p", { class: "more" }, make("span", {}, `${FORMAT.count(shown.length)} of ${FORMAT.count(all.length)} rows `), button));
    }
    return parts;
  }

  function drawRows(figure, focus) {
    const place = figure.section.querySelector("[data-rows]");
    const count = figure.section.querySelector("[data-count]");
    const { rows } = figure.selected;
    const picked = figure.pick
      ? rows.filter((row) => Object.entries(figure.pick).every(([name, value]) => row[name] === value))
      : rows;
    if (count) count.textContent = `Rows (${FORMAT.count(picked.length)})`;
    const parts = [];
    if (figure.pick) {
      const words = Object.entries(figure.pick).map(([name, value]) => {
        const column = figure.columns.find((one) => one.name === name);
        return `${column.label}: ${FORMAT[column.kind](value)}`;
      });
      const clear = make("button", { type: "button" }, "Show all");
      clear.addEventListener("click", () => { figure.pick = null; drawRows(figure); figure.section.querySelector("summary")?.focus(); });
      parts.push(make("p", { class: "picked" }, `Rows behind ${words.join(", ")} `, clear));
    }
    const layout = LAYOUTS[figure.layout];
    if (!rows.length) parts.push(make("p", { class: "none" }, emptyText(figure)));
    else if (layout && !figure.pick) parts.push(layout(figure, rows));
    else parts.push(...table(figure, picked, (name) => drawRows(figure, name)));
    place.replaceChildren(...parts);
    if (focus) (place.querySelector(`th[data-column="${focus}"] button`) ?? place.querySelector(".more button"))?.focus();
  }

  const emptyText = (figure) => (figure.rows.length ? "No rows for this choice." : figure.empty);

  /* ---------- cards and lists ---------- */
  /* Numbers with the unit that their row names; rates carry their sign, ratios and counts have none. */
  function valueOf(unit) {
    const kind = { amount: "price", rate: "rate", ratio: "ratio", count: "count" }[unit] ?? "number";
    const name = { amount: shared.currency, rate: "", ratio: "", count: "" }[unit] ?? wordsText(unit).toLowerCase();
    return (value) => (name ? `${FORMAT[kind](value)} ${name}` : FORMAT[kind](value));
  }
  const DIRECTIONS = { "1": "at least ", "-1": "at most ", "0": "about " };
  function sparkline(values, target) {
    const known = values.filter(isNumber);
    if (known.length < 2) return null;
    const all = isNumber(target) ? [...known, target] : known;
    const low = Math.min(...all), high = Math.max(...all), span = high - low || 1;
    const x = (at) => (at / (values.length - 1)) * 100;
    const y = (value) => 28 - ((value - low) / span) * 24;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 32");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const draw = (tag, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      svg.append(element);
    };
    if (isNumber(target))
      draw("line", { x1: 0, x2: 100, y1: y(target), y2: y(target), stroke: "currentColor", "stroke-width": 1, "stroke-dasharray": "3 3", opacity: .5, "vector-effect": "non-scaling-stroke" });
    draw("polyline", { points: values.map((value, at) => (isNumber(value) ? `${x(at)},${y(value)}` : "")).filter(Boolean).join(" "),
      fill: "none", stroke: "currentColor", "stroke-width": 2, "vector-effect": "non-scaling-stroke" });
    return svg;
  }
  const URGENCY = ["red", "not_met", "amber", "no_value", "green", "met"];
  const urgency = (row) => (URGENCY.indexOf(row.status) + URGENCY.length + 1) % (URGENCY.length + 1);
  /* What a value was counted from. */
  function counted(row) {
    if (isNumber(row.baseline_error))
      return `Error ${digits(row.baseline_error, 3, 3)} → ${digits(row.integrated_error, 3, 3)} in ${FORMAT.count(row.observations)} simulated worlds`;
    if (isNumber(row.failing_items))
      return `${FORMAT.count(row.failing_items)} of ${FORMAT.count(row.observations)} ${row.unit === "amount" ? "components do not count" : "items fail"}`;
    return null;
  }
  function card(history) {
    const ordered = [...history].sort((a, b) => ((a.month ?? "") < (b.month ?? "") ? -1 : 1));
    const now = ordered.at(-1);
    const write = valueOf(now.unit);
    const say = (...parts) => make("p", {}, ...parts.filter((part) => part !== null && part !== undefined));
    const target = now.target ?? null, low = now.lower_bound ?? null;
    return { now, element: make("section", { class: "card", "aria-label": now.kpi },
      make("h4", {}, now.kpi),
      make("div", { class: "value" }, now.value === null ? "–" : write(now.value)),
      now.value === null && now.value_reason ? make("p", { class: "reason" }, wordsText(now.value_reason)) : null,
      say(target === null ? null : `Target ${DIRECTIONS[now.polarity] ?? ""}${write(target)} `, now.status ? stateMark(now.status) : null),
      low === null ? null : say(`Between ${write(low)} and ${write(now.upper_bound)}, ${wordsText(now.evidence_basis).toLowerCase()}`),
      say(counted(now)),
      isNumber(now.months_required) ? say(`Months in a row at target: ${FORMAT.count(now.consecutive_months)} (${FORMAT.count(now.months_required)} needed)`) : null,
      say(now.month ? monthText(now.month) : now.period ?? "", now.trend ? ` · ${wordsText(now.trend)}` : ""),
      now.note ? make("p", { class: "small" }, now.note) : null,
      now.month ? sparkline(ordered.map((row) => row.value), target) : null) };
  }
  function cards(figure, rows) {
    const groups = new Map();
    for (const row of rows) {
      const group = groups.get(row.objective ?? "") ?? groups.set(row.objective ?? "", new Map()).get(row.objective ?? "");
      group.set(row.kpi, [...(group.get(row.kpi) ?? []), row]);
    }
    return make("div", {}, ...[...groups].flatMap(([objective, series]) => [
      objective || groups.size > 1 ? make("h3", {}, objective || "No objective") : null,
      make("div", { class: "cards" }, ...[...series.values()].map(card)
        .sort((a, b) => urgency(a.now) - urgency(b.now)).map((one) => one.element)),
    ]).filter(Boolean));
  }
  const LISTED = 8;
  function list(figure, rows) {
    const label = (name) => figure.columns.find((column) => column.name === name)?.label;
    const others = shownColumns(figure).filter((column) => !["rank", "title", "text", "evidence_query", "is_favourable"].includes(column.name));
    const all = sorted(figure, rows);
    const items = (figure.isWhole ? all : all.slice(0, LISTED)).map((row, at) => make("li", {}, make("div", {},
      make("h3", {}, row.is_favourable === null || row.is_favourable === undefined ? "" : make("span", { class: row.is_favourable ? "helps" : "harms", role: "img", "aria-label": row.is_favourable ? "favourable" : "unfavourable" }, row.is_favourable ? "▲ " : "▼ "), row.title),
      make("p", { class: "text" }, row.text ?? ""),
      make("p", {}, ...others.filter((column) => row[column.name] !== null).flatMap((column, place) => [place ? " · " : "", make("b", {}, label(column.name)), " ", isState(column.name) ? stateMark(row[column.name]) : FORMAT[column.kind](row[column.name])])),
      row.evidence_query ? make("details", {}, make("summary", {}, `Rows behind: ${row.title} ${at + 1}`), make("pre", {}, row.evidence_query)) : null)));
    const parts = make("div", {}, make("ol", { class: "list" }, ...items));
    if (all.length > LISTED) {
      const button = make("button", { type: "button" }, figure.isWhole ? `Show the first ${LISTED}` : `Show all ${all.length}`);
      button.addEventListener("click", () => { figure.isWhole = !figure.isWhole; drawRows(figure, "more"); });
      parts.append(make("p", { class: "more" }, make("span", {}, `${items.length} of ${all.length} `), button));
    }
    return parts;
  }
  const LAYOUTS = { cards, list };

  /* ---------- charts ---------- */
  const GREY = "rgba(128,128,128,.22)";
  function chartConfig(width, spec) {
    // A legend begins where the plot does, right of the members' names.
    const plot = width - ((spec.layer?.[0] ?? spec).encoding.y.axis?.labelLimit ?? 60);
    const text = { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500 };
    return {
      customFormatTypes: true, background: null, font: getComputedStyle(document.body).fontFamily.replaceAll('"', "'"),
      aria: false, padding: { left: 2, right: 22, top: 6, bottom: 2 }, view: { stroke: null },
      axis: { ...text, gridColor: GREY, domainColor: GREY, tickColor: GREY, labelPadding: 5 },
      axisX: { grid: false, labelAngle: width < 480 ? -40 : 0 }, axisBand: { grid: false, ticks: false, domain: false },
      axisY: { domain: false, ticks: false },
      legend: { ...text, orient: "top", direction: "horizontal", labelLimit: 170, symbolSize: 70, columns: Math.max(1, Math.floor(plot / 165)), offset: 10 },
      rule: { opacity: .6 }, text: { fontSize: 11 }, bar: { discreteBandSize: { band: .82 } },
    };
  }
  /* A height by rows is members times their step; Vega-Lite cannot fit a width beside it. */
  /* More members than can be told apart: the largest are drawn. */
  function largest(spec, rows) {
    const { member, measure, limit } = spec.usermeta ?? {};
    if (!member) return rows;
    const sums = new Map();
    for (const row of rows) sums.set(row[member], (sums.get(row[member]) ?? 0) + Math.abs(row[measure] ?? 0));
    if (sums.size <= limit) return rows;
    const kept = new Set([...sums].sort((a, b) => b[1] - a[1]).slice(0, limit).map(([name]) => name));
    return Object.assign(rows.filter((row) => kept.has(row[member])), { note: `Drawn: the ${limit} largest of ${sums.size}. The rows hold all.` });
  }
  /* Room for the words of each column; what does not fit a narrow screen scrolls. */
  function leastWidth(spec, rows) {
    const { across, least } = spec.usermeta ?? {};
    return across ? new Set(rows.map((row) => row[across])).size * least + 150 : 0;
  }
  function heightOf(spec, rows) {
    if (!spec.height?.step) return spec.height;
    const field = (spec.layer?.[0] ?? spec).encoding.y.field;
    return Math.max(1, new Set(rows.map((row) => row[field])).size) * spec.height.step;
  }
  async function drawChart(figure) {
    const place = figure.section.querySelector("[data-chart]");
    if (!place) return;
    figure.view?.finalize();
    figure.view = null;
    const { rows } = figure.selected;
    if (!rows.length) {
      place.replaceChildren(make("p", { class: "none" }, emptyText(figure)));
      place.removeAttribute("data-drawn");
      return;
    }
    const spec = structuredClone(figure.spec);
    const drawn = largest(spec, rows);
    const width = Math.max(260, leastWidth(spec, drawn), place.clientWidth || 1000);
    spec.datasets = { rows: drawn };
    spec.width = width;
    spec.height = heightOf(spec, drawn);
    spec.autosize = { type: "fit-x", contains: "padding" };
    try {
      const made = await vegaEmbed(place, spec, {
        mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, logLevel: 1, config: chartConfig(width, spec),
        expressionFunctions: chartFunctions, tooltip: { theme: "custom", disableDefaultStyle: true },
      });
      figure.view = made.view;
      const svg = place.querySelector("svg");
      svg.setAttribute("aria-hidden", "true");
      svg.style.minWidth = `${leastWidth(spec, drawn)}px`;
      place.classList.toggle("tall", spec.height > 400);
      if (drawn.note) place.append(make("p", { class: "note" }, drawn.note));
      place.dataset.drawn = String(marks(made.view).length);
      made.view.addEventListener("click", (_, item) => item && drill(figure, item));
    } catch (error) {
      place.replaceChildren(make("p", { class: "none" }, `This chart could not be drawn: ${error.message}`));
      place.dataset.failed = "";
      console.error(figure.id, error);
    }
  }
  /* Marks that say something: those with a tooltip, in drawing order. */
  function marks(view) {
    const found = [];
    (function walk(group) {
      for (const item of group.items ?? []) {
        if (item.items) walk(item);
        else if (item.tooltip && item.mark?.marktype !== "group") found.push(item);
      }
    })(view.scenegraph().root);
    return found;
  }
  function drill(figure, item) {
    const datum = item.datum ?? {};
    const pick = {};
    for (const name of figure.has)
      if (typeof datum[name] === "string" && !figure.columns.find((c) => c.name === name).hidden) pick[name] = datum[name];
    if (!Object.keys(pick).length) return;
    figure.pick = pick;
    const details = figure.section.querySelector("details.rows");
    if (details) details.open = true;
    drawRows(figure);
    figure.section.querySelector(".picked button")?.focus();
  }
  const said = form.querySelector(".status");
  function readMark(figure, step) {
    const items = marks(figure.view);
    if (!items.length) return;
    figure.reading = ((figure.reading ?? (step > 0 ? -1 : 0)) + step + items.length) % items.length;
    const item = items[figure.reading];
    const tip = typeof item.tooltip === "object" ? item.tooltip : { value: item.tooltip };
    said.textContent = Object.entries(tip).map(([name, value]) => `${name}: ${value}`).join(", ");
    const box = figure.section.querySelector("svg").getBoundingClientRect();
    const bounds = item.bounds;
    const [left, top] = [box.left + (bounds.x1 + bounds.x2) / 2 + figure.view.origin()[0], box.top + bounds.y1 + figure.view.origin()[1]];
    figure.view.tooltip()(figure.view, { clientX: left, clientY: top, pageX: left, pageY: top, vegaType: "" }, item, item.tooltip);
    return item;
  }
  document.addEventListener("keydown", (event) => {
    const place = event.target.closest?.("[data-chart]");
    const figure = place && figures.get(place.closest("section").id);
    if (!figure?.view) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); readMark(figure, step); }
    else if (event.key === "Enter" && figure.reading !== undefined) { event.preventDefault(); drill(figure, marks(figure.view)[figure.reading]); }
    else if (event.key === "Escape") hideTip();
  });
  const hideTip = () => document.getElementById("vg-tooltip-element")?.classList.remove("visible");
  document.addEventListener("focusout", (event) => event.target.matches?.("[data-chart]") && hideTip());

  /* ---------- totals, captions ---------- */
  function drawTotals(figure) {
    const place = figure.section.querySelector("[data-totals]");
    const { rows } = figure.selected;
    const months = rows.map((row) => row.month).filter(Boolean);
    const ends = { first: months.reduce((a, b) => (b < a ? b : a), months[0]), last: months.reduce((a, b) => (b > a ? b : a), months[0]) };
    place.replaceChildren(...(rows.length ? figure.totals : []).map((total) => {
      const column = figure.columns.find((one) => one.name === total.column);
      const parts = total.how === "sum" ? rows : rows.filter((row) => row.month === ends[total.how]);
      const values = parts.map((row) => row[total.column]).filter(isNumber);
      // Money is added in cents, so that the sum is the ledger's.
      const sum = values.reduce((all, value) => all + Math.round(value * 100), 0) / 100;
      const text = values.length ? FORMAT[column.kind](sum) : "–";
      const judged = /favourable/.test(total.column) && values.length && sum !== 0;
      return make("div", {}, make("dt", {}, total.label),
        make("dd", { "data-value": values.length ? sum : "", class: judged ? (sum > 0 ? "helps" : "harms") : null },
          judged ? `${sum > 0 ? "▲" : "▼"} ` : "", text, judged ? make("small", {}, sum > 0 ? " favourable" : " unfavourable") : null));
    }));
  }
  function drawMeta(figure) {
    const { period, scope } = figure.selected;
    const say = (name, title, text) => {
      const place = figure.section.querySelector(name);
      place.replaceChildren(...(text ? [make("b", {}, title), ` ${text}`] : []));
    };
    say("[data-period]", "Period", period);
    say("[data-scope]", "Scope", scope);
    const first = figure.found > figure.size && figure.rows.reduce((least, row) => (row.month < least ? row.month : least), figure.rows[0].month);
    say("[data-carried]", "Shortened", first && `shows months from ${monthText(first)} on; all ${FORMAT.count(figure.found)} rows in ${figure.marts[0]}`);
  }

  /* ---------- downloads ---------- */
  function save(blob, name) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  /* Spreadsheets run text that begins like a formula; an apostrophe keeps it text. */
  function csv(figure) {
    const field = (value) => {
      if (value === null || value === undefined) return "";
      if (typeof value !== "string") return String(value);
      // As in the gate's quarantine: what a spreadsheet would take for a formula, and no number.
      const safe = /^\s*[=+\-@]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
      return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    const names = figure.columns.map((column) => column.name).filter((name) => !name.endsWith("_order"));
    const lines = [names, ...sorted(figure, figure.selected.rows).map((row) => names.map((name) => row[name]))];
    return `\uFEFF${lines.map((line) => line.map(field).join(",")).join("\r\n")}\r\n`;
  }
  async function saveImage(figure, type) {
    if (!figure.view) return;
    const spec = structuredClone(figure.spec);
    const drawn = largest(spec, figure.selected.rows);
    spec.datasets = { rows: drawn };
    spec.width = 900;
    spec.height = heightOf(spec, drawn);
    // A picture travels alone: with unit, period, source and what it is as of.
    const said = [...figure.section.querySelectorAll(".meta span")].map((one) => one.textContent.trim()).filter(Boolean);
    const built = document.querySelector(".asof").textContent.trim();
    spec.title = { text: figure.title, subtitle: [said.join(" · "), built], subtitleColor: "#3c4656", subtitlePadding: 5, anchor: "start", fontSize: 15, offset: 14, color: "#1a2330" };
    const config = JSON.parse(JSON.stringify({ ...chartConfig(900, spec), background: "#ffffff" }).replaceAll("currentColor", "#3c4656"));
    const place = document.createElement("div");
    const made = await vegaEmbed(place, JSON.parse(JSON.stringify(spec).replaceAll("currentColor", "#3c4656")),
      { mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, logLevel: 1, config, expressionFunctions: chartFunctions });
    const blob = type === "svg"
      ? new Blob([await made.view.toSVG()], { type: "image/svg+xml" })
      : await new Promise(async (done) => (await made.view.toCanvas(2)).toBlob(done, "image/png"));
    made.finalize();
    save(blob, `${figure.id}.${type}`);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const figure = button && figures.get(button.closest("section.figure")?.id);
    if (figure && "csv" in button.dataset) save(new Blob([csv(figure)], { type: "text/csv" }), `${figure.id}.csv`);
    if (figure && button.dataset.image) saveImage(figure, button.dataset.image);
    if (button && "print" in button.dataset) printAll();
  });

  /* ---------- the whole ---------- */
  let run = 0;
  async function draw() {
    const current = ++run;
    document.body.removeAttribute("data-ready");
    const choice = effective();
    for (const article of document.querySelectorAll("article.page")) {
      article.hidden = isSingle && article.id !== `page-${state.page}`;
      const words = [
        choice.product ? products.get(choice.product)?.name ?? choice.product : choice.line ? `Product line ${choice.line}` : "All products",
        choice.from ? `${monthText(choice.from)} – ${monthText(choice.to)}` : null,
      ].filter(Boolean);
      article.querySelector("[data-choice]").textContent = hasFigures() ? words.join(" · ") : "";
    }
    for (const link of document.querySelectorAll("nav a[data-page]"))
      if (link.dataset.page === state.page) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    const shown = [...figures.values()].filter((figure) => figure.page === state.page);
    for (const figure of shown) prepare(figure, choice);
    performance.mark("interactive");
    for (const figure of shown) {
      await drawChart(figure);
      if (current !== run) return;
    }
    document.body.dataset.ready = "";
    land();
  }
  function prepare(figure, choice) {
    figure.selected = select(figure, choice);
    figure.pick = null;
    figure.reading = undefined;
    drawMeta(figure);
    drawTotals(figure);
    drawRows(figure);
  }
  let landed = "";
  function land() {
    const aim = state.at || state.mart;
    for (const section of document.querySelectorAll("section.at")) section.classList.remove("at");
    const place = aim && document.getElementById(aim);
    if (!place) return;
    place.classList.add("at");
    if (landed !== aim) { landed = aim; place.scrollIntoView(); }
  }
  async function printAll() {
    if (isSingle) {
      const choice = effective();
      for (const article of document.querySelectorAll("article.page")) article.hidden = false;
      for (const figure of figures.values()) { if (figure.page !== state.page) { prepare(figure, choice); await drawChart(figure); } }
    }
    document.body.dataset.printing = "";
    window.print();
    document.body.removeAttribute("data-printing");
    if (isSingle) draw();
  }

  function fill(name, options) {
    const control = form.elements[name];
    control.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
    control.closest("label").hidden = options.length < 2 || !hasFigures();
  }
  const hasFigures = () => [...figures.values()].some((figure) => figure.page === state.page);
  function controls() {
    const choice = effective();
    form.querySelector("[type=reset]").hidden = !hasFigures();
    const lines = [...new Set(shared.products.map(([, , line]) => line).filter(Boolean))].sort();
    fill("line", [["", "All lines"], ...lines.map((line) => [line, line])]);
    fill("product", [["", "All products"], ...shared.products.filter(([, , line]) => !state.line || line === state.line).map(([id, name]) => [id, name])]);
    const named = new Map();
    for (const figure of figures.values())
      if (figure.page === "returns" && state.page === "returns" && figure.has.has("initiative_id") && figure.has.has("initiative"))
        for (const row of figure.rows) named.set(row.initiative_id, row.initiative);
    fill("initiative", named.size ? [["", "All initiatives"], ...[...named].sort((a, b) => (a[1] < b[1] ? -1 : 1))] : []);
    const months = shared.months.map((month) => [month, monthText(month)]);
    fill("from", months);
    fill("to", months);
    for (const name of FILTERS) form.elements[name].value = choice[name];
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    const { name, value } = event.target;
    state[name] = value;
    if (name === "line" && state.product && products.get(state.product)?.line !== value && value) state.product = "";
    if (["from", "to"].includes(name) && value === defaults()[name]) state[name] = "";
    state.at = "";
    changed();
    said.textContent = `Filter applied: ${document.querySelector("article:not([hidden]) [data-choice]").textContent}`;
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const name of FILTERS) state[name] = "";
    changed();
  });
  function changed() { writeAddress(); controls(); return draw(); }
  window.addEventListener("hashchange", () => { readAddress(); changed(); });
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width || "printing" in document.body.dataset) return;
    width = window.innerWidth;
    clearTimeout(window.redraw);
    window.redraw = setTimeout(draw, 200);
  });
  readAddress();
  changed();
})();
