// Addresses of the CRM's single-page past, /#/app/setup/apps/dialpad, lead to
// the pages of today.
const pages = { "#/app/setup/apps/dialpad": "/apps/dialpad", "#/app/setup/apps": "/apps" };

export function followHash() {
  const go = () => {
    const page = pages[location.hash.replace(/\/$/, "")];
    if (page) location.replace(page);
  };
  addEventListener("hashchange", go);
  go();
}
