import { describe, expect, it } from 'vitest';
import { CELL_STATES, type ArmTrace, type CellState, type ModelShape, type TokenProbe, type VerbRecord } from '$lib/documents/trace.ts';
import { everyHead, received } from './heads.ts';

const model = { layers: 2, heads: 4, kvHeads: 2 } as ModelShape;
const index = (state: CellState) => CELL_STATES.indexOf(state);
const evict = (layer: number, head: number, step: number, by = 'h2o'): VerbRecord => ({
	verb: 'evict', by, step, layer, head, positions: Int32Array.of(1),
	decision: { positions: Int32Array.of(0, 1, 2), scores: Float32Array.of(3, 1, 2), cut: 2, meaning: 'attention' }
});
const arm = { span: 4, verbs: [evict(0, 1, -1), evict(1, 0, 2), evict(1, 1, 2, 'hand')] } as unknown as ArmTrace;

describe('one token in every head', () => {
	const cells = new Uint8Array(16).fill(index('kept'));
	for (const [layer, head] of [[0, 1], [1, 0], [1, 1]]) cells[(layer * 2 + head) * 4 + 1] = index('evicted');
	const cases = everyHead(model, arm, cells, 1, 5);

	it('has a case for each, layer by layer, with its own rank and cut', () => {
		expect(cases.map((c) => [c.layer, c.head, c.state])).toEqual([[0, 0, 'kept'], [0, 1, 'evicted'], [1, 0, 'evicted'], [1, 1, 'evicted']]);
		expect(cases[0].verdict.fate).toBe('untouched');
		expect(cases[1].verdict).toMatchObject({ own: { rank: 3, score: 1 }, cut: 2, lastKept: { position: 2 }, runnerUp: { position: 1 } });
	});

	it('misses it from the step after a method dropped it, and from the very step where a hand did', () => {
		expect(cases.map((c) => c.missedFrom)).toEqual([null, 0, 3, 2]);
	});
});

it('averages over the query heads that read a KV head, and counts only the steps asked for', () => {
	const steps = 3;
	const full = new Float32Array(2 * 4 * steps);
	// Layer 1, query heads 2 and 3 read KV head 1.
	full.set([0.5, 0.2, 0.4], (4 + 2) * steps);
	full.set([0.5, 0.0, 0.2], (4 + 3) * steps);
	const probe: TokenProbe = { kind: 'token', position: 1, steps, full, arm: new Float32Array(full.length) };
	const found = received(probe, model, 1, 1, 1, 9);
	expect(Array.from(found.full, (x) => x.toFixed(2))).toEqual(['0.10', '0.30']);
	expect(found.mean).toBeCloseTo(0.2, 6);
	expect(found.most?.step).toBe(2);
	expect(received(probe, model, 1, 1, 3, 2)).toMatchObject({ mean: 0, most: null });
	expect(received(probe, model, 1, 0, 0, 2).mean).toBe(0);
});
