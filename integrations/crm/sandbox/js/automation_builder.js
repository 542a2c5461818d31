// The automation builder: fills each select with the app's options.
export function startBuilder() {
  const form = document.querySelector("[data-builder]");
  for (const field of form?.querySelectorAll("[data-options]") ?? []) startField(field);
}

const searchThreshold = 6; // options; a shorter list needs no search
const debounceMillis = 250;
const maxPages = 5;

function startField(field) {
  const select = field.querySelector("select");
  const filter = field.querySelector(".filter");
  const state = field.querySelector("[data-state]");
  let value = field.dataset.value;
  let lastRequest = 0;
  let timer = 0;

  async function load() {
    const request = ++lastRequest;
    try {
      const answer = await fetchOptions(field.dataset.field, filter.value, value);
      if (request === lastRequest) render(answer);
    } catch {
      if (request === lastRequest) showMessage("Dialpad is not answering. Try again in a few minutes.", null);
    }
  }

  function render(answer) {
    if (answer.state) return showMessage(answer.state.message, answer.state.link);
    state.hidden = true;
    select.hidden = false;
    select.replaceChildren(...optionElements(answer.options ?? []));
    select.value = value;
    if (!filter.value && (answer.options ?? []).length > searchThreshold) filter.hidden = false;
  }

  function optionElements(options) {
    const list = [option("", "Choose…")];
    if ("owner" in field.dataset) list.push(option("owner", "Record’s owner"));
    for (const o of options) {
      const text = o.description ? `${o.label} · ${o.description}` : o.label;
      list.push(option(String(o.value), o.inactive ? `${text} (inactive)` : text));
    }
    if (!list.some((o) => o.value === value)) list.push(option(value, value));
    return list;
  }

  // showMessage shows the app's message instead of the list.
  function showMessage(message, link) {
    select.hidden = true;
    filter.hidden = true;
    state.hidden = false;
    state.replaceChildren(...(link && message.includes(link.text) ? withLink(message, link) : [message]));
  }

  select.addEventListener("change", () => (value = select.value));
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, debounceMillis);
  });
  load();
}

function withLink(message, link) {
  const at = message.indexOf(link.text);
  const a = document.createElement("a");
  a.href = link.url;
  a.textContent = link.text;
  return [message.slice(0, at), a, message.slice(at + link.text.length)];
}

function option(value, text) {
  return new Option(text, value);
}

// fetchOptions reads up to maxPages pages of options.
async function fetchOptions(field, q, value) {
  const options = [];
  let cursor = "";
  for (let page = 0; page < maxPages; page++) {
    const response = await fetch("/automation/options", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ field, q, cursor, value }),
    });
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    options.push(...(answer.options ?? []));
    if (answer.state || !answer.next) return { ...answer, options };
    cursor = answer.next;
  }
  return { options };
}
