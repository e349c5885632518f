"use strict";
// The list works without this: it only prints at a press, and marks all households of a page at once.
for (const button of document.querySelectorAll("button.print")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
const boxes = [...document.querySelectorAll('.lines input[name="household"]')];
const head = document.querySelector(".lines thead th.screen");
if (boxes.length > 1 && head) {
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", head.textContent.trim());
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  head.append(all);
}
// On a phone the households come first, unless they are being sifted.
const sift = document.querySelector("details.sift");
if (sift && matchMedia("(max-width: 40rem)").matches && ![...sift.querySelectorAll("select")].some((one) => one.selectedIndex > 0)) sift.open = false;
