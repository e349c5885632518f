"use strict";
// Files of a job go up as they are, over the routes of /v1/jobs; without this file the page says how else.
(() => {
  const form = document.getElementById("upload");
  if (form) {
    const words = form.dataset, kinds = JSON.parse(words.kinds);
    const sent = document.getElementById("sent"), bar = document.getElementById("bar");
    const job = document.getElementById("state").dataset.job;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const file = document.getElementById("file").files[0];
      const kind = file && kinds[file.name.split(".").pop().toLowerCase()];
      if (!kind) { sent.textContent = words.kind; return; }
      if (file.size > words.most * 2 ** 20) { sent.textContent = words.large; return; }
      const button = form.querySelector("button"), asked = new XMLHttpRequest();
      const over = (text) => { button.disabled = false; bar.hidden = true; sent.textContent = text; };
      asked.open("PUT", `/v1/jobs/${job}/files/${document.getElementById("register").value}`);
      asked.setRequestHeader("Content-Type", kind);
      if (words.csrf) asked.setRequestHeader("X-CSRF-Token", words.csrf);
      asked.upload.onprogress = (event) => {
        bar.value = event.loaded / event.total;
        sent.textContent = `${words.sent} ${Math.floor(100 * event.loaded / event.total)}%`;
      };
      asked.onerror = () => over(words.broken);
      asked.onload = () => {
        if (asked.status === 200) { sent.textContent = words.done; location.reload(); return; }
        let why = "";
        try { why = JSON.parse(asked.responseText).detail; } catch (fault) { why = String(asked.status); }
        over(`${words.wrong} ${why}`);
      };
      button.disabled = true;
      bar.hidden = false;
      asked.send(file);
    });
  }
  // Nothing can be typed while the gate sits, or registers are checked.
  const turn = document.querySelector("#turn[data-running]");
  if (turn) {
    const here = turn.dataset.running;
    setInterval(async () => {
      const answer = await fetch(here, { headers: { Accept: "text/html" } }).catch(() => null);
      // Not a reload: that would send again what was sent to come here.
      if (answer && answer.ok && !(await answer.text()).includes("data-running")) location.replace(here);
    }, 4000);
  }
  const state = document.getElementById("state");
  if (state && ["waiting", "running"].includes(state.dataset.state)) {
    setInterval(async () => {
      const answer = await fetch(`/v1/jobs/${state.dataset.job}`).catch(() => null);
      if (!answer || !answer.ok) return;
      const now = await answer.json();
      const bar = document.getElementById("how-far");
      if (now.state !== state.dataset.state || (now.households && !bar)) location.reload();
      else if (bar) bar.value = now.households_done;
    }, 3000);
  }
})();
