/** Wrappers and policies of kvpress whose cases in the fixture have forms of their own. */
import { describe, expect, it } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { MethodInstance } from '../define.ts';
import { GOLDEN_PROMPT } from './golden-model.ts';
import { expectClose, golden, keptOf, snapkv, sumsOf, SCORED_LAYERS, d, kvHeads, positionsOf } from './kvpress-fixture.ts';
import type { GoldenEngine } from './kvpress-suite.ts';

/** A prompt that was read, and methods on it. */
export interface Pressing {
	engine: GoldenEngine;
	start(spec: object): MethodInstance;
	/** A fork of the prompt's cache after the method has acted. */
	pressed(spec: object): ArmCache;
}

const knorm = { method: 'knorm' };

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
			expectClose(sumsOf(arm, 'keys'), wanted.ksum, 0, engine.tolerance.sums);
			expectClose(sumsOf(arm, 'values'), wanted.vsum, 0, engine.tolerance.sums);
			SCORED_LAYERS.forEach((layer, i) => {
				const keys = arm.layers[layer].keys(kvHeads - 1);
				const ends = [...keys.subarray(0, 4), ...keys.subarray(keys.length - d, keys.length - d + 4)];
				expectClose(ends, wanted.k0[i], 1e-5, 2e-4);
			});
		});
	});

	it('dms(knorm,-9,w16) evicts as many entries of every head', () => {
		const arm = open().pressed({ method: 'dms', params: { scorer: knorm, threshold: -9, window: 16 } });
		expect(keptOf(arm).map((kept) => GOLDEN_PROMPT - kept.length)).toEqual(golden.cases['dms(knorm,-9,w16)'].per_head);
	});
}
