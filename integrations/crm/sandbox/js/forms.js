// Forms that submit on change, and forms that ask for confirmation.
export function submitOnChange() {
  for (const select of document.querySelectorAll("[data-submit]")) {
    select.addEventListener("change", () => select.form.submit());
  }
}

export function confirmSubmit() {
  for (const form of document.querySelectorAll("[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset.confirm)) event.preventDefault();
    });
  }
}
