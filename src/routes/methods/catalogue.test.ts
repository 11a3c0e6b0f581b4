import katex from 'katex';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from '$lib/documents/schema.ts';
import type { ParamSpec } from '$lib/methods/define.ts';
import { methods } from '$lib/methods/registry.ts';
import { decodeLink, encodeLink } from '$lib/share/link.ts';
import { askedOf } from './asked.ts';
import { demoOf, entryOf, FAMILIES, find, firstSentence, groupByFamily, paramRows, readSearch, writeSearch, type Entry } from './catalogue.ts';
import { colour } from './colour.ts';

const entry = (id: string, family: Entry['family'], text = ''): Entry => ({ id, title: id, subtitle: '', family, first: '', text });
const all = [entry('b', 'summary', 'a state of moments'), entry('z', 'eviction', 'sinks and recent'), entry('a', 'eviction', 'recent attention')];

describe('the catalogue', () => {
	it('keeps the order of families, sorts titles, leaves out empty families', () => {
		const groups = groupByFamily(all);
		expect(groups.map((g) => [g.family, g.entries.map((e) => e.id)])).toEqual([['eviction', ['a', 'z']], ['summary', ['b']]]);
		expect(groupByFamily([])).toEqual([]);
	});

	it('lists every method of the registry once, in a family with a sentence', () => {
		const groups = groupByFamily([...methods.values()].map(entryOf));
		expect(groups.flatMap((g) => g.entries.map((e) => e.id)).sort()).toEqual([...methods.keys()].sort());
		for (const group of groups) expect(group.about).toMatch(/\.$/);
	});

	it('finds entries that hold every word, in any case and order, in one family or in all', () => {
		const ids = (family: Entry['family'] | null, query: string) => find(all, family, query).map((e) => e.id);
		expect(ids(null, '')).toEqual(['b', 'z', 'a']);
		expect(ids(null, ' RECENT ')).toEqual(['z', 'a']);
		expect(ids(null, 'recent sinks')).toEqual(['z']);
		expect(ids('summary', 'recent')).toEqual([]);
		expect(ids('eviction', '')).toEqual(['z', 'a']);
	});

	it('searches titles, papers and names of parameters', () => {
		const entries = [...methods.values()].map(entryOf);
		for (const query of ['SnapKV', 'Li et al., SnapKV', 'snapkv kernel window']) expect(find(entries, null, query).map((e) => e.id)).toContain('snapkv');
		expect(find(entries, null, 'no method says this')).toEqual([]);
	});

	it('takes the first sentence of an idea', () => {
		expect(firstSentence('Keep q.k of 0.5 parts. Then more.')).toBe('Keep q.k of 0.5 parts.');
		expect(firstSentence('Only one')).toBe('Only one');
		expect(firstSentence('One. ')).toBe('One.');
	});

	it('keeps family and words in the address and ignores what it does not know', () => {
		for (const family of [null, ...FAMILIES]) expect(readSearch(writeSearch(family, 'a & b'))).toEqual({ family, query: 'a & b' });
		expect(writeSearch(null, '  ')).toBe('');
		expect(readSearch('?family=magic')).toEqual({ family: null, query: '' });
	});
});

describe('parameters as rows', () => {
	it('says kind, range and default of every kind', () => {
		const specs: Record<string, ParamSpec> = {
			a: { kind: 'int', default: 3, min: 1, max: 9, odd: true, about: 'A.' },
			b: { kind: 'number', default: 0.5, min: 0, max: 1, about: 'B.' },
			c: { kind: 'choice', default: 2, options: [2, 4], about: 'C.' },
			d: { kind: 'boolean', default: false, about: 'D.' },
			e: { kind: 'budget', default: { fraction: 0.25 }, about: 'E.' },
			f: { kind: 'scorer', default: { method: 'snapkv' }, about: 'F.' }
		};
		expect(paramRows(specs, (id) => id.toUpperCase()).map((row) => `${row.name} ${row.kind}, ${row.range}: ${row.default}. ${row.about}`)).toEqual([
			'a odd whole number, 1 to 9: 3. A.',
			'b number, 0 to 1: 0.5. B.',
			'c one of, 2, 4: 2. C.',
			'd yes or no, yes, no: no. D.',
			'e budget, share of the prompt, slots a head, or bytes: 25 % of the prompt. E.',
			'f scoring method, any method that scores tokens: SNAPKV. F.'
		]);
	});
});

describe('every method', () => {
	const beside = methods.get('streaming-llm');
	it.each([...methods.keys()])('%s has a formula, a demo that a link carries, and says what it asks for', (id) => {
		const method = methods.get(id)!;
		expect(katex.renderToString(method.formula, { displayMode: true, throwOnError: true })).toContain('katex-display');
		const demo = demoOf(method, beside);
		expect(demo.arms.map((arm) => arm.stack[0].method)).toEqual(id === 'streaming-llm' ? [id] : [id, 'streaming-llm']);
		const expected = parseExperiment(demo, { unknown: 'notice' }).experiment;
		expect(decodeLink(encodeLink(demo)).experiment).toEqual(expected);
		for (const line of askedOf(method)) expect(line.length).toBeGreaterThan(5);
	});

	it('asks as it needs', () => {
		expect(askedOf(methods.get('knorm')!)).toEqual([]);
		expect(askedOf(methods.get('snapkv')!)).toEqual(['queries of the last 32 prompt tokens']);
	});
});

describe('colouring', () => {
	it('tells comments, strings and keywords apart and loses nothing', () => {
		const source = "/** A. */\nimport x from 'a//b'; // end\nconst importance = `${x}`;";
		const pieces = colour(source);
		expect(pieces.map((p) => p.text).join('')).toBe(source);
		expect(pieces.filter((p) => p.kind !== 'plain').map((p) => [p.kind, p.text])).toEqual([
			['comment', '/** A. */'], ['keyword', 'import'], ['keyword', 'from'], ['string', "'a//b'"], ['comment', '// end'], ['keyword', 'const'], ['string', '`${x}`']
		]);
	});
});
