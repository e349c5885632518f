"use strict";
// Every page can be read without this file; what stands here only saves a press or a wait, and keeps a phone tidy.
(() => {
  const CACHE = "tepat-field", COPIED = "tepat-field-copied", OWNER = "tepat-field-owner", QUEUE = "tepat-field-queue";
  const LEAVING = "tepat-leaving", LONGEST_MS = 14 * 24 * 3600 * 1000;
  const user = document.body.dataset.user, signingIn = location.pathname === "/sign-in";
  let here, now;
  try { [here, now] = [window.localStorage, window.sessionStorage]; } catch { return; }
  const waiting = () => JSON.parse(here.getItem(QUEUE) || "[]");

  function forgetCopy() {
    here.removeItem(COPIED);
    here.removeItem(OWNER);
    return window.caches ? caches.delete(CACHE).catch(() => {}) : null;
  }

  // Only once the session is over: a sign-out without a line ends nothing, and must not cost a visit.
  if (signingIn && now.getItem(LEAVING) !== null) {
    here.setItem(QUEUE, JSON.stringify(waiting().filter((visit) => visit.user !== now.getItem(LEAVING))));
  }
  if (signingIn || user) now.removeItem(LEAVING);

  const owner = JSON.parse(here.getItem(OWNER) || "{}");
  const old = !(Date.now() - owner.at < LONGEST_MS);
  if (signingIn || (user && (owner.user !== user || old))) forgetCopy();

  document.addEventListener("submit", (event) => {
    if (!event.target.matches('form[action="/sign-out"]')) return;
    const all = waiting(), mine = all.filter((visit) => visit.user === user);
    const words = event.target.dataset.waiting.replace("{all}", all.length).replace("{mine}", mine.length);
    if (all.length && !window.confirm(words)) event.preventDefault();
    else now.setItem(LEAVING, user);
  });
})();
