/*
 * Takes the place of the service worker of an app that was here before: otherwise browsers would go
 * on showing that app from their cache.
 */
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(removeApp()));

async function removeApp() {
  const names = await caches.keys();
  const appNames = names.filter((name) => name.startsWith("app-"));
  await Promise.all(appNames.map((name) => caches.delete(name)));
  await self.registration.unregister();
  const pages = await self.clients.matchAll({ type: "window" });
  await Promise.all(pages.map((page) => page.navigate(page.url)));
}
