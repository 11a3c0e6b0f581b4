/** Policies that act while text is written hold their budget at every step, in slots and in bytes. */
import { describe, expect, it } from 'vitest';
import { randomArm } from '$lib/cache/testing.ts';
import type { LayerCache } from '$lib/cache/types.ts';
import type { Params } from './define.ts';
import { methods } from './registry.ts';
import { headsOf } from './slots.ts';
import { readMethodSpec } from './start.ts';
import { Rig } from './testing/views.ts';

const N = 48;
const STEPS = 24;
const full = randomArm(N);

/** A policy and what it promises. */
interface Policy {
	params: object;
	/** Slots that it may hold above its budget, as it chooses only every so many steps. */
	above?: (params: Params) => number;
	/** Slots below which it cannot go. */
	least?: (params: Params) => number;
	/** Slots that it holds at most; its budget where left out. */
	most?: (params: Params) => number;
}

const interval = (params: Params) => params.interval as number;
const sinksAndOne = (params: Params) => (params.n_sink as number) + 1;
const POLICIES: Record<string, Policy[]> = {
	'streaming-llm': [{ params: {}, least: sinksAndOne }, { params: { rerotate: true }, least: sinksAndOne }],
	h2o: [{ params: {} }, { params: { sum: 'mean' } }],
	tova: [{ params: {} }, { params: { keep_newest: false } }],
	scissorhands: [{ params: {} }, { params: { drop: 3, sinks: 2 } }],
	qfilters: [{ params: { decode: true } }],
	vase: [{ params: { buffer: 3 } }, { params: { score: 'energy', buffer: 3 } }],
	momentkv: [{ params: { window: 6 } }, { params: { window: 6, readout: 'none' } }],
	'decoding-press': [{ params: { interval: 4, prefill: true, scorer: { method: 'knorm' } }, above: interval }, { params: { interval: 1, prefill: true, scorer: { method: 'h2o' } }, above: interval }],
	// Random logits are sure now and then. With 8 bits fewer bytes are taken than the budget has.
	'conf-kv': [{ params: { recent: 2, int8: false, threshold: 0.25 } }, { params: { recent: 2, window: 4, group: 4, schedule: 'random' }, most: (params) => tokens(params) }],
	foresightkv: [{ params: { block: 4 }, above: (params) => params.block as number }],
	// These leave the prompt alone: the first choice falls at the end of the first interval.
	'cam-press': [{ params: { interval: 1, scorer: { method: 'knorm' } } }, { params: { interval: 3, scorer: { method: 'knorm' } }, most: (params) => Math.max(N, tokens(params)) + interval(params) }],
	'moment-kv-momentum': [{ params: { capacity: 5 }, most: (params) => N + (params.capacity as number) }]
};
const tokens = (params: Params) => (params.budget as { tokens: number }).tokens;

/** Methods with a budget that act at decode steps, as preset or with every switch on; they are started to find out. */
const acting = [...methods.values()].filter(({ id, params }) => {
	const kinds = Object.entries(params).map(([name, { kind }]) => ({ name, kind }));
	const on = Object.fromEntries(kinds.filter(({ kind }) => kind === 'boolean').map(({ name }) => [name, true]));
	const acts = (given: object) => new Rig(full, [{ method: id, params: given }]).instances[0].appended !== undefined;
	return kinds.some(({ kind }) => kind === 'budget') && (acts({}) || acts(on));
});

function longest(layers: readonly LayerCache[]): number {
	return Math.max(...layers.flatMap((layer) => headsOf(layer).map((head) => layer.length(head))));
}

it('are all listed here', () => {
	expect(acting.map(({ id }) => id).filter((id) => !(id in POLICIES))).toEqual([]);
});

describe.each(Object.entries(POLICIES).flatMap(([method, list]) => list.map((policy) => [method, JSON.stringify(policy.params), policy] as const)))('%s %s', (method, _words, policy) => {
	const withBudget = Object.values(methods.get(method)!.params).some(({ kind }) => kind === 'budget');
	it.each(withBudget ? [1, 2, 7, 16, 40] : [0])('holds a budget of %i tokens', (budget) => {
		const spec = readMethodSpec({ method, params: { ...policy.params, ...(withBudget ? { budget: { tokens: budget } } : {}) } });
		const most = policy.most?.(spec.params) ?? Math.max(budget, policy.least?.(spec.params) ?? 0) + (policy.above?.(spec.params) ?? 0);
		const rig = new Rig(full, [spec]).prefill();
		for (let step = 0; step < STEPS; step++) {
			rig.decode();
			expect(longest(rig.arm.layers), `step ${step}`).toBeLessThanOrEqual(most);
		}
	});

	if (!withBudget || policy.above || policy.most) return;
	it.each([3000, 5000])('holds a budget of %i bytes', (bytes) => {
		const rig = new Rig(full, [{ method, params: { ...policy.params, budget: { bytes } } }]).prefill();
		let largest = 0;
		for (let step = 0; step < STEPS; step++) {
			rig.decode();
			const { total } = rig.arm.bill();
			largest = Math.max(largest, total);
			expect(total, `step ${step}`).toBeLessThanOrEqual(bytes);
		}
		expect(largest).toBeGreaterThan(0.7 * bytes);
	});
});
