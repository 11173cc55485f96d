// What the pages gain by JavaScript: the chart's tooltip, keyboard cursor and highlight, the theme switch without a
// reload, copy buttons, and buttons that stay off until a form is filled in. Everything works without this file.

const root = document.documentElement;
root.dataset.js = "";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

const say = (text) => {
  const live = $("#live");
  if (live && live.textContent !== text) live.textContent = text;
};

const make = (tag, name, ...content) => {
  const e = document.createElement(tag);
  if (name) e.className = name;
  e.append(...content);
  return e;
};

/* ---- Chart */

// money writes hundredths as the server does: a real minus sign, commas, two decimals.
const money = (chart, cents) => {
  const [whole, part] = (Math.abs(cents) / 100).toFixed(2).split(".");
  return (cents < 0 ? "−" : "") + chart.dataset.pre + whole.replace(/\B(?=(\d{3})+$)/g, ",") + "." + part + chart.dataset.post;
};

class CostChart extends HTMLElement {
  #text = "";
  #parsed = null;
  #bar = -1;
  #series = -1;

  connectedCallback() {
    this.addEventListener("pointermove", (e) => this.#point(e));
    this.addEventListener("pointerleave", () => this.#leave());
    this.addEventListener("blur", () => this.#leave());
    this.addEventListener("keydown", (e) => this.#key(e));
    this.addEventListener("click", () => this.#open());
  }

  // The data is read when it is needed: a morph may have changed it since.
  get #data() {
    const text = $("script", this)?.textContent ?? "";
    if (text !== this.#text) {
      this.#text = text;
      this.#parsed = text ? JSON.parse(text) : null;
    }
    return this.#parsed;
  }

  #point(e) {
    const data = this.#data;
    const box = $(".plot", this)?.getBoundingClientRect();
    if (!data?.b.length || !box) return;
    const share = (e.clientX - box.left) / box.width;
    if (share < 0 || share >= 1) return this.#leave();
    const path = e.target.closest?.(".bars path");
    const color = path ? Number(/\bs(\d+)\b/.exec(path.getAttribute("class"))?.[1] ?? -1) : -1;
    this.#show(Math.floor(share * data.b.length), data.c.indexOf(color));
  }

  #key(e) {
    const data = this.#data;
    if (!data?.b.length || e.ctrlKey || e.metaKey || e.altKey) return;
    const last = data.b.length - 1;
    const bars = { ArrowRight: this.#bar + 1, ArrowLeft: this.#bar < 0 ? last : this.#bar - 1, Home: 0, End: last };
    const rows = { ArrowUp: 1, ArrowDown: -1 };
    if (e.key in bars) this.#show(Math.min(last, Math.max(0, bars[e.key])), this.#series);
    else if (e.key in rows) this.#show(Math.max(0, this.#bar), Math.min(data.n.length - 1, Math.max(-1, this.#series + rows[e.key])));
    else if (e.key === "Enter" && this.#bar >= 0) this.#open();
    else if (e.key === "Escape") this.#leave();
    else return;
    e.preventDefault();
    if (this.#bar >= 0) say(this.#words());
  }

  #words() {
    const bar = this.#data.b[this.#bar];
    const arriving = bar.i ? ", still arriving" : "";
    if (this.#series < 0) return `${bar.l}: ${money(this, bar.t)}${arriving}`;
    return `${bar.l}, ${this.#data.n[this.#series]}: ${money(this, bar.v[this.#series])}${arriving}`;
  }

  #show(bar, series) {
    const data = this.#data;
    this.#bar = bar;
    this.#series = series;
    this.classList.add("on");
    $(".cur", this).setAttribute("x", `${(100 * bar) / data.b.length}%`);
    mark(series < 0 ? "" : String(data.c[series]));
    this.#tip(data, data.b[bar], series);
  }

  #tip(data, bar, series) {
    const tip = $(".tip", this);
    const line = (name, text, swatch) => {
      const p = make("p", "");
      if (swatch) p.append(make("i", "sw " + swatch));
      p.append(name, make("b", "", text));
      return p;
    };
    const head = line(bar.l, money(this, bar.t));
    head.className = "th";
    const rows = bar.v.map((v, i) => ({ v, i })).filter((x) => x.v !== 0).reverse();
    const body = rows.map(({ v, i }) => {
      const p = line(data.n[i], money(this, v), "s" + data.c[i]);
      if (i === series) p.classList.add("hi");
      return p;
    });
    const foot = [];
    if (bar.i) foot.push(make("p", "tn", "Still arriving"));
    if (bar.p !== undefined) {
      const p = line("Previous", money(this, bar.p));
      p.className = "tn";
      foot.push(p);
    }
    tip.replaceChildren(head, ...body, ...foot);
    tip.hidden = false;
    const plot = $(".plot", this).getBoundingClientRect();
    const column = plot.width / data.b.length;
    const left = plot.left - this.getBoundingClientRect().left + column * this.#bar;
    const right = left + column + 10;
    const fits = right + tip.offsetWidth <= this.clientWidth;
    place(tip, fits ? right : Math.max(0, left - tip.offsetWidth - 10));
  }

  #leave() {
    this.#bar = this.#series = -1;
    this.classList.remove("on");
    mark("");
    const tip = $(".tip", this);
    if (tip) tip.hidden = true;
  }

  #open() {
    const to = this.#data?.b[this.#bar]?.u;
    if (to) location.assign(to);
  }
}

// place moves the tooltip. The Content-Security-Policy forbids style attributes in markup, not the style of an object.
const place = (tip, x) => {
  tip.style.left = `${x}px`;
};

// mark lights up one colour in chart and table.
const mark = (color) => {
  const chart = $("cost-chart");
  if (!chart || chart.dataset.k === color) return;
  chart.dataset.k = color;
  for (const row of $$("tr[data-s]")) row.classList.toggle("hi", color !== "" && row.dataset.s === color);
};

customElements.define("cost-chart", CostChart);

document.addEventListener("pointerover", (e) => {
  const row = e.target.closest?.("tr[data-s]");
  if (row) mark(row.dataset.s);
  else if (!e.target.closest?.("cost-chart")) mark("");
});

/* ---- Forms */

// ready tells whether a dangerous form is filled in: the name typed, and a choice made where one is asked for.
const ready = (form) => {
  const typed = $('input[name="confirm"]', form)?.value.trim() === form.dataset.confirm;
  const chosen = !form.dataset.choose || !!$(`input[name="${form.dataset.choose}"]:checked`, form);
  return typed && chosen;
};

const guard = (form) => {
  const button = $(".btn.dang", form);
  if (!button || button.dataset.never !== undefined) return;
  button.disabled = !ready(form);
};

const guardAll = () => $$("form[data-confirm]").forEach(guard);

document.addEventListener("input", (e) => {
  const form = e.target.closest?.("form[data-confirm]");
  if (form) guard(form);
});

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.matches("form[data-theme-form]")) {
    e.preventDefault();
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const next = dark ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  }
});

/* ---- Copy */

document.addEventListener("click", async (e) => {
  const button = e.target.closest?.("[data-copy], [data-copy-url]");
  if (!button) return;
  const source = button.dataset.copy ? $(button.dataset.copy) : null;
  const text = source ? source.textContent : location.href;
  const before = button.textContent;
  const done = await copy(text, source);
  button.textContent = done;
  say(done);
  setTimeout(() => (button.textContent = before), 1500);
});

// copy uses the clipboard where the browser gives it (https, loopback); elsewhere it selects the text.
const copy = async (text, source) => {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    if (source) getSelection().selectAllChildren(source);
    return source ? "Selected" : "Copy the address";
  }
};

/* ---- After htmx changed the page */

document.addEventListener("htmx:after:swap", (e) => {
  guardAll();
  if (e.detail?.ctx?.target?.id !== "costs") return;
  $("#filters")?.reset(); // what the server chose is shown, whatever was clicked before
  for (const open of $$("#costs details[open]")) open.open = false;
  const said = $("[data-say]");
  if (said) say(said.textContent);
});

// Clicking elsewhere, or Escape, closes an open menu.
document.addEventListener("click", (e) => {
  for (const open of $$("details.drop[open]")) if (!open.contains(e.target)) open.open = false;
});
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  for (const open of $$("details.drop[open]")) {
    open.open = false;
    $("summary", open).focus();
  }
});

guardAll();
