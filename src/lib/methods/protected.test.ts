/** Whatever is stacked: a protected token is there and can be read, in every head of every layer, at every step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomArm } from '$lib/cache/testing.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import { methods } from './registry.ts';
import { headsOf } from './slots.ts';
import { actingSpec } from './testing/acting.ts';
import { anyMethod } from './testing/any-method.ts';
import { expectBillIsPacked } from './testing/untouched.ts';
import { Rig } from './testing/views.ts';

const N = 40;
const STEPS = 8;
const full = randomArm(N);

function expectAllThere(rig: Rig, pinned: ReadonlySet<number>): void {
	for (const layer of rig.arm.layers) for (const head of headsOf(layer)) {
		const [hidden, offloaded] = [layer.hidden(head), layer.offloaded(head)];
		const readable = new Set(Array.from(layer.positions(head)).filter((_, slot) => !hidden[slot] && !offloaded[slot]));
		expect([...pinned].filter((position) => !readable.has(position)), `layer ${layer.layer}, head ${head}`).toEqual([]);
		expect(layer.keys(head).every(Number.isFinite) && layer.values(head).every(Number.isFinite)).toBe(true);
	}
}

/** A reader may pin the newest token while the text is being written, where no head has dropped it yet. */
function pinNewest(rig: Rig, pinned: Set<number>): void {
	const newest = rig.arm.tokens - 1;
	const everywhere = rig.arm.layers.every((layer) => headsOf(layer).every((head) => layer.positions(head).at(-1) === newest && !layer.hidden(head).at(-1)));
	if (!everywhere) return;
	pinned.add(newest);
	for (const layer of rig.arm.layers) layer.protect([newest], 'pinned by hand');
}

it('is never lost by any stack of methods, and the bill is what the arrays weigh', () => {
	const stacks = fc.array(anyMethod, { minLength: 1, maxLength: 3 });
	const positions = fc.uniqueArray(fc.integer({ min: 0, max: N - 1 }), { minLength: 1, maxLength: 6 });
	const pins = fc.array(fc.boolean(), { minLength: STEPS, maxLength: STEPS });
	let ran = 0;
	fc.assert(fc.property(stacks, positions, pins, (stack, first, later) => {
		let rig: Rig;
		try {
			rig = new Rig(full, stack);
		} catch (error) {
			if (error instanceof DocumentError) return;
			throw error;
		}
		ran++;
		const pinned = new Set(first);
		for (const layer of rig.arm.layers) layer.protect(first, 'pinned by hand');
		rig.prefill();
		for (const pin of later) {
			expectAllThere(rig, pinned);
			rig.decode();
			if (pin) pinNewest(rig, pinned);
		}
		expectAllThere(rig, pinned);
		expectBillIsPacked(rig.arm);
	}), { numRuns: 150 });
	expect(ran).toBeGreaterThan(100);
});

it.each([...methods.keys()])('is not lost by %s where all of the prompt is protected', (id) => {
	const rig = new Rig(full, [actingSpec(id)]);
	const all = Array.from({ length: N }, (_, position) => position);
	for (const layer of rig.arm.layers) layer.protect(all, 'pinned by hand');
	rig.prefill();
	for (let step = 0; step < STEPS; step++) {
		expectAllThere(rig, new Set(all));
		rig.decode();
	}
	expectAllThere(rig, new Set(all));
});
