/**
 * Makes the app start without a network.
 *
 * Each version of the app has a cache of its own, filled before the version is used. A page and the files that it names
 * come from one build, because file names contain a hash: versions never mix. Responses of the API are never cached here.
 */
declare const self: ServiceWorkerGlobalScope;

/** The paths of all files of this build; written by `vite-plugins/service-worker-files.ts`. */
declare const __FILES__: string[];
declare const __VERSION__: string;

const CACHE = `app-${__VERSION__}`;

/** Two, because open tabs of the version before this one still load parts of it. */
const VERSIONS_KEPT = 2;

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === "/" || url.pathname.startsWith("/assets/")) {
    event.respondWith(respond(request, url));
  }
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // `reload`: the page must not come from the browser's own cache, where it may be older than its files.
  await cache.addAll(__FILES__.map((file) => new Request(file, { cache: "reload" })));
  await checkPage(cache);
  await self.skipWaiting();
}

/** While servers of two versions answer, the page may come from the other one: install later then. */
async function checkPage(cache: Cache): Promise<void> {
  const page = await cache.match("/");
  const named = (await page?.text())?.match(/\/assets\/[^"]+/g) ?? [];
  const foreign = named.filter((file) => !__FILES__.includes(file));
  if (foreign.length > 0) {
    await caches.delete(CACHE);
    throw new Error(`The page is of another version, which has ${foreign.join(", ")}.`);
  }
}

async function activate(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith("app-"));
  const others = names.filter((name) => name !== CACHE);
  const outdated = others.slice(0, Math.max(0, others.length - (VERSIONS_KEPT - 1)));
  await Promise.all(outdated.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** Respond from the cache of this version, else from that of another one, else from the network. */
async function respond(request: Request, url: URL): Promise<Response> {
  const current = await caches.open(CACHE);
  const key = url.pathname === "/" ? "/" : request;
  // Responses say `Vary: Origin`, and a page requests its scripts with an Origin; the files are the same for both.
  const options = { ignoreVary: true };
  const cached = (await current.match(key, options)) ?? (await caches.match(key, options));
  return cached ?? fetch(request);
}

export {};
