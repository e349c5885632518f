"use strict";
// Visits and lists on a poor line. Everything here works without this file while there is a line.
(() => {
  const CACHE = "tepat-field", COPIED = "tepat-field-copied", OWNER = "tepat-field-owner", QUEUE = "tepat-field-queue";
  const MOST_PAGES = 4;  // of a list on a phone: what one person visits, and no whole district
  const box = document.querySelector("[data-offline]");
  if (!box || !window.localStorage || !window.fetch) return;
  const words = box.dataset;
  const copyLine = box.querySelector("[data-copy]"), queueList = box.querySelector("[data-queue]");
  const saveButton = box.querySelector("[data-save]"), dropButton = box.querySelector("[data-drop]");
  const canCopy = "serviceWorker" in navigator && "caches" in window;

  const waiting = () => JSON.parse(localStorage.getItem(QUEUE) || "[]");
  const mine = () => waiting().filter((visit) => visit.user === words.user);
  const keep = (visits) => localStorage.setItem(QUEUE, JSON.stringify(visits));
  const token = () => (document.querySelector('input[name="csrf_token"]') || {}).value || "";
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const nameOf = (path) => decodeURIComponent(path.split("/").pop());

  // Of a visit that waits, the danger is told until its household is opened: on that page, and then no more.
  const opened = new Set();
  function openHere() {
    for (const visit of mine()) if (visit.urgent && visit.path === location.pathname) opened.add(visit.key);
    if (opened.size) keep(waiting().map((one) => (opened.has(one.key) ? { ...one, urgent: false } : one)));
  }

  // Of a visit that was refused, what was filled in stays until it is saved after all or deleted.
  const unlessRefused = (path) => waiting().filter((one) => !(one.refused && one.path === path && one.user === words.user));

  function say(text, path, urgent) {
    const line = document.createElement("li");
    if (urgent) line.className = "urgent";
    line.append(text + " ");
    if (path) {
      const link = document.createElement("a");
      link.href = path;
      link.textContent = nameOf(path.split(/[?#]/)[0]);
      line.append(link);
    }
    queueList.append(line);
    return line;
  }

  function sayRefused(visit) {
    const line = say(words.refused, `${visit.path}#${visit.key}`, false), button = document.createElement("button");
    button.type = "button";
    button.className = "second";
    button.textContent = words.delete;
    button.setAttribute("aria-label", `${words.delete}: ${nameOf(visit.path)}`);
    button.addEventListener("click", () => {
      keep(waiting().filter((one) => one.key !== visit.key));
      tell();
    });
    line.append(" ", button);
  }

  // The form as it was filled in for a visit that was refused.
  function fill() {
    const visit = mine().find((one) => one.refused && one.key === location.hash.slice(1));
    const form = document.querySelector("form[data-visit]");
    if (!visit || !form || visit.path !== location.pathname) return;
    form.reset();
    for (const [name, value] of visit.fields) {
      if (["key", "do", "csrf_token"].includes(name)) continue;
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (["radio", "checkbox"].includes(field.type)) field.checked = field.checked || field.value === value;
        else field.value = value;
      }
    }
    delete form.dataset.keyed;
    form.dataset.replaces = visit.key;
    form.scrollIntoView();
  }

  function tell() {
    const copied = localStorage.getItem(COPIED);
    copyLine.textContent = copied ? `${words.copied} ${copied}.` : "";
    queueList.replaceChildren();
    for (const visit of mine()) {
      if (visit.urgent || opened.has(visit.key)) say(words.urgent, visit.path, true);
      if (visit.refused) sayRefused(visit);
      else say(words.waits, visit.path, false);
    }
    if (dropButton) dropButton.hidden = !copied;
    if (saveButton) saveButton.hidden = !canCopy;
    box.hidden = !((canCopy && saveButton) || copied || mine().length);
  }

  async function get(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html,*/*" } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    return answer;
  }

  // The list as it is narrowed, from its first page on, with its households; of a long one its first pages.
  // Their addresses without what narrows them, by which every link finds them; later pages have one of their own.
  async function gathered() {
    const pages = new Map([["/field", await get("/field")]]), homes = new Set(), beside = new Set();
    for (let next = words.list, left = MOST_PAGES; next && left; left -= 1) {
      const answer = await get(next), page = new DOMParser().parseFromString(await answer.clone().text(), "text/html");
      pages.set(next === words.list ? location.pathname : next, answer);
      for (const link of page.querySelectorAll("[data-households] a")) homes.add(link.getAttribute("href"));
      if (next === words.list) for (const link of page.querySelectorAll("[data-beside] a")) beside.add(link.getAttribute("href"));
      next = (page.querySelector('a[rel="next"]') || { getAttribute: () => "" }).getAttribute("href");
    }
    const drawn = [...document.querySelectorAll('link[rel="stylesheet"], script[src]')].map((one) => one.href || one.src);
    for (const address of drawn) pages.set(address.split("?")[0], await get(address));
    let count = 0;
    for (const address of new Set([...beside, ...homes])) {
      // One that moved away since, or is not scored any more, is on the list still; the others are of use without it.
      const answer = await get(address).catch((fault) => { if (fault.message !== "404") throw fault; });
      if (answer) { pages.set(address.split("?")[0], answer); count += homes.has(address); }
    }
    return { pages, count };
  }

  // One copy at a time, so that its day and what it is of hold for all of it; that before stays until this one has come.
  async function copy() {
    copyLine.textContent = words.copying;
    let made;
    try {
      await navigator.serviceWorker.ready;
      made = await gathered();
    } catch {
      copyLine.textContent = words.failed;
      return;
    }
    try {
      localStorage.setItem(OWNER, JSON.stringify({ user: words.user, at: Date.now() }));
      await caches.delete(CACHE);
      const cache = await caches.open(CACHE);
      for (const [address, answer] of made.pages) await cache.put(address, answer);
      const day = new Date().toLocaleString(document.documentElement.lang);
      localStorage.setItem(COPIED, `${day}: ${words.about}, ${words.part.replace("{count}", made.count)}`);
      tell();
    } catch {
      await drop();
      copyLine.textContent = words.failed;
    }
  }

  async function drop() {
    await caches.delete(CACHE);
    localStorage.removeItem(COPIED);
    localStorage.removeItem(OWNER);
    tell();
  }

  const send = (visit, accept) => {
    const fields = new URLSearchParams(visit.fields);
    fields.set("csrf_token", token());
    return fetch(visit.path, { method: "POST", body: fields, headers: { Accept: accept } });
  };

  let sending = false;
  async function sendAll() {
    if (sending || !mine().some((visit) => !visit.refused)) return;
    sending = true;
    const told = [], before = new Set(mine().filter((one) => one.refused).map((one) => one.key));
    try {
      for (const visit of mine().filter((one) => !one.refused)) {
        const answer = await send(visit, "application/json");
        if (answer.status === 201) {
          const kept = await answer.json();
          const over = (one) => one.path === visit.path && one.user === words.user && one.refused && before.has(one.key);
          keep(waiting().filter((one) => one.key !== visit.key && !over(one)));
          told.push([words.sent, `${visit.path}?kept=${kept.kept}`, false]);
          if (kept.urgent) told.push([words.urgent, visit.path, true]);
          if (kept.again) told.push([words.again, visit.path, false]);
        } else if ([401, 403].includes(answer.status)) {
          told.push([words.signedOut, "", false]);
          break;
        } else if (answer.status < 500 && answer.status !== 429) {
          keep(waiting().map((one) => (one.key === visit.key ? { ...one, refused: true } : one)));
        } else {
          break;
        }
      }
    } catch {
      // The line is away again: what waits stays where it is.
    }
    sending = false;
    tell();
    for (const line of told) { say(...line); box.hidden = false; }
  }

  function signs(form) {
    const values = new FormData(form);
    const limit = Number(form.dataset.muac);
    return [...values].some(([name, value]) =>
      (name.startsWith("oedema:") && value === "1") ||
      (name.startsWith("muac_cm:") && value !== "" && Number(value.replace(",", ".")) < limit));
  }

  // What was filled in stays, whatever is told of it.
  function sayOn(form, lines, kind) {
    for (const before of form.querySelectorAll("[data-why]")) before.remove();
    if (!lines.length) return;
    const told = document.createElement("div");
    told.className = kind;
    told.setAttribute("role", "alert");
    told.dataset.why = "";
    for (const [text, code] of lines) {
      const line = document.createElement("p");
      line.textContent = text;
      if (code) line.lang = code;
      told.append(line);
    }
    form.prepend(told);
    told.scrollIntoView();
  }

  function sayWhy(form, refusal, more) {
    const said = [...refusal.querySelectorAll("h1, p")].filter((one) => !one.querySelector("a"));
    sayOn(form, [[words.notKept], ...said.map((one) => [one.textContent, one.lang]), ...(more ? [[more]] : [])], "wrong");
  }

  // Danger is told at once; a score, which is computed by the service, when there is a line again.
  function sayUnchecked(form, why) {
    const danger = signs(form);
    sayOn(form, [...(danger ? [[words.danger]] : []), ...(why ? [[why]] : [])], danger ? "urgent" : "note");
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-visit]")) return;
    event.preventDefault();
    const checks = Boolean(event.submitter) && event.submitter.value === "check";
    if (checks) sayUnchecked(form, "");
    // A copy on the phone is opened more than once; each visit needs a key of its own, also when it is sent twice.
    if (!checks && !form.dataset.keyed) { form.elements.key.value = newKey(); form.dataset.keyed = "1"; }
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrf_token").concat([["do", checks ? "check" : "save"]]);
    const visit = { path: location.pathname, user: words.user, key: form.elements.key.value, fields };
    let why = checks ? words.unchecked : words.kept;
    try {
      const answer = await send(visit, "text/html");
      if (answer.redirected && answer.ok) {
        keep(unlessRefused(visit.path));
        location.assign(answer.url);
        return;
      }
      // Signed out, or the service is away: what was filled in must not be lost.
      if ([401, 403, 429].includes(answer.status) || answer.status >= 500) {
        if (answer.status < 429) why = checks ? words.toCheck : words.signedOut;
        throw new Error(String(answer.status));
      }
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      const shown = parsed.querySelector("main");
      if (!shown.querySelector("form[data-visit]")) {
        // A key that stands for another visit will not do again, and whoever was told so may send this one after all.
        const taken = answer.status === 409;
        if (taken) delete form.dataset.keyed;
        sayWhy(form, shown, taken ? words.anew : "");
        return;
      }
      const place = shown.querySelector("[data-offline]");
      if (place) place.replaceWith(box);
      document.querySelector("main").replaceWith(shown);
      window.scrollTo(0, 0);
      Object.assign(shown.querySelector("form[data-visit]").dataset, form.dataset);
    } catch {
      if (checks) {
        sayUnchecked(form, why);
        return;
      }
      visit.urgent = signs(form);
      keep([...waiting().filter((one) => ![visit.key, form.dataset.replaces].includes(one.key)), visit]);
      delete form.dataset.keyed;
      delete form.dataset.replaces;
      form.reset();
      sayOn(form, []);
      tell();
      copyLine.textContent = why;
      box.hidden = false;
      box.scrollIntoView();
    }
  });

  if (saveButton) saveButton.addEventListener("click", copy);
  if (dropButton) dropButton.addEventListener("click", drop);
  window.addEventListener("online", sendAll);
  if (canCopy) navigator.serviceWorker.register("/field/worker.js", { scope: "/field" }).catch(() => {});
  window.addEventListener("hashchange", fill);
  openHere();
  tell();
  fill();
  sendAll();
})();
