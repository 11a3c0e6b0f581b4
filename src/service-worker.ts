/// <reference lib="webworker" />
/**
 * Adds the two headers that isolate the site from other origins, for static hosts that cannot send
 * them: with them WebAssembly gets threads. It keeps nothing and changes nothing else.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;

worker.addEventListener('install', () => void worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
	const { request } = event;
	const url = new URL(request.url);
	// Pages and the scripts of threads need the headers; all else of an isolated page is of this site, or asks by CORS.
	const needs = request.mode === 'navigate' || request.destination === 'worker';
	if (!needs || url.origin !== worker.location.origin || url.searchParams.has('no-sw')) return;
	event.respondWith(fetch(request).then(isolated));
});

function isolated(response: Response): Response {
	// A redirect of a navigation is followed by the browser, which asks again.
	if (response.status === 0 || response.type === 'opaqueredirect') return response;
	const headers = new Headers(response.headers);
	headers.set('Cross-Origin-Opener-Policy', 'same-origin');
	headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
	const empty = response.status === 204 || response.status === 304;
	return new Response(empty ? null : response.body, { status: response.status, statusText: response.statusText, headers });
}
