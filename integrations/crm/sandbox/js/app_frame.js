// Shows a page of the app in an iframe: posts a launch token into it and
// answers its messages. Messages of other windows or origins are ignored.
import { appURL, getToken, openDetail, openUpgrade } from "./dialpad_app.js";

const app = "dialpad-texting";
const loadTimeoutMillis = 8000;

export function startFrame() {
  const box = document.querySelector("[data-frame]");
  if (box) start(box);
}

function start(box) {
  const frame = box.querySelector("iframe");
  const loading = box.querySelector("[data-loading]");
  const failed = box.querySelector("[data-failed]");
  let posted = false;
  let timer = 0;

  function show(part) {
    clearTimeout(timer);
    loading.hidden = part !== loading;
    failed.hidden = part !== failed;
    frame.hidden = part !== frame;
  }

  async function open() {
    show(loading);
    timer = setTimeout(() => show(failed), loadTimeoutMillis);
    try {
      // The response to a form in a frame cannot be read: check first that
      // the app is up.
      await fetch(appURL + "/embed/sdk.js", { mode: "no-cors", cache: "no-store" });
      const token = await getToken({ use: "page" });
      posted = true;
      post(box.dataset.frame + location.search, token);
    } catch {
      show(failed);
    }
  }

  function post(action, token) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = action;
    form.target = frame.name;
    form.hidden = true;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "token";
    field.value = token;
    form.append(field);
    document.body.append(form);
    form.submit();
    form.remove();
  }

  async function onMessage(event) {
    if (event.source !== frame.contentWindow || event.origin !== appURL || event.data?.app !== app) return;
    switch (event.data.type) {
      case "ready":
        return show(frame);
      case "resize":
        return resize(frame, event.data.height);
      case "open_detail":
        return openDetail();
      case "upgrade":
        return openUpgrade(event.data.plans);
      case "place":
        return keepPlace(event.data.query);
      case "close":
        return location.assign("/");
      case "token_needed":
        return frame.contentWindow.postMessage({ app, type: "token", token: await getToken({ use: "page" }) }, appURL);
    }
  }

  addEventListener("message", (event) => onMessage(event).catch(() => {}));
  frame.addEventListener("load", () => {
    if (posted) show(frame);
  });
  box.querySelector("[data-retry]").addEventListener("click", open);
  open();
}

// keepPlace puts the place in the app into this page's address, so that a
// reload and a copied link lead there.
function keepPlace(query) {
  if (typeof query === "string") history.replaceState(history.state, "", location.pathname + (query ? "?" + query : ""));
}

function resize(frame, height) {
  const wanted = Math.ceil(Number(height));
  if (wanted > 0) frame.height = String(Math.max(360, Math.min(wanted, 20000)));
}
