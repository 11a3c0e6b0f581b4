import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { fixtureNormal } from '$lib/numerics/fixture.ts';
import { random } from '$lib/numerics/random.ts';
import { Requests, type PromptText } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { GOLDEN, goldenArm, goldenIds, GoldenModel } from '../testing/golden-model.ts';
import { expectBillIsPacked, presented } from '../testing/untouched.ts';
import { promptView, Rig } from '../testing/views.ts';
import { standIn } from './prompt-kv-probe.ts';

const TYPES = ['scaffold', 'content', 'other', 'shuffle', 'zero', 'mask'] as const;
const N = 30;
const d = GOLDEN.headDim;
const ids = goldenIds().slice(0, N);
const later = goldenIds().slice(N, N + 4);
const text: PromptText = { ids, encode: (words) => Array.from(words, (letter) => letter.charCodeAt(0)), embedding: () => new Float32Array(GOLDEN.hidden) };

const model = new GoldenModel();
const prompt = model.prefill(ids);
const full = goldenArm(prompt);
/** A fork of the prompt's cache on which the probe has acted, and the probe. */
function probe(params: object) {
	const requests = new Requests();
	const spec = readMethodSpec({ method: 'prompt-kv-probe', params });
	const instance = startMethod(spec, { model: GOLDEN, random: random(1), promptTokens: N, text, requests });
	const made = model.read(full, requests.readings);
	const arm = full.fork();
	arm.layers.forEach((layer, l) => instance.prefilled?.(layer, promptView(full, l, () => [], made[l])));
	return { arm, instance };
}
const expectClose = (found: ArrayLike<number>, wanted: ArrayLike<number>, within = 1e-6) =>
	Array.from(found).forEach((x, i) => expect(Math.abs(x - wanted[i])).toBeLessThan(within));

describe('prompt-kv-probe', () => {
	it.each(TYPES)('changes nothing when no layer is above the cutoff: %s', (replacement) => {
		const { arm } = probe({ cutoff: 1, replacement });
		expect(arm.records).toEqual([]);
		expect(presented(arm)).toEqual(presented(full));
	});

	it('changes nothing when the shell is the prompt itself', () => {
		const { arm } = probe({ cutoff: 0, form_start: N });
		expect(arm.records.length).toBeGreaterThan(0);
		arm.layers.forEach((layer, l) => [0, 1].forEach((head) => {
			expectClose(layer.keys(head), full.layers[l].keys(head));
			expectClose(layer.values(head), full.layers[l].values(head));
		}));
	});

	it('takes keys and values from a run of the shell through all layers', () => {
		const shell = standIn(text, 'scaffold', { start: 4, end: 4 }, random(1))!;
		expect([...shell.slice(0, 4), ...shell.slice(-4)]).toEqual([...ids.slice(0, 4), ...ids.slice(-4)]);
		expect(shell.slice(4, -4).every((id) => ' the'.includes(String.fromCharCode(id)))).toBe(true);
		const own = model.prefill(shell);
		const { arm } = probe({ cutoff: 0.5 });
		for (const layer of [0, 1]) for (const head of [0, 1]) expect(arm.layers[layer].keys(head)).toEqual(full.layers[layer].keys(head));
		for (const layer of [2, 3]) for (const head of [0, 1]) {
			expectClose(arm.layers[layer].keys(head), own.keys[layer].subarray(head * N * d, (head + 1) * N * d));
			expectClose(arm.layers[layer].values(head), own.values[layer].subarray(head * N * d, (head + 1) * N * d));
		}
		const content = probe({ cutoff: 0, replacement: 'content' }).arm.layers[3];
		expect(content.keys(0).slice(0, 4 * d)).toEqual(full.layers[3].keys(0).slice(0, 4 * d));
		expectClose(content.keys(0).slice(4 * d, 5 * d), own.keys[3].subarray(4 * d, 5 * d));
	});

	it('has stand-ins as long as the prompt', () => {
		for (const replacement of ['scaffold', 'content', 'other', 'shuffle'] as const) {
			for (const form of [{ start: 4, end: 4 }, { start: 0, end: 0 }, { start: 20, end: 20 }]) {
				const shell = standIn(text, replacement, form, random(1))!;
				expect(shell).toHaveLength(N);
				if (replacement === 'shuffle') expect([...shell].sort()).toEqual([...ids].sort());
			}
		}
		expect(standIn(text, 'zero', { start: 4, end: 4 }, random(1))).toBeNull();
	});

	it('zeros take their part of the softmax and return nothing; a mask takes none', () => {
		const read = (replacement: string) => {
			const rig = new Rig(randomArm(N), [{ method: 'prompt-kv-probe', params: { cutoff: 0, replacement } }]).prefill();
			rig.decode();
			return rig;
		};
		const [zero, masked] = [read('zero'), read('mask')];
		expect(zero.arm.layers[1].values(0).slice(0, N * TINY.headDim).every((x) => x === 0)).toBe(true);
		// The one slot that is the step's own competes with N slots of weight 1, or with nobody.
		const [query, own] = [fixtureNormal(`rig/sq1.0.${N}`, TINY.headDim), zero.arm.layers[1].keys(0).slice(N * TINY.headDim)];
		const mine = Math.exp(own.reduce((dot, x, c) => dot + x * query[c], 0) / Math.sqrt(TINY.headDim));
		const attention = zero.lastAttention[1][0];
		for (let slot = 0; slot < N; slot++) expect(attention[slot]).toBeCloseTo(1 / (N + mine), 6);
		expect(attention[N]).toBeCloseTo(mine / (N + mine), 6);
		expect(Array.from(masked.lastAttention[1][0])).toEqual([...new Array<number>(N).fill(0), 1]);
	});

	it('masked everywhere, the next token is read as if it stood alone', () => {
		const { arm, instance } = probe({ cutoff: 0, replacement: 'mask' });
		const found = model.decode(arm, later[0], [instance]);
		const alone = model.token(later[0], N, (_layer, _query, _key, value) =>
			Float64Array.from({ length: GOLDEN.heads * d }, (_, at) => value[Math.floor(at / (2 * d)) * d + (at % d)]));
		expectClose(found, alone, 1e-5);
	});

	it('leaves lower layers and tokens that were written before alone', () => {
		const { arm, instance } = probe({ cutoff: 0.5, step: 2, replacement: 'zero' });
		const clean = full.fork();
		later.forEach((id, step) => {
			model.decode(arm, id, [instance], step);
			model.decode(clean, id, [], step);
		});
		const of = (cache: typeof arm, layer: number, from: number, to: number) => [cache.layers[layer].keys(0).slice(from * d, to * d), cache.layers[layer].values(0).slice(from * d, to * d)];
		for (let layer = 0; layer < GOLDEN.layers; layer++) {
			// Written before the exchange.
			expect(of(arm, layer, N, N + 2)).toEqual(of(clean, layer, N, N + 2));
			// Afterwards: what enters a layer depends on those below it.
			const same = String(of(arm, layer, N + 2, N + 3)) === String(of(clean, layer, N + 2, N + 3));
			expect(same).toBe(layer <= 2);
		}
		expect(arm.layers[2].keys(0).slice(0, N * d).every((x) => x === 0)).toBe(true);
		expect(arm.layers[1].keys(0)).toEqual(clean.layers[1].keys(0));
	});

	it('holds the shell until the exchange, on the bill, and then weighs what the full cache does', () => {
		const { arm, instance } = probe({ cutoff: 0.5, step: 2 });
		expect(arm.bill().items.state).toBe(2 * GOLDEN.kvHeads * N * d * 2 * 2);
		later.slice(0, 2).forEach((id, step) => model.decode(arm, id, [instance], step));
		expectBillIsPacked(arm);
		const clean = full.fork();
		later.slice(0, 2).forEach((id, step) => model.decode(clean, id, [], step));
		expect(arm.bill()).toEqual(clean.bill());
	});

	it('keeps the numbers of pinned tokens, and the angles of keys that were turned', () => {
		const rig = new Rig(randomArm(N), [
			{ method: 'key-rerotation', params: { scorer: { method: 'knorm' }, budget: { tokens: 10 } } }, { method: 'prompt-kv-probe', params: { cutoff: 0, replacement: 'other' } }
		]);
		for (const layer of rig.arm.layers) layer.protect([7], 'by hand');
		rig.prefill();
		const layer = rig.arm.layers[0];
		expect(Array.from(layer.rotaryPositions(0))).toEqual(Array.from({ length: 10 }, (_, i) => i));
		const slot = Array.from(layer.positions(0)).indexOf(7);
		const [wanted, found] = [randomArm(N).layers[0].values(0), layer.values(0)];
		expect(found.slice(slot * TINY.headDim, (slot + 1) * TINY.headDim)).toEqual(wanted.slice(7 * TINY.headDim, 8 * TINY.headDim));
		expect(rig.requests.readings.size).toBe(1);
	});
});
