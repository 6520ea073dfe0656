import { showNotice } from "./notices/notices.ts";

/** Keep the app's files in the browser, and offer to reload when a newer version is there. */
export function startServiceWorker(): void {
  // Missing in insecure origins and in some private modes; the app works all the same, but needs the network.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (workers === undefined) return;

  const hadVersion = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    if (!hadVersion) return;
    showNotice("A new version is ready.", {
      label: "Reload",
      run: () => {
        window.location.reload();
      },
    });
  });
  window.addEventListener("load", () => {
    workers.register("/sw.js").catch(() => {
      // Forbidden storage; the sync state says that nothing is kept.
    });
  });
}
