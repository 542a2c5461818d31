// Keeps the list of phones up to date without disturbing somebody who
// is typing.
const list = document.getElementById("phones");
const empty = document.getElementById("empty");
const state = document.getElementById("state");
let announced = new Set([...list.querySelectorAll("[data-id]")].map((li) => li.dataset.id));

function showStatus(text) {
  if (state.textContent !== text) state.textContent = text;
}

function announceNew(fresh) {
  const arrived = fresh.filter((li) => li.classList.contains("in"));
  fresh.forEach((li) => li.classList.add("fresh"));
  if (arrived.length === 1) showStatus(`Live. New text for ${arrived[0].closest("[data-number]").dataset.number}.`);
  else if (arrived.length > 1) showStatus(`Live. ${arrived.length} new texts.`);
}

// updatePhone updates a phone in place. Its form is replaced only when
// nobody is using it.
function updatePhone(old, next) {
  old.querySelector("header").replaceWith(next.querySelector("header"));
  old.querySelector(".thread").replaceWith(next.querySelector(".thread"));
  const form = old.querySelector("form");
  if (!form.contains(document.activeElement) && !form.elements.text.value) form.replaceWith(next.querySelector("form"));
  return old;
}

function updateList(html) {
  const fetched = new DOMParser().parseFromString(`<ul>${html}</ul>`, "text/html").querySelector("ul");
  const old = new Map([...list.children].map((li) => [li.dataset.number, li]));
  const active = list.contains(document.activeElement) ? document.activeElement.closest("[data-number]") : null;
  const next = [...fetched.children].map((li) => (old.has(li.dataset.number) ? updatePhone(old.get(li.dataset.number), li) : li));
  // Moving an element takes its focus: move the others around it.
  next.forEach((li, i) => {
    if (li !== active && list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null);
  });
  [...list.children].forEach((li) => next.includes(li) || li.remove());
  empty.hidden = next.length > 0;
  const fresh = [...list.querySelectorAll("[data-id]")].filter((li) => !announced.has(li.dataset.id));
  announced = new Set([...list.querySelectorAll("[data-id]")].map((li) => li.dataset.id));
  announceNew(fresh);
}

let running = false;
let again = false;
async function refresh() {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    try {
      const answer = await fetch("/phones/threads");
      if (answer.ok) updateList(await answer.text());
    } catch {
      showStatus("Not connected. Trying again.");
    }
  }
  running = false;
}

const events = new EventSource("/phones/events");
events.onopen = () => showStatus("Live. Texts appear by themselves.");
events.onmessage = refresh;
events.onerror = () => showStatus("Not connected. Trying again.");

list.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) }).catch(() => null);
  if (!answer || !answer.ok || new URL(answer.url).searchParams.has("refused")) showStatus("That answer was not sent.");
  else form.elements.text.value = "";
  refresh();
});
