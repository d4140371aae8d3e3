"use strict";
const rows = [...document.querySelectorAll("tbody tr[data-words]")];
const dots = new Map([...document.querySelectorAll("circle[data-row]")].map((dot) => [dot.dataset.row, dot]));
const words = document.querySelector("[data-filter-words]");
const choices = [...document.querySelectorAll("[data-filter-field]")];
const clean = document.querySelector("[data-filter-warnings]");
const shown = document.getElementById("shown");
// The same as Filter.matches in analyzer/runs/portfolio.py; the rows carry its facts as data attributes.
function filter() {
  const wanted = words.value.toUpperCase().toLowerCase().split(/[ \t\n\r\f\v\u00a0\u3000]+/);
  let count = 0;
  for (const row of rows) {
    const fits = wanted.every((word) => row.dataset.words.includes(word))
      && choices.every((choice) => !choice.value || row.dataset[choice.dataset.filterField] === choice.value)
      && !(clean.checked && row.dataset.warnings);
    row.hidden = !fits;
    const dot = dots.get(row.id);
    if (dot) dot.parentNode.classList.toggle("dim", !fits);
    count += fits;
  }
  shown.textContent = count === rows.length ? `All ${count} are shown.` : `${count} of ${rows.length} are shown.`;
}
for (const field of [words, ...choices, clean]) field.addEventListener("input", filter);
document.getElementById("filters").hidden = false;
filter();
