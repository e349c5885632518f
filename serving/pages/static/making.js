"use strict";
// Without this a press on a button shows the preview; with it, every choice does.
const form = document.getElementById("making");
const preview = document.getElementById("preview");
if (form && preview) {
  const slider = document.getElementById("slider");
  const visits = document.getElementById("visits");
  const withheld = ["csrf_token", "key", "do", "name"];
  let waiting = 0;
  let asked = null;

  // What was opened stays open, and the keyboard stays where it is.
  const renew = (html) => {
    const named = (summary) => summary.textContent;
    const open = [...preview.querySelectorAll("details[open] > summary")].map(named);
    const at = preview.contains(document.activeElement) ? named(document.activeElement) : null;
    preview.innerHTML = html;
    for (const summary of preview.querySelectorAll("summary")) {
      summary.parentElement.open = open.includes(named(summary));
      if (named(summary) === at) summary.focus();
    }
  };

  const look = async () => {
    const choices = new URLSearchParams([...new FormData(form)].filter(([name]) => !withheld.includes(name)));
    if (asked) asked.abort();
    const mine = new AbortController();
    asked = mine;
    preview.classList.add("busy");
    try {
      const answer = await fetch(`/lists/new/preview?${choices}`, { signal: mine.signal, headers: { Accept: "text/html" } });
      // Signed out, or refused: the button leads to the page that says so.
      if (answer.ok && !answer.redirected) renew(await answer.text());
    } catch (fault) {
      if (fault.name !== "AbortError") throw fault;
    } finally {
      if (asked === mine) preview.classList.remove("busy");
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 150);
  };

  slider.hidden = false;
  slider.addEventListener("input", () => { visits.value = slider.value; });
  visits.addEventListener("input", () => {
    if (Number(visits.value) > Number(slider.max)) slider.max = visits.value;
    slider.value = visits.value;
  });
  form.addEventListener("input", (event) => {
    if (event.target.name !== "name") soon();
  });
  // A second press while the first is on its way would only wait for the same list.
  form.addEventListener("submit", () => setTimeout(() => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  }));
  addEventListener("pageshow", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  });
}
