import { describe, expect, it } from 'vitest';
import { webLocks } from './locks.ts';
import { fakeLockManager } from './testing.ts';

describe('locks', () => {
	it('let one write while another waits, and say so', async () => {
		const manager = fakeLockManager();
		const [one, other] = [webLocks(manager), webLocks(manager)];
		const order: string[] = [];
		let finish = () => {};
		const first = one.hold('m', 'exclusive', () => new Promise<void>((resolve) => (finish = resolve)), { onWait: () => order.push('one waits') });
		await Promise.resolve();
		const second = other.hold('m', 'exclusive', async () => void order.push('other writes'), { onWait: () => order.push('other waits') });
		await expect(other.tryHold('m', async () => 'had it')).resolves.toBeNull();
		await expect(other.tryHold('another', async () => 'had it')).resolves.toBe('had it');
		order.push('one ends');
		finish();
		await Promise.all([first, second]);
		expect(order).toEqual(['other waits', 'one ends', 'other writes']);
	});

	it('let several read, and the waiting be ended', async () => {
		const manager = fakeLockManager();
		const locks = webLocks(manager);
		let finish = () => {};
		const reading = locks.hold('m', 'shared', () => new Promise<void>((resolve) => (finish = resolve)));
		await Promise.resolve();
		expect(await locks.hold('m', 'shared', async () => 'reads too', { onWait: () => expect.unreachable() })).toBe('reads too');
		const control = new AbortController();
		const writing = locks.hold('m', 'exclusive', async () => 'never', { signal: control.signal, onWait: () => control.abort(new DOMException('stop', 'AbortError')) });
		await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
		finish();
		await reading;
	});

	it('are all free in a browser without them', async () => {
		const locks = webLocks(undefined);
		expect(await locks.hold('m', 'exclusive', () => locks.hold('m', 'exclusive', async () => 1))).toBe(1);
		expect(await locks.tryHold('m', async () => 2)).toBe(2);
	});
});
