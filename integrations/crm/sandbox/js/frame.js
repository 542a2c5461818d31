// A page of the app in a frame of ours: a token is posted into it by form, and its
// messages are answered. Only this frame's window at the app's own origin is heard.
import { appURL, getToken, openDetail, openUpgrade } from "./dialpad.js";

const app = "dialpad-texting";
const patience = 8000;

export function startFrame() {
  const box = document.querySelector("[data-frame]");
  if (box) start(box);
}

function start(box) {
  const frame = box.querySelector("iframe");
  const loading = box.querySelector("[data-loading]");
  const lost = box.querySelector("[data-lost]");
  let posted = false;
  let timer = 0;

  function show(part) {
    clearTimeout(timer);
    loading.hidden = part !== loading;
    lost.hidden = part !== lost;
    frame.hidden = part !== frame;
  }

  async function open() {
    show(loading);
    timer = setTimeout(() => show(lost), patience);
    try {
      // The answer to a frame's form is opaque to us; ask first whether anybody is there.
      await fetch(appURL + "/embed/sdk.js", { mode: "no-cors", cache: "no-store" });
      const token = await getToken({ use: "page" });
      posted = true;
      post(box.dataset.frame, token);
    } catch {
      show(lost);
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

  async function answer(event) {
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
      case "close":
        return location.assign("/");
      case "token_needed":
        return frame.contentWindow.postMessage({ app, type: "token", token: await getToken({ use: "page" }) }, appURL);
    }
  }

  addEventListener("message", (event) => answer(event).catch(() => {}));
  frame.addEventListener("load", () => {
    if (posted) show(frame);
  });
  box.querySelector("[data-retry]").addEventListener("click", open);
  open();
}

function resize(frame, height) {
  const wanted = Math.ceil(Number(height));
  if (wanted > 0) frame.height = String(Math.max(360, Math.min(wanted, 20000)));
}
