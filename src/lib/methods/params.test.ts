import { describe, expect, it } from 'vitest';
import { TINY } from '$lib/cache/testing.ts';
import { DocumentError } from '$lib/documents/schema.ts';
import { random } from '$lib/numerics/random.ts';
import { slotsOf } from './budget.ts';
import { methods } from './registry.ts';
import { joinNeeds, readMethodSpec, startMethod } from './start.ts';

/** The message that a spec is refused with. */
function refusal(spec: unknown): string {
	try {
		readMethodSpec(spec, 'arms[0].stack[1]');
	} catch (error) {
		expect(error).toBeInstanceOf(DocumentError);
		expect((error as DocumentError).message.startsWith((error as DocumentError).path)).toBe(true);
		return (error as Error).message;
	}
	return 'accepted';
}
const budget = (value: unknown) => refusal({ method: 'knorm', params: { budget: value } });
const AT = 'arms[0].stack[1]';
const scorers = [...methods.values()].filter(({ scorer }) => scorer).map(({ id }) => id);

describe('parameters', () => {
	it('are completed with the defaults', () => {
		expect(readMethodSpec({ method: 'kivi', params: { bits: 4 } }).params).toEqual({ bits: 4, group: 32, residual: 32 });
		expect(readMethodSpec({ method: 'adakv' }).params).toEqual({
			scorer: { method: 'snapkv', params: { window: 32, kernel: 5 } }, budget: { fraction: 0.25 }, alpha: 0.2
		});
	});

	it.each<[unknown, string]>([
		[{ method: 'kivi', params: { bits: 7 } }, `${AT}.params.bits: expected one of 2, 4, got 7`],
		[{ method: 'kivi', params: { group: 32, residual: 40 } }, `${AT}.params.residual: expected a multiple of the group, 32, got 40`],
		[{ method: 'snapkv', params: { window: 2.5 } }, `${AT}.params.window: expected a whole number from 1 to 512, got 2.5`],
		[{ method: 'snapkv', params: { kernel: 4 } }, `${AT}.params.kernel: expected an odd whole number from 1 to 63, got 4`],
		[{ method: 'adakv', params: { alpha: 'x' } }, `${AT}.params.alpha: expected a number from 0 to 1, got "x"`],
		[{ method: 'streaming-llm', params: { rerotate: 1 } }, `${AT}.params.rerotate: expected true or false, got 1`],
		[{ method: 'knorm', params: { window: 3 } }, `${AT}.params.window: knorm has no such parameter; it has budget`],
		[{ method: 'knorm', params: [] }, `${AT}.params: expected an object of parameters, got []`],
		[{ method: 'knorm', bits: 2 }, `${AT}.bits: unknown key; expected method, params`],
		['knorm', `${AT}: expected an object with "method" and "params", got "knorm"`],
		[{ method: 'adakv', params: { scorer: { method: 'kivi' } } }, `${AT}.params.scorer.method: expected a method that scores tokens (${scorers.join(', ')}), got "kivi"`],
		[{ method: 'adakv', params: { scorer: { method: 'snapkv', params: { window: 0 } } } }, `${AT}.params.scorer.params.window: expected a whole number from 1 to 512, got 0`],
		[{ method: 'adakv', params: { scorer: { method: 'snapkv', params: { budget: { tokens: 5 } } } } }, `${AT}.params.scorer.params.budget: the budget of the method around it counts; leave this one out`]
	])('%j is refused', (spec, message) => {
		expect(refusal(spec)).toBe(message);
	});

	it('names the methods there are when one is unknown', () => {
		expect(refusal({ method: 'snapvk' })).toBe(`${AT}.method: expected one of ${[...methods.keys()].join(', ')}, got "snapvk"`);
	});
});

describe('budgets', () => {
	it.each<[unknown, string]>([
		[{ fraction: 0 }, `${AT}.params.budget.fraction: a budget of nothing leaves nothing to attend to; expected a number above 0 and at most 1, got 0`],
		[{ tokens: 0 }, `${AT}.params.budget.tokens: a budget of nothing leaves nothing to attend to; expected a whole number of at least 1, got 0`],
		[{ fraction: 1.5 }, `${AT}.params.budget.fraction: expected a number above 0 and at most 1, got 1.5`],
		[{ fraction: null }, `${AT}.params.budget.fraction: expected a number above 0 and at most 1, got null`],
		[{ tokens: 2.5 }, `${AT}.params.budget.tokens: expected a whole number of at least 1, got 2.5`],
		[{ bytes: -3 }, `${AT}.params.budget.bytes: expected a whole number of at least 1, got -3`],
		[{}, `${AT}.params.budget: expected exactly one of fraction, tokens, bytes, got none of them`],
		[{ tokens: 3, bytes: 9 }, `${AT}.params.budget: expected exactly one of fraction, tokens, bytes, got tokens, bytes`],
		[{ share: 1 }, `${AT}.params.budget: expected exactly one of fraction, tokens, bytes, got share`],
		[128, `${AT}.params.budget: expected {"fraction"}, {"tokens"} or {"bytes"}, got 128`]
	])('%j is refused', (value, message) => {
		expect(budget(value)).toBe(message);
	});

	it('floor the fraction in doubles and keep at least one', () => {
		expect(slotsOf({ fraction: 0.5 }, 203, TINY)).toBe(101);
		expect(slotsOf({ fraction: 0.29 }, 100, TINY)).toBe(28);
		expect(slotsOf({ fraction: 0.01 }, 10, TINY)).toBe(1);
		expect(slotsOf({ fraction: 1 }, 10, TINY)).toBe(Infinity);
		expect(slotsOf({ tokens: 7 }, 3, TINY)).toBe(7);
	});

	it('in bytes count every layer and head, positions, and what the method holds itself', () => {
		const heads = TINY.layers * TINY.kvHeads;
		const slot = 4 * TINY.headDim + 2;
		expect(slotsOf({ bytes: heads * slot * 10 }, 100, TINY)).toBe(10);
		expect(slotsOf({ bytes: heads * slot * 10 - 1 }, 100, TINY)).toBe(9);
		expect(slotsOf({ bytes: heads * (slot * 10 + 100) }, 100, TINY, { overhead: 100 })).toBe(10);
		expect(slotsOf({ bytes: heads * (slot + 4) * 10 }, 100, TINY, { perSlot: 4 })).toBe(10);
	});

	it('in bytes that hold the whole prompt leave it whole, to the byte', () => {
		const heads = TINY.layers * TINY.kvHeads;
		const full = heads * 4 * TINY.headDim * 100;
		expect(slotsOf({ bytes: full }, 100, TINY, { overhead: 300 })).toBe(100);
		expect(slotsOf({ bytes: full - 1 }, 100, TINY)).toBe(Math.floor((full - 1) / heads / (4 * TINY.headDim + 2)));
		expect(slotsOf({ bytes: 10 * full }, 100, TINY)).toBe(Math.floor((10 * full) / heads / (4 * TINY.headDim + 2)));
	});

	it('too small for one token are refused where they stand', () => {
		const spec = readMethodSpec({ method: 'momentkv', params: { budget: { bytes: 100 } } }, AT);
		const facts = { model: TINY, random: random(0), promptTokens: 50 };
		const least = TINY.layers * TINY.kvHeads * (4 * (64 + 16 + 1) + 4 * 8 + 2);
		expect(() => startMethod(spec, facts, AT)).toThrow(
			`${AT}.params.budget.bytes: expected at least ${least} bytes, which one token a head costs, got 100`
		);
	});
});

describe('joinNeeds', () => {
	it('takes the longest window and every flag', () => {
		expect(joinNeeds([{ queries: { last: 8 } }, { queries: { last: 32 }, stepAttention: true }, {}])).toEqual({ queries: { last: 32 }, stepAttention: true });
		expect(joinNeeds([{ queries: 'all' }, { queries: { last: 8 } }])).toEqual({ queries: 'all' });
	});
});
