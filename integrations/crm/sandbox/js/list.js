// Choosing records: by row, by page, or all that match.
import { sayLost } from "./dialpad.js";

export function startLists() {
  for (const list of document.querySelectorAll("[data-list]")) startList(list);
}

function startList(list) {
  const { module, noun, q } = list.dataset;
  const total = Number(list.dataset.total);
  const rows = [...list.querySelectorAll("[data-row]")];
  const pageBox = list.querySelector("[data-page-all]");
  const bar = list.querySelector("[data-bulk]");
  const allButton = list.querySelector("[data-all]");
  let everything = null;

  const chosen = () => rows.filter((row) => row.checked);

  function draw() {
    const n = chosen().length;
    pageBox.checked = n === rows.length;
    pageBox.indeterminate = n > 0 && n < rows.length;
    for (const row of rows) row.closest("tr").classList.toggle("chosen", row.checked);
    bar.hidden = n === 0;
    allButton.hidden = Boolean(everything) || n < rows.length || total <= rows.length;
    list.querySelector("[data-chosen]").textContent = everything ? `All ${everything.count} ${noun} selected` : `${n} selected`;
  }

  function clear() {
    everything = null;
    for (const row of rows) row.checked = false;
    draw();
  }

  async function selectAll() {
    const response = await fetch("/selection", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ module, q }),
    });
    if (response.ok) everything = await response.json();
    draw();
  }

  pageBox.addEventListener("change", () => {
    everything = null;
    for (const row of rows) row.checked = pageBox.checked;
    draw();
  });
  for (const row of rows) {
    row.addEventListener("change", () => {
      everything = null;
      draw();
    });
  }
  allButton.addEventListener("click", selectAll);
  list.querySelector("[data-none]").addEventListener("click", clear);
  list.querySelector("[data-text]").addEventListener("click", () => {
    if (!window.DialpadTexting) return sayLost();
    const ids = chosen().map((row) => row.value);
    if (everything) window.DialpadTexting.bulk({ module, selection: everything.selection, count: everything.count });
    else window.DialpadTexting.bulk({ module, recordIds: ids, count: ids.length });
  });
  draw();
}
