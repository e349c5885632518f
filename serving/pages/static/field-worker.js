"use strict";
// Without a line, pages of /field and what they are drawn with come from the copy that the reader chose to keep.
const CACHE = "tepat-field";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "GET" || new URL(url).origin !== self.location.origin) return;
  event.respondWith(fetch(event.request).catch(() => kept(event.request)));
});

async function kept(request) {
  const cache = await caches.open(CACHE);
  // The copy is of whoever is signed in on this phone; tepat.js deletes it for anybody else.
  // It is of one narrowing of a list, and says which; whatever else an address asks for, there is nothing but that.
  const there = async (asked) => cache.match(asked, { ignoreVary: true });
  const found = (await there(request)) || (await there(new URL(request.url).pathname));
  return found || Response.error();
}
