/** Wrappers and policies of kvpress whose cases in the fixture have forms of their own. */
import { describe, expect, it } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { laziness } from '../budget-allocation/simlayerkv.ts';
import type { MethodInstance } from '../define.ts';
import { GOLDEN_PROMPT } from './golden-model.ts';
import { d, expectClose, golden, goneOf, keptOf, kvHeads, positionsOf, SCORED, SCORED_LAYERS, snapkv, sumsOf, wrapped } from './kvpress-fixture.ts';
import type { GoldenEngine } from './kvpress-suite.ts';

/** A prompt that was read, and methods on it. */
export interface Pressing {
	engine: GoldenEngine;
	start(spec: object): MethodInstance;
	/** A fork of the prompt's cache after the method has acted. */
	pressed(spec: object): ArmCache;
}

const knorm = { method: 'knorm' };

/** The same keys and values: their sums, and the first channels of the oldest and the newest key. */
function expectSameNumbers(engine: GoldenEngine, arm: ArmCache, wanted: { ksum: number[]; vsum: number[]; k0: number[][] }): void {
	expectClose(sumsOf(arm, 'keys'), wanted.ksum, 0, engine.tolerance.sums);
	expectClose(sumsOf(arm, 'values'), wanted.vsum, 0, engine.tolerance.sums);
	SCORED_LAYERS.forEach((layer, i) => {
		const keys = arm.layers[layer].keys(kvHeads - 1);
		expectClose([...keys.subarray(0, 4), ...keys.subarray(keys.length - d, keys.length - d + 4)], wanted.k0[i], 1e-5, 2e-4);
	});
}

export function policiesAgainstKvpress(open: () => Pressing): void {
	describe('pieces of the text', () => {
		const cases: [string, string, object][] = [
			['chunkkv(knorm,c20)', 'chunkkv', { scorer: knorm, chunk: 20 }],
			['chunkkv(snapkv w8,c20)', 'chunkkv', { scorer: snapkv, chunk: 20 }],
			['chunk(knorm,c48)', 'chunk-press', { scorer: knorm, chunk: 48 }],
			['chunk(knorm,c48)', 'chunk-press', { scorer: knorm, chunk: 48, variant: 'released' }],
			['block(keydiff,b32)', 'block-press', { scorer: { method: 'keydiff' }, block: 32 }]
		];
		it.each(cases.flatMap(([name, method, params]) => [0.5, 0.75].map((ratio) => [`${name}@${ratio}`, method, params, 1 - ratio] as const)))('%s', (name, method, params, fraction) => {
			const { engine, pressed } = open();
			const wanted = golden.cases[name];
			const arm = pressed({ method, params: { ...params, budget: { fraction } } });
			expect(arm.layers.map((layer) => layer.length(0))).toEqual(wanted.n);
			expect(keptOf(arm)).toEqual(wanted.kept.map(positionsOf));
			expectSameNumbers(engine, arm, wanted);
		});
	});

	describe('the question as judge', () => {
		const finch = { window: 8, variant: 'released' };
		const pressedBy = (ratio: number, params: object) => open().pressed({ method: 'finch', params: { ...finch, ...params, budget: { fraction: 1 - ratio } } });
		it.each([0.5, 0.75])('finch(w8)@%d', (ratio) => {
			const wanted = golden.cases[`finch(w8)@${ratio}`];
			const arm = pressedBy(ratio, {});
			expect(arm.layers.map((layer) => layer.length(0))).toEqual(wanted.n);
			expect(keptOf(arm)).toEqual(wanted.kept.map(positionsOf));
			expectSameNumbers(open().engine, arm, wanted);
		});

		it.each([0.5, 0.75])('finch(w8,c64)@%d', (ratio) => {
			const wanted = golden.cases[`finch(w8,c64)@${ratio}`];
			const arm = pressedBy(ratio, { chunk: 64 });
			expect(arm.layers.map((layer) => layer.length(0))).toEqual(wanted.n);
			// The last piece keeps fewer tokens than the question has, which tie.
			const before = (kept: number[]) => kept.filter((position) => position < 192);
			expect(keptOf(arm).map(before)).toEqual(wanted.kept.map(positionsOf).map(before));
			expect(keptOf(arm).map((kept) => kept.length)).toEqual(wanted.kept.map((hex: string) => positionsOf(hex).length));
		});
	});

	it('dms(knorm,-9,w16) evicts as many entries of every head', () => {
		const arm = open().pressed({ method: 'dms', params: { scorer: knorm, threshold: -9, window: 16 } });
		expect(keptOf(arm).map((kept) => GOLDEN_PROMPT - kept.length)).toEqual(golden.cases['dms(knorm,-9,w16)'].per_head);
	});

	describe('attention times size', () => {
		const scorers: [string, object][] = [['snapkv w8', snapkv], ['knorm', knorm]];
		it.each(scorers.flatMap(([name, scorer]) => [0.5, 0.75].map((ratio) => [`critical(${name})@${ratio}`, scorer, ratio] as const)))('%s', (name, scorer, ratio) => {
			const { engine, pressed, start } = open();
			const wanted = golden.cases[name];
			const spec = wrapped('criticalkv', scorer, ratio, { variant: 'released' });
			const instance = start(spec);
			SCORED_LAYERS.forEach((layer, i) => {
				const { byHead, always } = instance.score!(engine.full.layers[layer], engine.views[layer]);
				byHead.forEach((row, head) => {
					// What the first stage chose stands above all numbers there.
					const open = SCORED.map((_, at) => wanted.s[i][head][at] < 1e300);
					expect(SCORED.map((p) => !always![head][p])).toEqual(open);
					expectClose(SCORED.filter((_, at) => open[at]).map((p) => row[p]), wanted.s[i][head].filter((_: number, at: number) => open[at]), 1e-5, 2e-4);
				});
			});
			const kept = keptOf(pressed(spec));
			expect(kept.every((positions) => positions.length === wanted.n_kept)).toBe(true);
			expect(kept).toEqual(wanted.kept.map(positionsOf));
			if (scorer === snapkv) expect(keptOf(pressed(wrapped('criticalkv', scorer, ratio)))).toEqual(kept);
		});

		it.each([0.5, 0.75])('critical_adakv(snapkv w8) at %d evicts the same entries of every head', (ratio) => {
			const wanted = golden.cases[`critical_adakv(snapkv w8)@${ratio}`];
			const kept = keptOf(open().pressed(wrapped('criticalkv', snapkv, ratio, { variant: 'released', uneven: true })));
			expect(kept.map((positions) => GOLDEN_PROMPT - positions.length)).toEqual(wanted.per_head);
			expect(kept.map(goneOf)).toEqual(wanted.masked.map(positionsOf));
		});
	});

	it('simlayerkv(t.5,n32,i4,l1) measures the same laziness and trims nothing', () => {
		const { engine, pressed } = open();
		const wanted = golden.cases['simlayerkv(t.5,n32,i4,l1)'];
		const found = engine.full.layers.map((layer, l) => laziness(layer, engine.views[l], { initial: 4, recent: 32, last: 1 }));
		expectClose(found, wanted.score, 1e-5, 2e-4);
		const arm = pressed({ method: 'simlayerkv', params: { threshold: 0.5, n_recent: 32 } });
		expect(arm.layers.map((layer) => layer.length(0))).toEqual(wanted.n);
	});

	it.each([0.25, 0.5])('think(w16)@%d drops the same channels', (ratio) => {
		const { engine, pressed } = open();
		const arm = pressed({ method: 'think', params: { ratio, window: 16, recent_size: 0 } });
		const gone = arm.layers.flatMap((layer) => Array.from({ length: kvHeads }, (_, head) => {
			const keys = layer.keys(head);
			return Array.from({ length: d }, (_, c) => c).filter((c) => keys.every((x, at) => at % d !== c || x === 0));
		}));
		expect(gone).toEqual(golden.cases[`think(w16)@${ratio}`].pruned);
		expectClose(sumsOf(arm, 'values'), sumsOf(engine.full, 'values'), 0, 0);
	});

	it('duo(s4,r16) evicts the same entries of every head', () => {
		const wanted = golden.cases['duo(s4,r16)'];
		const kept = keptOf(open().pressed({ method: 'duo-attention', params: { sink: 4, recent: 16 } }));
		expect(kept.map((positions) => GOLDEN_PROMPT - positions.length)).toEqual(wanted.per_head);
		expect(kept.map(goneOf)).toEqual(wanted.masked.map(positionsOf));
		const evicted = kept.reduce((sum, positions) => sum + GOLDEN_PROMPT - positions.length, 0);
		expect(evicted / (GOLDEN_PROMPT * kept.length)).toBeCloseTo(wanted.compression_ratio, 12);
	});
}
