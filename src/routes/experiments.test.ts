import { describe, expect, it } from 'vitest';
import { methods } from '$lib/methods/registry.ts';
import { armBudget, budgetBytes, equalBytes, FIRST_EXPERIMENT, runKey, specWords, stable, stackName, withParam } from './experiments.ts';

describe('experiments', () => {
	it('are the same run when only words or the view differ', () => {
		const other = { ...FIRST_EXPERIMENT, view: { maximized: '2' }, arms: FIRST_EXPERIMENT.arms.map((arm) => ({ ...arm, label: 'x' })) };
		expect(runKey(other)).toBe(runKey(FIRST_EXPERIMENT));
		expect(runKey({ ...other, generate: { ...other.generate, seed: 1 } })).not.toBe(runKey(FIRST_EXPERIMENT));
		expect(stable({ b: 1, a: { d: undefined, c: 2 } })).toBe(stable({ a: { c: 2 }, b: 1 }));
	});

	it('get equal bytes in every arm that has a budget, and only there', () => {
		const equal = equalBytes(FIRST_EXPERIMENT, 123456.4, methods);
		expect(equal.arms[0].stack[0].params?.budget).toEqual({ bytes: 123456 });
		expect(equal.arms[1].stack[0].params?.budget).toEqual({ bytes: 123456 });
		expect(equal.arms[2]).toBe(FIRST_EXPERIMENT.arms[2]);
		expect(equal.arms[3].stack[1]).toEqual(FIRST_EXPERIMENT.arms[3].stack[1]);
		expect(FIRST_EXPERIMENT.arms[0].stack[0].params?.budget).toEqual({ fraction: 0.25 });
	});

	it('find an arm\'s budget, the default too', () => {
		expect(armBudget({ stack: [{ method: 'snapkv' }] }, methods)).toMatchObject({ index: 0, name: 'budget' });
		expect(armBudget({ stack: [{ method: 'kivi' }] }, methods)).toBeNull();
		expect(armBudget({ stack: [{ method: 'unknown' }] }, methods)).toBeNull();
		expect(budgetBytes({ tokens: 10 }, 4000, 40)).toBe(1000);
		expect(budgetBytes({ fraction: 0.5 }, 4000, 40)).toBe(2000);
	});

	it('say what a stack does in a few words', () => {
		expect(stackName(FIRST_EXPERIMENT.arms[3].stack, methods)).toBe('SnapKV, then KIVI');
		expect(specWords({ method: 'snapkv', params: { budget: { fraction: 0.23 }, window: 16 } }, methods)).toBe('23 % of the prompt · window 16');
		expect(specWords({ method: 'kivi' }, methods)).toBe('2 bits');
		expect(specWords({ method: 'unknown' }, methods)).toBe('');
		expect(withParam({ method: 'kivi', params: { bits: 4 } }, 'bits', undefined)).toEqual({ method: 'kivi' });
	});
});
