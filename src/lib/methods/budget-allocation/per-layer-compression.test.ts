import { describe, expect, it } from 'vitest';
import { randomArm, TINY } from '$lib/cache/testing.ts';
import { presented } from '../testing/untouched.ts';
import { Rig } from '../testing/views.ts';
import { layerBudgets } from './per-layer-compression.ts';

const shape = { ...TINY, layers: 4 };
const run = (method: string, params: object) => new Rig(randomArm(50, shape), [{ method, params }]).prefill().arm;
const ofLayers = (params: object) => run('per-layer-compression', { scorer: { method: 'knorm' }, budget: { tokens: 20 }, ...params });

describe('layerBudgets', () => {
	it('lie on a line through the mean', () => {
		expect(layerBudgets(20, 4, 0, -1)).toEqual([20, 20, 20, 20]);
		expect(layerBudgets(20, 5, 0.5, -1)).toEqual([30, 25, 20, 15, 10]);
		expect(layerBudgets(20, 5, -0.5, -1)).toEqual([10, 15, 20, 25, 30]);
		expect(layerBudgets(20, 3, 1, -1)).toEqual([40, 20, 1]);
		expect(layerBudgets(20, 1, 1, -1)).toEqual([20]);
		expect(layerBudgets(20, 3, 0.5, 1)).toEqual([Infinity, 20, Infinity]);
	});
});

describe('per-layer-compression', () => {
	it('with equal budgets is the plain scorer', () => {
		expect(presented(ofLayers({}))).toEqual(presented(run('knorm', { budget: { tokens: 20 } })));
	});

	it('gives each layer what the scorer would keep there with its budget', () => {
		const arm = ofLayers({ tilt: 0.6 });
		const budgets = layerBudgets(20, 4, 0.6, -1);
		expect(arm.layers.map((layer) => layer.length(0))).toEqual(budgets);
		budgets.forEach((tokens, index) => {
			expect(arm.layers[index].positions(1)).toEqual(run('knorm', { budget: { tokens } }).layers[index].positions(1));
		});
	});

	it('cuts one layer alone, or nothing where the budget holds everything', () => {
		expect(ofLayers({ only: 2 }).layers.map((layer) => layer.length(0))).toEqual([50, 50, 20, 50]);
		expect(ofLayers({ only: 2, budget: { fraction: 1 } }).records).toEqual([]);
		expect(ofLayers({ tilt: 1, budget: { tokens: 50 } }).records).toEqual([]);
	});

	it('stacks: a cut that keeps all, then another method, is that method', () => {
		const stack = [{ method: 'per-layer-compression', params: { budget: { fraction: 1 } } }, { method: 'knorm', params: { budget: { tokens: 20 } } }];
		expect(presented(new Rig(randomArm(50, shape), stack).prefill().arm)).toEqual(presented(run('knorm', { budget: { tokens: 20 } })));
	});
});
