import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { CELL_STATES, type ArmTrace, type CellState, type VerbRecord } from '$lib/documents/trace.ts';
import { history, ladderLayout, rankedLadder, terms, verdict } from './geometry.ts';

const state = (name: CellState) => CELL_STATES.indexOf(name);
const scores = Float32Array.of(9, 1, 5, 3, 7, 2);
const keep: VerbRecord = {
	verb: 'keep', by: 'snapkv', step: -1, layer: 1, head: 0, positions: Int32Array.of(0, 2, 4, 5),
	decision: { positions: Int32Array.of(0, 1, 2, 3, 4, 5), scores, protected: Uint8Array.of(0, 0, 0, 0, 0, 1), cut: 5, meaning: 'attention', terms: [{ name: 'before pooling', values: scores.map((v) => v * 2) }] }
};
function arm(verbs: VerbRecord[]): ArmTrace {
	return { label: 'A', stack: [], steps: [], text: '', span: 8, cells: new Uint8Array(8), diffs: [], verbs, kept: [], billAfterPrompt: null as never };
}

describe('the verdict on a token', () => {
	it('counts how many places an evicted token fell short', () => {
		const v = verdict(arm([keep]), 1, 0, 1, 0, state('evicted'));
		expect(v).toMatchObject({ fate: 'evicted', kept: 3, protectedCount: 1, cut: 5, places: -2 });
		expect(v.own).toMatchObject({ rank: 5, score: 1, kept: false });
		expect(v.lastKept?.position).toBe(2);
		expect(v.runnerUp?.position).toBe(3);
	});
	it('counts how many places a kept token had to spare', () => {
		expect(verdict(arm([keep]), 1, 0, 2, 0, state('kept'))).toMatchObject({ fate: 'kept', places: 1, own: { rank: 3 } });
		expect(verdict(arm([keep]), 1, 0, 0, 0, state('kept'))).toMatchObject({ fate: 'kept', places: 3, own: { rank: 1 } });
	});
	it('says that a protected token did not compete', () => {
		expect(verdict(arm([keep]), 1, 0, 5, 0, state('window'))).toMatchObject({ fate: 'protected', own: null });
	});
	it('says so when nobody considered the token, another head or a later step', () => {
		expect(verdict(arm([keep]), 0, 0, 1, 0, state('kept')).fate).toBe('untouched');
		expect(verdict(arm([{ ...keep, step: 5 }]), 1, 0, 1, 2, state('kept')).fate).toBe('untouched');
	});
	it('finds the decode step that evicted, not a later decision that no longer knew the token', () => {
		const first: VerbRecord = { ...keep, verb: 'evict', by: 'h2o', step: 2, positions: Int32Array.of(1) };
		const later: VerbRecord = { ...keep, verb: 'evict', by: 'h2o', step: 4, positions: Int32Array.of(3), decision: { ...keep.decision!, positions: Int32Array.of(0, 2, 3, 4, 5), scores: Float32Array.of(9, 5, 3, 7, 2) } };
		const v = verdict(arm([first, later]), 1, 0, 1, 9, state('evicted'));
		expect(v.record?.step).toBe(2);
		expect(v).toMatchObject({ fate: 'evicted', kept: 4, places: -1 });
		expect(verdict(arm([first, later]), 1, 0, 2, 9, state('kept'))).toMatchObject({ fate: 'kept', record: { step: 4 } });
	});
	it('names the slot that a merged token went into, with the scorer’s reasons', () => {
		const merge: VerbRecord = { verb: 'merge', by: 'merging-press', step: -1, layer: 1, head: 0, positions: Int32Array.of(1), into: 2, weights: Float32Array.of(0.4) };
		const v = verdict(arm([keep, merge]), 1, 0, 1, 0, state('evicted'));
		expect(v).toMatchObject({ fate: 'merged', record: { into: 2 }, own: { rank: 5 } });
	});
	it('prefers the summary that took the token in to the bare eviction beside it', () => {
		const fold: VerbRecord = { verb: 'summarise', by: 'momentkv', step: -1, layer: 1, head: 0, positions: Int32Array.of(1, 3) };
		const drop: VerbRecord = { ...keep, verb: 'evict', by: 'momentkv', positions: Int32Array.of(1, 3) };
		const v = verdict(arm([fold, drop]), 1, 0, 1, 0, state('evicted'));
		expect(v).toMatchObject({ fate: 'summarised', record: { verb: 'summarise' }, kept: 3, own: { rank: 5 } });
	});
	it('tells hidden from shown', () => {
		// Position 3 was hidden before and stays so: only position 1 changes and is recorded.
		const hide: VerbRecord = { ...keep, verb: 'hide', by: 'quest', step: 3, positions: Int32Array.of(1) };
		expect(verdict(arm([hide]), 1, 0, 1, 3, state('hidden')).fate).toBe('hidden');
		expect(verdict(arm([hide]), 1, 0, 4, 3, state('kept')).fate).toBe('shown');
		expect(verdict(arm([hide]), 1, 0, 3, 3, state('hidden'))).toMatchObject({ fate: 'hidden', own: { kept: false }, kept: 3 });
	});
	it('says that a token was put back, and how it had ranked, until it is decided on again', () => {
		const back: VerbRecord = { verb: 'restore', by: 'hand', step: 2, layer: 1, head: 0, positions: Int32Array.of(1) };
		const v = verdict(arm([keep, back]), 1, 0, 1, 3, state('restored'));
		expect(v).toMatchObject({ fate: 'restored', record: { verb: 'restore', step: 2 }, own: { rank: 5, kept: false } });
		expect(verdict(arm([keep, back]), 1, 0, 1, 1, state('evicted'))).toMatchObject({ fate: 'evicted', record: { by: 'snapkv' } });
		expect(verdict(arm([back]), 1, 0, 1, 3, state('restored'))).toMatchObject({ fate: 'restored', own: null });
		expect(verdict(arm([keep, back, { ...keep, verb: 'evict', step: 4, positions: Int32Array.of(3) }]), 1, 0, 1, 5, state('kept')).fate).toBe('kept');
	});
	it('reports an encoding without inventing a rank', () => {
		const encode: VerbRecord = { verb: 'encode', by: 'kivi', step: -1, layer: 1, head: 0, positions: Int32Array.of(1, 2), which: 'K', bits: 2 };
		expect(verdict(arm([encode]), 1, 0, 1, 0, state('b2'))).toMatchObject({ fate: 'encoded', own: null, ladder: [] });
	});
});

it('gives every term at the token, at the cut and around', () => {
	const v = verdict(arm([keep]), 1, 0, 3, 0, state('evicted'));
	const [raw, score] = terms(v, 3);
	expect(raw).toMatchObject({ name: 'before pooling', own: 6, atCut: 10 });
	expect(score.around.map((a) => a.position)).toEqual([1, 2, 3, 4, 5]);
});

it('draws a ladder that falls from left to right with the cut between kept and evicted', () => {
	fc.assert(fc.property(fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 60 }), fc.nat(), (values, k) => {
		const positions = Int32Array.from(values, (_, i) => i);
		const order = [...positions].sort((a, b) => values[b] - values[a] || a - b);
		const stay = 1 + (k % (values.length - 1));
		const record: VerbRecord = { ...keep, positions: Int32Array.from(order.slice(0, stay)), decision: { positions, scores: Float32Array.from(values), meaning: '' } };
		const ladder = rankedLadder(record, record.decision!);
		expect(ladder.map((c) => c.kept)).toEqual(ladder.map((_, i) => i < stay));
		const v = verdict(arm([record]), 1, 0, order[0], 0, state('kept'));
		const layout = ladderLayout(v, 360, 120);
		expect(layout.cutX!).toBeGreaterThan(layout.x(stay));
		expect(layout.cutX!).toBeLessThan(layout.x(stay + 1));
		for (const ring of layout.rings) expect(ring.y).toBeLessThanOrEqual(layout.baseline);
	}));
});

it('lists what happened, oldest first', () => {
	const encode: VerbRecord = { verb: 'encode', by: 'kivi', step: 2, layer: 1, head: 0, positions: Int32Array.of(2), which: 'K', bits: 2 };
	expect(history(arm([keep, encode]), 1, 0, 2, 9).map((r) => r.verb)).toEqual(['encode']);
	expect(history(arm([keep, encode]), 1, 0, 1, 9).map((r) => r.verb)).toEqual(['keep']);
});
