// Selects records: by row, by page, or all that match.
import { showAppUnavailable } from "./dialpad_app.js";

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
  let selection = null; // of all that match

  const selectedRows = () => rows.filter((row) => row.checked);

  function render() {
    const n = selectedRows().length;
    pageBox.checked = n === rows.length;
    pageBox.indeterminate = n > 0 && n < rows.length;
    for (const row of rows) row.closest("tr").classList.toggle("chosen", row.checked);
    bar.hidden = n === 0;
    allButton.hidden = Boolean(selection) || n < rows.length || total <= rows.length;
    list.querySelector("[data-chosen]").textContent = selection ? `All ${selection.count} ${noun} selected` : `${n} selected`;
  }

  function clear() {
    selection = null;
    for (const row of rows) row.checked = false;
    render();
  }

  async function selectAll() {
    const response = await fetch("/selection", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ module, q }),
    });
    if (response.ok) selection = await response.json();
    render();
  }

  pageBox.addEventListener("change", () => {
    selection = null;
    for (const row of rows) row.checked = pageBox.checked;
    render();
  });
  for (const row of rows) {
    row.addEventListener("change", () => {
      selection = null;
      render();
    });
  }
  allButton.addEventListener("click", selectAll);
  list.querySelector("[data-none]").addEventListener("click", clear);
  list.querySelector("[data-text]").addEventListener("click", () => {
    if (!window.DialpadTexting) return showAppUnavailable();
    const ids = selectedRows().map((row) => row.value);
    if (selection) window.DialpadTexting.bulk({ module, selection: selection.selection, count: selection.count });
    else window.DialpadTexting.bulk({ module, recordIds: ids, count: ids.length });
  });
  render();
}
