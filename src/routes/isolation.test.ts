import { describe, expect, it } from 'vitest';
import { isolate, type IsolationHost } from './isolation.ts';

async function calls(change: Partial<IsolationHost> = {}): Promise<string[]> {
	const heard: string[] = [];
	await isolate({
		isolated: false, possible: true, search: '', touched: () => false, useful: async () => true, once: () => true,
		register: async () => heard.push('register'), reload: () => heard.push('reload'), ...change
	});
	return heard;
}

describe('isolation', () => {
	it('registers the service worker and loads once more where threads would be used', async () => {
		expect(await calls()).toEqual(['register', 'reload']);
	});

	it('loads again neither twice, nor where it brings nothing, nor under the reader’s hands', async () => {
		expect(await calls({ once: () => false })).toEqual(['register']);
		expect(await calls({ useful: async () => false })).toEqual(['register']);
		expect(await calls({ touched: () => true })).toEqual(['register']);
		let asked = false;
		expect(await calls({ useful: async () => (asked = true), touched: () => asked })).toEqual(['register']);
	});

	it('does not use up its one reload when there is none', async () => {
		let used = false;
		await calls({ touched: () => true, once: () => (used = true) });
		await calls({ useful: async () => false, once: () => (used = true) });
		expect(used).toBe(false);
	});

	it('does nothing where the page is isolated, cannot be, or is told not to', async () => {
		expect(await calls({ isolated: true })).toEqual([]);
		expect(await calls({ possible: false })).toEqual([]);
		expect(await calls({ search: '?backend=wasm&no-sw' })).toEqual([]);
	});
});
