/** Whatever is stacked: a protected token is there and can be read, in every head of every layer, at every step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomArm } from '$lib/cache/testing.ts';
import { methods } from './registry.ts';
import { headsOf } from './slots.ts';
import { actingSpec } from './testing/acting.ts';
import { Rig } from './testing/views.ts';

const N = 40;
const STEPS = 8;
const full = randomArm(N);
const scorers = [...methods.values()].filter(({ scorer }) => scorer).map(({ id }) => id);

/** A method with a budget of so many tokens and a scorer, where it takes one. */
const anyMethod = fc.record({ id: fc.constantFrom(...methods.keys()), tokens: fc.integer({ min: 1, max: 30 }), scorer: fc.constantFrom(...scorers) })
	.map(({ id, tokens, scorer }) => {
		const kinds = Object.entries(methods.get(id)!.params);
		const named = (kind: string, value: unknown) => Object.fromEntries(kinds.filter(([, spec]) => spec.kind === kind).map(([name]) => [name, value]));
		return actingSpec(id, { ...named('budget', { tokens }), ...named('scorer', { method: scorer, params: { ...actingSpec(scorer).params } }) });
	});

function expectAllThere(rig: Rig, pinned: ReadonlySet<number>): void {
	for (const layer of rig.arm.layers) for (const head of headsOf(layer)) {
		const [hidden, offloaded] = [layer.hidden(head), layer.offloaded(head)];
		const readable = new Set(Array.from(layer.positions(head)).filter((_, slot) => !hidden[slot] && !offloaded[slot]));
		expect([...pinned].filter((position) => !readable.has(position)), `layer ${layer.layer}, head ${head}`).toEqual([]);
	}
}

it('is never lost by any stack of methods', () => {
	const stacks = fc.array(anyMethod, { minLength: 1, maxLength: 3 });
	const positions = fc.uniqueArray(fc.integer({ min: 0, max: N - 1 }), { minLength: 1, maxLength: 6 });
	fc.assert(fc.property(stacks, positions, fc.array(fc.boolean(), { minLength: STEPS, maxLength: STEPS }), (stack, protectedPositions, pins) => {
		const rig = new Rig(full, stack);
		const pinned = new Set(protectedPositions);
		for (const layer of rig.arm.layers) layer.protect(protectedPositions, 'pinned by hand');
		rig.prefill();
		expectAllThere(rig, pinned);
		pins.forEach((pin, step) => {
			rig.decode();
			expectAllThere(rig, pinned);
			// A reader may pin what is there while the text is being written.
			const newest = N + step;
			const everywhere = rig.arm.layers.every((layer) => headsOf(layer).every((head) => layer.positions(head).at(-1) === newest && !layer.hidden(head).at(-1)));
			if (!pin || !everywhere) return;
			pinned.add(newest);
			for (const layer of rig.arm.layers) layer.protect([newest], 'pinned by hand');
		});
	}), { numRuns: 150 });
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
