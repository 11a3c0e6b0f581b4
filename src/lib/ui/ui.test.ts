import { describe, expect, it } from 'vitest';
import { moveCell } from './cell-keys.ts';
import { bytes, count, nats, parseBytes, percent, probability, significant, visibleToken, wordToken } from './format.ts';
import { pentagon, rulerTicks, sliderKey } from './ruler.ts';
import { settle, type SelectionFields, type SelectionShape } from './selection.svelte.ts';
import { toCsv, toJson } from './table.ts';
import { grammar } from './words/grammar.ts';
import { words } from './words/index.ts';

describe('numbers', () => {
	it('have the precision they deserve', () => {
		expect(count(1234567)).toBe('1\u202f234\u202f567');
		expect(significant(0.0123456)).toBe('0.0123');
		expect(significant(-3.14159)).toBe('\u22123.14');
		expect(significant(0)).toBe('0');
		expect(significant(Infinity)).toBe('∞');
		expect(probability(0.0514)).toBe('.051');
		expect(probability(0.9999)).toBe('1.000');
		expect(nats(2.3141)).toBe('2.314');
		expect(nats(0.00087)).toBe('0.0009');
		expect(nats(1e-6)).toBe('< .0001');
		expect(percent(0.234)).toBe('23\u00a0%');
	});
	it('say bytes and read them back', () => {
		expect(bytes(518)).toBe('518\u00a0B');
		expect(bytes(131072)).toBe('131\u00a0kB');
		expect(bytes(2252800)).toBe('2.25\u00a0MB');
		expect(bytes(999.7)).toBe('1.00\u00a0kB');
		expect(parseBytes('152 kB', 1e6)).toBe(152000);
		expect(parseBytes('0,5MB', 1e6)).toBe(500000);
		expect(parseBytes('20 %', 1000)).toBe(200);
		expect(parseBytes('152', 390_000)).toBe(152_000);
		expect(parseBytes('a lot', 1000)).toBeNull();
	});
	it('count steps from one', () => {
		expect([words.stepName(0), words.stepName(-1), words.stepName(null)]).toEqual(['1', 'prompt', 'newest']);
	});
	it('print tokens visibly', () => {
		expect(visibleToken(' box\n')).toBe('·box↵');
		expect(visibleToken('')).toBe('∅');
		expect(wordToken(' box')).toBe('box');
		expect(wordToken(' ')).toBe('·');
		expect(words.list(['A', 'B', 'C'])).toBe('A, B and C');
	});
});

describe('grammar', () => {
	it('knows languages with more plural forms than English', () => {
		const { counted, list } = grammar('pl');
		const heads = { one: 'głowa', few: 'głowy', many: 'głów', other: 'głowy' };
		expect([1, 3, 5, 22].map((n) => counted(n, heads))).toEqual(['1 głowa', '3 głowy', '5 głów', '22 głowy']);
		expect(list(['A', 'B', 'C'])).toBe('A, B i C');
	});
	it('falls back to the form that every language has', () => {
		expect(grammar('en-GB').form(1, { other: 'sheep' })).toBe('sheep');
	});
});

describe('rulers', () => {
	it('label at the asked distance and divide in between', () => {
		const ticks = rulerTicks(0, 128, 900, 72);
		const major = ticks.filter((t) => t.rank === 2).map((t) => t.value);
		expect(major).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
		expect(ticks.every((t, i) => i === 0 || t.value > ticks[i - 1].value)).toBe(true);
		expect(ticks[ticks.length - 1].value).toBeLessThanOrEqual(128);
	});
	it('have no ticks without length', () => {
		expect(rulerTicks(0, 0, 100)).toEqual([]);
		expect(rulerTicks(0, 10, 0)).toEqual([]);
	});
	it('move by keys inside their ends', () => {
		expect(sliderKey('ArrowRight', 9, 0, 10, 2)).toBe(10);
		expect(sliderKey('PageDown', 9, 0, 10, 2)).toBe(0);
		expect(sliderKey('End', 1, 0, 10, 2)).toBe(10);
		expect(sliderKey('x', 1, 0, 10, 2)).toBeNull();
	});
	it('carry a pentagon whose tip is where it points', () => {
		expect(pentagon(20, 30)).toMatch(/^M20 30l/);
	});
});

const shape: SelectionShape = { layers: 6, heads: 8, kvHeads: 4, positions: 100, steps: 5, arms: 2 };
const start: SelectionFields = { position: null, layer: 0, head: 0, queryHead: 0, step: null, arm: 0 };

describe('selection', () => {
	it('keeps query head and KV head in one group', () => {
		expect(settle(start, { queryHead: 5 }, shape)).toMatchObject({ head: 2, queryHead: 5 });
		expect(settle({ ...start, queryHead: 5, head: 2 }, { head: 3 }, shape)).toMatchObject({ head: 3, queryHead: 6 });
		expect(settle({ ...start, queryHead: 5, head: 2 }, { layer: 1 }, shape)).toMatchObject({ head: 2, queryHead: 5 });
	});
	it('never points at what does not exist', () => {
		expect(settle(start, { position: 400, layer: 9, arm: 7, step: 88 }, shape)).toMatchObject({ position: 99, layer: 5, arm: 1, step: 4 });
		expect(settle(start, { position: 3 }, { ...shape, positions: 0 }).position).toBeNull();
		expect(settle(start, { step: -9 }, shape).step).toBe(-1);
	});
});

describe('moving the cell', () => {
	const at = { position: 10, layer: 1, head: 3 };
	it('goes through heads into the next layer', () => {
		expect(moveCell('ArrowDown', false, at, shape)).toEqual({ position: 10, layer: 2, head: 0 });
		expect(moveCell('ArrowUp', false, { ...at, layer: 0, head: 0 }, shape)).toEqual({ position: 10, layer: 0, head: 0 });
		expect(moveCell('PageDown', false, at, shape)).toEqual({ position: 10, layer: 2, head: 3 });
	});
	it('jumps with shift and stops at the ends', () => {
		expect(moveCell('ArrowRight', true, at, shape)).toMatchObject({ position: 18 });
		expect(moveCell('ArrowLeft', true, { ...at, position: 3 }, shape)).toMatchObject({ position: 0 });
		expect(moveCell('End', false, at, shape)).toMatchObject({ position: 99 });
		expect(moveCell('ArrowRight', false, { ...at, position: null }, shape)).toMatchObject({ position: 0 });
		expect(moveCell('q', false, at, shape)).toBeNull();
	});
});

describe('tables', () => {
	const table = { caption: 'c', columns: ['a', 'b,c'], rows: [[1, 'x "y"'], [0.1 + 0.2, 'z\n']] };
	it('become CSV with quotes where needed and full precision', () => {
		expect(toCsv(table)).toBe('a,"b,c"\r\n1,"x ""y"""\r\n0.30000000000000004,"z\n"\r\n');
	});
	it('become JSON with one object a row', () => {
		expect(JSON.parse(toJson(table)).rows[0]).toEqual({ a: 1, 'b,c': 'x "y"' });
	});
});
