/**
 * Getting the page isolated from other origins on hosts that do not send the headers: a service
 * worker adds them, from the next load on. Where that matters now, the page is loaded once more.
 */
import { isSoftware } from '$lib/ops/adapter.ts';

export interface IsolationHost {
	/** Already so, or the page is embedded or has no service workers, where it cannot be helped. */
	isolated: boolean;
	possible: boolean;
	/** The part of the address from `?` on. */
	search: string;
	/** Registers the service worker; ends when it is in charge. */
	register: () => Promise<unknown>;
	/** There would be more than one thread, and no graphics card does the work. */
	useful: () => Promise<boolean>;
	/** The reader has begun to do something, which a reload would lose. */
	touched: () => boolean;
	/** Notes that the page was loaded again for this; false when it was before, or cannot be noted. */
	once: () => boolean;
	reload: () => void;
}

/** Does nothing under `?no-sw`. Never loads a second time: what one reload did not bring, another will not. */
export async function isolate(host: IsolationHost): Promise<void> {
	if (host.isolated || !host.possible || new URLSearchParams(host.search).has('no-sw')) return;
	await host.register();
	if (host.touched() || !(await host.useful())) return;
	// Asked last: it counts.
	if (!host.touched() && host.once()) host.reload();
}

const MARK = 'winnow:isolated';

/** The browser as a host. `base` is the path of the site, without a slash at its end. */
export function browserHost(base: string): IsolationHost {
	let touched = false;
	for (const event of ['pointerdown', 'keydown', 'dragenter']) addEventListener(event, () => (touched = true), { once: true, capture: true });
	return {
		isolated: crossOriginIsolated,
		possible: isSecureContext && 'serviceWorker' in navigator && window.top === window,
		search: location.search,
		register: async () => {
			await navigator.serviceWorker.register(`${base}/service-worker.js`);
			await navigator.serviceWorker.ready;
		},
		useful: async () => {
			// TensorFlow.js takes a thread for every two cores.
			if (navigator.hardwareConcurrency < 4) return false;
			const asked = new URLSearchParams(location.search).get('backend');
			if (asked !== null) return asked === 'wasm';
			const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
			return !adapter || isSoftware(adapter.info);
		},
		touched: () => touched,
		once: () => {
			try {
				if (sessionStorage.getItem(MARK)) return false;
				sessionStorage.setItem(MARK, 'yes');
				return true;
			} catch {
				return false;
			}
		},
		reload: () => location.reload()
	};
}
