import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { slotsOf } from './budget.ts';
import { startMethod, readMethodSpec } from './start.ts';
import { Rig } from './testing/views.ts';
import { methods } from './registry.ts';

const N = 250;
const d = TINY.headDim;
const heads = TINY.layers * TINY.kvHeads;
const full = randomArm(N);

const ENCODERS: [string, Record<string, unknown>][] = [
	['kivi', {}], ['kivi', { bits: 4, group: 8, residual: 16 }],
	['rtn', {}], ['rtn', { bitsK: 3, axisK: 'channel', bitsV: 2, group: 16 }], ['rtn', { bitsK: 16, symmetric: true }],
	['svd-truncation', { rankK: 3, rankV: 5 }], ['svd-truncation', { rankK: 2, rankV: 8, precision: 32 }]
];

describe('a budget in bytes before an encoding', () => {
	for (const evicts of ['knorm', 'snapkv', 'key-rerotation']) {
		it(`is what the cache of ${evicts} and an encoder ends at`, () => {
			fc.assert(fc.property(fc.constantFrom(...ENCODERS), fc.double({ min: 0.55, max: 0.95, noNaN: true }), ([method, params], share) => {
				const whole = new Rig(full, [{ method, params }]).prefill().arm.bill().total;
				const bytes = Math.floor(whole * share);
				const { total } = new Rig(full, [{ method: evicts, params: { budget: { bytes } } }, { method, params }]).prefill().arm.bill();
				expect(total).toBeLessThanOrEqual(bytes);
				expect(total).toBeGreaterThan(0.98 * bytes);
			}), { numRuns: 12 });
		});
	}

	it('is never exceeded where heads differ in length', () => {
		fc.assert(fc.property(fc.constantFrom(...ENCODERS), fc.double({ min: 0.5, max: 0.95, noNaN: true }), ([method, params], share) => {
			const bytes = Math.floor(new Rig(full, [{ method, params }]).prefill().arm.bill().total * share);
			const arm = new Rig(full, [{ method: 'adakv', params: { scorer: { method: 'knorm' }, budget: { bytes } } }, { method, params }]).prefill().arm;
			expect(arm.bill().total).toBeLessThanOrEqual(bytes);
		}), { numRuns: 20 });
	});

	it('leaves a prompt whole that fits once it is encoded', () => {
		const bytes = new Rig(full, [{ method: 'kivi' }]).prefill().arm.bill().total;
		const { arm } = new Rig(full, [{ method: 'knorm', params: { budget: { bytes } } }, { method: 'kivi' }]).prefill();
		expect(arm.layers[0].length(0)).toBe(N);
		expect(arm.bill().total).toBe(bytes);
		const less = new Rig(full, [{ method: 'knorm', params: { budget: { bytes: bytes - 1 } } }, { method: 'kivi' }]).prefill().arm;
		expect(less.layers[0].length(0)).toBeLessThan(N);
	});

	it('counts what stands before it as it is, and what cannot say as exact', () => {
		const bytes = heads * (4 * d + 2) * 40;
		for (const stack of [[{ method: 'kivi' }, { method: 'knorm', params: { budget: { bytes } } }], [{ method: 'knorm', params: { budget: { bytes } } }, { method: 'svd-truncation', params: { energy: 0.9 } }]]) {
			expect(new Rig(full, stack).prefill().arm.layers[0].length(0)).toBe(40);
		}
	});
});

it('what methods say of a head is what the bill says of it', () => {
	for (const [method, params] of ENCODERS) {
		for (const n of [5, 33, 64, 100]) {
			const arm = new Rig(randomArm(n), [{ method, params }]).prefill().arm;
			const spec = readMethodSpec({ method, params });
			expect(arm.bill().total).toBe(heads * methods.get(method)!.bytesOfHead!(spec.params, TINY)!(n));
		}
	}
});

it('takes the most slots that fit, where bytes do not grow with every slot', () => {
	// Four exact slots of 10 bytes make a block of 8.
	const stored = (slots: number) => Math.floor(slots / 4) * 8 + (slots % 4) * 10;
	for (let bytes = 20; bytes < 200; bytes++) {
		const fit = Array.from({ length: TINY.context }, (_, i) => i + 1).filter((slots) => stored(slots) + 2 * slots <= bytes);
		expect(slotsOf({ bytes: heads * bytes }, 1000, TINY, { stored })).toBe(fit.at(-1));
	}
	expect(() => slotsOf({ bytes: heads * 11 }, 1000, TINY, { stored })).toThrow(`at least ${heads * 12} bytes`);
	expect(() => startMethod(readMethodSpec({ method: 'knorm', params: { budget: { bytes: 1 } } }), { model: TINY, random: null as never, promptTokens: 9, after: [readMethodSpec({ method: 'rtn' })] })).toThrow(/params.budget.bytes/);
});
