// Parts of a page that follow what happens: asked for again every second while
// the page is seen, and redrawn only when something changed.
const pace = 1000;

export function startLive() {
  for (const part of document.querySelectorAll("[data-live]")) follow(part);
}

function follow(part) {
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
      // The sandbox was stopped; it may come back.
    }
    if (!document.hidden) timer = setTimeout(refresh, pace);
  }

  addEventListener("crm:refresh", refresh);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  timer = setTimeout(refresh, pace);
}
