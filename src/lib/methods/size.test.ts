import { describe, expect, it } from 'vitest';
import type { Method } from './define.ts';
import { methods } from './registry.ts';
import { sizeParams, sizeSettings, staircase } from './size.ts';
import { readMethodSpec } from './start.ts';

const stack = (...ids: string[]) => ids.map((method) => readMethodSpec({ method }));
const all = (settings: ReturnType<typeof sizeSettings>) => Array.from({ length: settings!.count }, (_, i) => settings!.at(i));

describe('the settings of a size', () => {
	it('of a budget are its tokens, 1 to the whole prompt', () => {
		const settings = sizeSettings(stack('snapkv'), methods, 5);
		expect(settings!.place).toBe(0);
		expect(all(settings)).toEqual([1, 2, 3, 4, 5].map((tokens) => ({ budget: { tokens } })));
	});

	it('of a quantizer are its bits, keys and values raised in turn', () => {
		const bits = all(sizeSettings(stack('rtn'), methods, 5)).map(({ bitsK, bitsV }) => [bitsK, bitsV]);
		expect(bits.slice(0, 5)).toEqual([[2, 2], [3, 2], [3, 3], [4, 3], [4, 4]]);
		expect(bits.at(-1)).toEqual([16, 16]);
		expect(all(sizeSettings(stack('kivi'), methods, 5))).toEqual([{ bits: 2 }, { bits: 4 }]);
	});

	it('of a plane are its ranks', () => {
		const ranks = all(sizeSettings(stack('svd-truncation'), methods, 5)).map(({ rankK, rankV }) => [rankK, rankV]);
		expect(ranks.slice(0, 4)).toEqual([[1, 1], [1, 2], [2, 2], [2, 3]]);
		expect(ranks.at(-1)).toEqual([512, 512]);
	});

	it('in a stack are those of the first budget, else of the first that has any', () => {
		expect(sizeSettings(stack('kivi', 'snapkv'), methods, 5)!.place).toBe(1);
		expect(sizeSettings(stack('kivi', 'rtn'), methods, 5)!.place).toBe(0);
		expect(sizeSettings([], methods, 5)).toBeNull();
	});

	it('may fall, and may have a step or be odd', () => {
		const made = (params: Method['params'], size: Method['size']) => new Map([['made', { id: 'made', params, size } as unknown as Method]]);
		const of = (params: Method['params'], size: Method['size']) => all(sizeSettings([{ method: 'made', params: {} }], made(params, size), 5));
		expect(of({ ratio: { kind: 'number', default: 0.5, min: 0, max: 0.4, step: 0.1, about: '' } }, { params: ['ratio'], falls: true }))
			.toEqual([0.4, 0.3, 0.2, 0.1, 0].map((ratio) => ({ ratio })));
		expect(of({ width: { kind: 'int', default: 3, min: 2, max: 8, odd: true, about: '' } }, { params: ['width'] })).toEqual([3, 5, 7].map((width) => ({ width })));
	});

	it('exist for every method that names one, and each name is a parameter', () => {
		for (const method of methods.values()) {
			for (const name of sizeParams(method)) expect(method.params, method.id).toHaveProperty(name);
			if (sizeParams(method).length) expect(sizeSettings(stack(method.id), methods, 40)!.count, method.id).toBeGreaterThan(1);
		}
	});
});

it('a staircase raises one at a time and goes on with those that are left', () => {
	expect(staircase([3, 2])).toEqual([[0, 0], [1, 0], [1, 1], [2, 1]]);
	expect(staircase([2, 0])).toEqual([]);
});
