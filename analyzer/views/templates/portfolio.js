"use strict";
const rows = [...document.querySelectorAll("tbody tr[data-title]")];
const dots = new Map([...document.querySelectorAll("circle[data-row]")].map((dot) => [dot.dataset.row, dot]));
const fields = [...document.querySelectorAll("[data-filter]")];
const shown = document.getElementById("shown");
function filter() {
  const wanted = Object.fromEntries(fields.map((field) => [field.dataset.filter, field.type === "checkbox" ? field.checked : field.value]));
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const fits = words.every((word) => row.dataset.title.includes(word))
      && ["verdict", "stage", "focus", "category"].every((name) => !wanted[name] || row.dataset[name] === wanted[name])
      && !(wanted.clean && row.dataset.warnings);
    row.hidden = !fits;
    const dot = dots.get(row.id);
    if (dot) dot.parentNode.classList.toggle("dim", !fits);
    count += fits;
  }
  shown.textContent = count === rows.length ? `All ${count} are shown.` : `${count} of ${rows.length} are shown.`;
}
for (const field of fields) field.addEventListener("input", filter);
document.getElementById("filters").hidden = false;
filter();
