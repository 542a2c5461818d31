// Polls the live parts of a page while it is visible, and redraws them
// only when they changed.
const pollMillis = 1000;

export function startLive() {
  for (const part of document.querySelectorAll("[data-live]")) poll(part);
}

function poll(part) {
  let tag = "";
  let timer = 0;

  async function refresh() {
    clearTimeout(timer);
    try {
      const response = await fetch(part.dataset.live, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (response.status === 200) {
        tag = response.headers.get("ETag") ?? "";
        const html = await response.text();
        if (html !== part.innerHTML) part.innerHTML = html;
      }
    } catch {
      // The sandbox may come back.
    }
    if (!document.hidden) timer = setTimeout(refresh, pollMillis);
  }

  addEventListener("crm:refresh", refresh);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  timer = setTimeout(refresh, pollMillis);
}
