/* What HTML alone cannot do yet. Everything here is an improvement: links and forms work without it. */
(() => {
  "use strict";
  const root = document.documentElement, body = document.body;
  root.classList.add("script");
  const on = (type, selector, act, options) => document.addEventListener(type, (event) => {
    const found = event.target instanceof Element && event.target.closest(selector);
    if (found) act(found, event);
  }, options);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const element = (tag, attributes = {}, text = "") => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  };

  /* Toast: the only message that goes by itself. */
  let clearing;
  const toast = (text) => {
    const line = document.getElementById("toast");
    line.textContent = text;
    clearTimeout(clearing);
    clearing = setTimeout(() => { line.textContent = ""; }, 4000);
  };

  /* Copy: a text, a table as TSV, or all rows from the server. */
  const tsv = (table) => all("tr", table).filter((row) => row.offsetParent).map((row) =>
    [...row.cells].filter((cell) => !cell.matches(".pick, .row-menu")).map((cell) => cell.innerText.trim().replace(/\s+/g, " ")).join("\t")).join("\n");
  const copy = async (promise) => {
    try {
      if (window.ClipboardItem && navigator.clipboard.write) {
        const blob = Promise.resolve(promise).then((text) => new Blob([text], { type: "text/plain" }));
        await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      } else await navigator.clipboard.writeText(await promise);
      toast(body.dataset.copied);
    } catch { toast(body.dataset.failed); }
  };
  on("click", "[data-copy]", (b) => copy(b.dataset.copy));
  on("click", "[data-copy-table]", (b) => copy(tsv(document.getElementById(b.dataset.copyTable))));
  on("click", "[data-copy-url]", (b) => copy(fetch(b.dataset.copyUrl).then((answer) => {
    if (!answer.ok) throw new Error(answer.status);
    return answer.text();
  })));

  /* Dialogs and popovers where browsers lack commandfor or position-area. */
  if (!("commandForElement" in HTMLButtonElement.prototype)) on("click", "[commandfor]", (b) => {
    const dialog = document.getElementById(b.getAttribute("commandfor"));
    if (b.getAttribute("command") === "close") dialog.close(); else dialog.showModal();
  });
  const anchored = CSS.supports("position-area: block-end");
  document.addEventListener("toggle", (event) => {
    if (anchored || event.newState !== "open" || !event.target.matches(".menu")) return;
    const at = document.querySelector(`[popovertarget="${event.target.id}"]`).getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - event.target.offsetWidth - 8);
    Object.assign(event.target.style, { top: `${at.bottom}px`, left: `${Math.max(left, 8)}px` });
  }, true);

  /* Small acts. */
  on("click", "[data-dismiss]", (b) => b.closest(".banner").remove());
  on("click", "[data-print]", () => window.print());
  on("click", "[data-fold]", (b) => {
    const narrow = root.dataset.side !== "narrow";
    if (narrow) root.dataset.side = "narrow"; else delete root.dataset.side;
    b.setAttribute("aria-pressed", narrow);
    document.cookie = `nav=${narrow ? "narrow" : "wide"};path=/;max-age=31536000;samesite=lax`;
  });
  on("click", "[data-tree]", (b) => b.setAttribute("aria-expanded", b.getAttribute("aria-expanded") !== "true"));
  on("input", "[data-filter-list]", (field) => {
    const wanted = field.value.normalize("NFKC").toLowerCase();
    for (const line of all("li", field.parentElement)) line.hidden = !line.textContent.normalize("NFKC").toLowerCase().includes(wanted);
  });
  for (const type of ["dragover", "dragleave", "drop"]) on(type, "[data-drop]", (box, event) => {
    event.preventDefault();
    box.classList.toggle("over", type === "dragover");
    if (type !== "drop") return;
    const input = box.querySelector("input[type=file]");
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  /* Forms: no double sending, and a warning before changes are lost. */
  let changed = false;
  on("input", "form[data-guard]", () => { changed = true; });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    changed = false;
    if (event.target.method === "dialog" || event.submitter?.formMethod === "get" || event.target.method === "get" || event.target.closest("[hx-post]")) return;
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(release, 8000); // an answer that is a file leaves the page as it is
  });
  const release = () => {
    for (const form of all("form[data-sent]")) delete form.dataset.sent;
    for (const b of all(".btn[aria-busy]")) b.removeAttribute("aria-busy");
  };
  addEventListener("pageshow", (event) => { if (event.persisted) release(); });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
  on("click", ".btn[aria-disabled=true]", (b, event) => event.preventDefault());

  /* Selection: counted, kept while paging in place. */
  const kept = new Map();
  const count = (list) => {
    const bar = list.querySelector("[data-bulk]");
    if (!bar) return;
    const picked = kept.get(list.id) ?? kept.set(list.id, new Set()).get(list.id);
    const boxes = all("[name=row]:not([type=hidden])", list);
    const whole = bar.querySelector("[name=all]");
    if (whole?.checked) for (const box of boxes) box.checked = true;
    for (const box of boxes) picked[box.checked ? "add" : "delete"](box.value);
    const elsewhere = [...picked].filter((id) => !boxes.some((box) => box.value === id));
    all("[data-elsewhere]", bar).forEach((one) => one.remove());
    for (const id of elsewhere) bar.append(element("input", { type: "hidden", name: "row", value: id, "data-elsewhere": "" }));
    bar.classList.toggle("kept", elsewhere.length > 0);
    const words = bar.querySelector("[data-picked]");
    words.textContent = whole?.checked ? words.dataset.pickedAll : words.dataset.picked.replace("{count}", picked.size);
    const top = list.querySelector("[data-pick-all]");
    if (top) {
      const checked = boxes.filter((box) => box.checked).length;
      top.checked = checked > 0 && checked === boxes.length;
      top.indeterminate = checked > 0 && checked < boxes.length;
      bar.querySelector("[data-all-that-match]")?.classList.toggle("offered", top.checked);
    }
  };
  const notAll = (list) => { const whole = list.querySelector("[data-bulk] [name=all]"); if (whole) whole.checked = false; };
  on("change", "[name=row]", (box) => { if (!box.checked) notAll(box.closest(".list")); count(box.closest(".list")); });
  on("change", "[data-bulk] [name=all]", (whole) => count(whole.closest(".list")));
  on("change", "[data-pick-all]", (top) => {
    const list = top.closest(".list");
    if (!top.checked) notAll(list);
    for (const box of all("[name=row]", list)) box.checked = top.checked;
    count(list);
  });

  /* Combobox: an input with a list over an ordinary select. What fits on a screen stays one: a single choice. */
  let number = 0;
  const combobox = (select) => {
    if (select.dataset.ready || (select.dataset.combobox === "own" && select.options.length <= 12)) return;
    select.dataset.ready = "1";
    const id = `combo-${++number}`, remote = select.dataset.combobox !== "own" && select.dataset.combobox;
    const label = document.querySelector(`label[for="${select.id}"]`);
    const input = element("input", { type: "text", class: select.className.replace("form-select", "form-control"), role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list" });
    for (const name of ["aria-describedby", "aria-invalid"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    const list = element("ul", { id, class: "combo-list", role: "listbox", hidden: "" });
    const box = element("div", { class: "combo" });
    const state = element("span", { class: "sr-only", role: "status" });
    input.value = select.value ? select.selectedOptions[0].text : "";
    input.id = select.id; select.id += "-select"; select.hidden = true;
    if (label) { label.htmlFor = input.id; list.setAttribute("aria-label", label.textContent.trim()); }
    select.before(box); box.append(input, list, state);
    let at = -1, timer;
    const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
    const choose = (option) => {
      if (![...select.options].some((one) => one.value === option.value)) select.add(new Option(option.label, option.value));
      select.value = option.value; input.value = option.label;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      close();
    };
    const show = (options) => {
      list.replaceChildren(...options.map((option, i) => {
        const line = element("li", { id: `${id}-${i}`, role: "option", "aria-selected": "false" }, option.label);
        if (option.hint) line.append(element("span", { class: "small" }, option.hint));
        line.addEventListener("mousedown", (event) => { event.preventDefault(); choose(option); });
        line.choose = () => choose(option);
        return line;
      }));
      if (!options.length) list.append(element("li", { class: "combo-none", role: "option", "aria-disabled": "true" }, body.dataset.none));
      state.textContent = options.length ? body.dataset.found.replace("{count}", options.length) : body.dataset.none;
      at = -1; list.hidden = false; input.setAttribute("aria-expanded", "true");
    };
    const look = async (text) => {
      if (remote) {
        const answer = await fetch(`${remote}${remote.includes("?") ? "&" : "?"}q=${encodeURIComponent(text)}`);
        if (answer.ok) show((await answer.json()).options);
        return;
      }
      const wanted = text.normalize("NFKC").toLowerCase();
      show([...select.options].filter((one) => one.value && one.text.normalize("NFKC").toLowerCase().includes(wanted)).slice(0, 50).map((one) => ({ value: one.value, label: one.text, hint: one.dataset.hint })));
    };
    input.addEventListener("input", () => { select.value = ""; clearTimeout(timer); timer = setTimeout(look, remote ? 200 : 0, input.value); });
    input.addEventListener("blur", () => { close(); if (!select.value) input.value = ""; });
    input.addEventListener("click", () => look(""));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); return; }
      if (event.key === "Enter" && !list.hidden && at >= 0) { event.preventDefault(); list.children[at].choose?.(); return; }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      if (list.hidden) { look(""); return; }
      const lines = list.children;
      lines[at]?.setAttribute("aria-selected", "false");
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + lines.length) % lines.length;
      lines[at].setAttribute("aria-selected", "true"); lines[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", lines[at].id);
    });
  };

  /* Keys: / searches, g then h, l or d goes, ? explains. */
  let before = "";
  const keysOff = () => body.dataset.keys === "off" || document.cookie.includes("keys=off");
  on("click", "[data-keys-toggle]", () => { document.cookie = `keys=${keysOff() ? "on" : "off"};path=/;max-age=31536000;samesite=lax`; document.getElementById("keys").close(); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const target = { h: "home", l: "license", d: "device-desktop" }[event.key];
    if (event.key === "?") document.getElementById("keys")?.showModal();
    else if (keysOff()) return;
    else if (event.key === "/") {
      const search = all("#search, .filter-bar input[type=search]").find((one) => one.offsetParent);
      if (search) { event.preventDefault(); search.focus(); }
    } else if (before === "g" && target) document.querySelector(`.side [data-key="${target}"]`)?.click();
    before = event.key;
  });

  /* What every new part of a page needs. */
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const fits = target.firstElementChild.offsetWidth <= target.clientWidth + 1;
      target.classList.toggle("fits", fits); target.classList.toggle("wide", !fits);
    }
  });
  const prepare = () => {
    all(".table-region").forEach((region) => sizes.observe(region));
    all("select[data-combobox]").forEach(combobox);
    all(".list").forEach((list) => {
      for (const box of all("[name=row]", list)) if (kept.get(list.id)?.has(box.value)) box.checked = true;
      if (kept.get(list.id)?.size) count(list);
    });
    document.querySelector("[data-focus]")?.focus();
  };
  prepare();
  if (document.querySelector("[data-print-now]")) addEventListener("load", () => window.print());
  document.addEventListener("htmx:after:swap", prepare);
  document.addEventListener("htmx:before:request", (event) => event.detail.ctx?.target?.setAttribute?.("aria-busy", "true"));
  document.addEventListener("htmx:finally:request", (event) => event.detail.ctx?.target?.removeAttribute?.("aria-busy"));
})();
