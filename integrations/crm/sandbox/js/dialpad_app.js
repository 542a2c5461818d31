// Connects a CRM page to the Dialpad app: provides launch tokens and
// handles the app's messages.
export const appURL = document.body.dataset.appUrl;

export async function getToken({ use, ctx }) {
  const response = await fetch("/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ use, ctx: ctx ?? null }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer.token;
}

export function openDetail() {
  location.assign("/apps/dialpad");
}

// openUpgrade offers the plans that the app names, or all with Dialpad.
export function openUpgrade(offer) {
  const plans = Array.isArray(offer) ? offer : offer?.plans ?? [];
  const dialog = document.getElementById("upgrade");
  let first = null;
  for (const plan of dialog.querySelectorAll("[data-plan]")) {
    plan.hidden = plans.length > 0 && !plans.includes(plan.dataset.plan);
    if (!plan.hidden) first ??= plan.querySelector("input");
  }
  if (first) first.checked = true;
  if (!dialog.open) dialog.showModal();
}

export function startDialpad() {
  const dialog = document.getElementById("upgrade");
  dialog?.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  window.DialpadTexting?.init({
    app: appURL,
    getToken,
    onOpenDetail: openDetail,
    onUpgrade: openUpgrade,
    onSent: () => dispatchEvent(new Event("crm:refresh")),
  });
}

// showAppUnavailable says that the app's script could not be loaded.
export function showAppUnavailable() {
  let note = document.querySelector("[data-no-app]");
  if (!note) {
    note = document.createElement("p");
    note.className = "note bad";
    note.dataset.noApp = "";
    note.setAttribute("role", "alert");
    document.querySelector("main").prepend(note);
  }
  note.textContent = "The Dialpad app does not answer. Start it, then reload this page.";
}
