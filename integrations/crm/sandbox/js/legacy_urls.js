// Redirects old single-page URLs (/#/app/setup/apps/dialpad) to today's
// pages.
const pages = { "#/app/setup/apps/dialpad": "/apps/dialpad", "#/app/setup/apps": "/apps" };

export function redirectLegacyURL() {
  const redirect = () => {
    const page = pages[location.hash.replace(/\/$/, "")];
    if (page) location.replace(page);
  };
  addEventListener("hashchange", redirect);
  redirect();
}
