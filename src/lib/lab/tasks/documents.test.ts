import { describe, expect, it } from 'vitest';
import { random } from '$lib/numerics/random.ts';
import { KINDS, makeDocument, type DocumentKind } from './documents.ts';
import { WEIGHT, type Piece } from './pieces.ts';
import { readFacts, readQuestion } from './reader.ts';
import { split } from './split.ts';

const count = (text: string) => split(text).length;
const make = (kind: DocumentKind, seed: number, room: number): Piece[] => makeDocument(kind, random(`test/${kind}/${seed}`), room, count, 3000);
const textOf = (pieces: Piece[]) => pieces.map((piece) => piece.text).join('');
const many = (times: number, check: (seed: number, room: number) => void) => {
	for (let seed = 0; seed < times; seed++) for (const room of [64, 128, 512, 1100]) check(seed, room);
};

describe('documents', () => {
	it.each(KINDS)('%s fills the room, opens with a word and repeats for a seed', (kind) => {
		many(15, (seed, room) => {
			const pieces = make(kind, seed, room);
			const tokens = pieces.reduce((sum, piece) => sum + (piece.ids?.length ?? count(piece.text)), 0);
			expect(tokens).toBeGreaterThanOrEqual(room);
			if (kind !== 'ids' && kind !== 'echo') expect(textOf(pieces)).toMatch(/^["A-Za-z]/);
			expect(make(kind, seed, room)).toEqual(pieces);
			for (const piece of pieces) {
				expect(piece.weight).toBeGreaterThan(0);
				expect(piece.weight).toBeLessThanOrEqual(4);
			}
		});
	});

	it('recall: every answer follows from the text before it, and nothing is contradicted', () => {
		let answers = 0;
		many(40, (seed, room) => {
			const known = new Map<string, string>();
			let asked: ReturnType<typeof readQuestion> = null;
			// The last line may be cut short.
			for (const line of textOf(make('recall', seed, room)).split('\n').slice(0, -1)) {
				const question = /^(?:Q|User): (.*\?)$/.exec(line);
				const answer = /^A: (.*)\.$/.exec(line);
				const reply = /^Bot: (.*)$/.exec(line);
				if (asked && answer) {
					expect(known.get(asked.key), line).toBe(answer[1]);
					answers++;
					asked = null;
				} else if (asked && reply) {
					expect(known.get(asked.key), line).toBeDefined();
					expect(readFacts(line, new Map()).get(asked.key), line).toBe(known.get(asked.key));
					answers++;
					asked = null;
				} else if (question && readQuestion(question[1])) asked = readQuestion(question[1]);
				else readFacts(line, known);
			}
		});
		expect(answers).toBeGreaterThan(1500);
	});

	it('recall: the answer carries the weight and a code said for the first time almost none', () => {
		for (let seed = 0; seed < 50; seed++) {
			make('recall', seed, 300).forEach((piece, i, all) => {
				const before = all[i - 1]?.text ?? '';
				if (/\nA:$/.test(before) || before === 'A:') expect(piece.weight).toBe(4);
				if (/^ \d{4}$/.test(piece.text)) expect([0.05, 4]).toContain(piece.weight);
			});
		}
	});

	it('chain: the worked answers are right and start from what was said', () => {
		let answers = 0;
		many(30, (seed, room) => {
			const given = new Map<string, string>();
			let asked = '';
			for (const line of textOf(make('chain', seed, room)).split('\n').slice(0, -1)) {
				for (const [, name, value] of line.matchAll(/Let ([a-z]) = ([^.]+)\./g)) {
					expect(given.has(name), `${name} is given twice`).toBe(false);
					given.set(name, value);
				}
				asked = /^Q: What is ([a-z])\?$/.exec(line)?.[1] ?? asked;
				if (!line.startsWith('A:')) continue;
				const values = new Map<string, number>();
				for (const [, name, left, sign, right, result] of line.matchAll(/([a-z]) = (\d+)(?: ([+-]) (\d+) = (\d+))?\./g)) {
					const from = /^([a-z]) /.exec(given.get(name)!)?.[1];
					if (from) {
						expect(given.get(name)).toBe(`${from} ${sign} ${right}`);
						expect(values.get(from)).toBe(Number(left));
						expect(Number(left) + (sign === '+' ? 1 : -1) * Number(right)).toBe(Number(result));
					} else expect(given.get(name)).toBe(left);
					values.set(name, Number(result ?? left));
				}
				expect(line).toMatch(new RegExp(` The answer is ${values.get(asked)}\\.$`));
				answers++;
			}
		});
		expect(answers).toBeGreaterThan(200);
	});

	it('sums are right and stay below 100', () => {
		many(20, (seed, room) => {
			const text = textOf(make('arith', seed, room));
			const sums = [...text.matchAll(/(\d+) ([+-]) (\d+) = (\d+)\./g)];
			expect(sums.length).toBeGreaterThan(room / 10);
			for (const [, a, sign, b, result] of sums) {
				expect(Number(a) + (sign === '+' ? 1 : -1) * Number(b)).toBe(Number(result));
				expect(Number(result)).toBeLessThan(100);
			}
		});
	});

	it('copies repeat their list, up to half the room', () => {
		let longest = 0;
		many(20, (seed, room) => {
			const lines = textOf(make('copy', seed, room)).split('\n').filter(Boolean);
			for (let i = 0; i + 1 < lines.length; i += 2) {
				expect(`${lines[i]}.`).toBe(lines[i + 1]);
				longest = Math.max(longest, count(lines[i]) / room);
			}
		});
		expect(longest).toBeGreaterThan(0.4);
	});

	it('random tokens come twice, at no fixed distance, and lie in the vocabulary', () => {
		const distances = new Set<number>();
		many(10, (seed, room) => {
			const pieces = make('ids', seed, room);
			for (let i = 0; i + 3 < pieces.length; i += 4) {
				const [first, between, start, rest] = pieces.slice(i, i + 4).map((piece) => piece.ids!);
				const again = [...start, ...rest];
				expect(again).toEqual(first.slice(first.length - again.length));
				distances.add(between.length + again.length);
				for (const id of [...first, ...between]) expect(id >= 2 && id < 3000).toBe(true);
			}
		});
		expect(distances.size).toBeGreaterThan(5);
	});

	it('stories fill every slot and have agreeing articles', () => {
		for (let seed = 0; seed < 150; seed++) {
			const text = textOf(make('story', seed, 900));
			expect(text).not.toMatch(/[{}|]|undefined/);
			expect(text).not.toMatch(/\ba [aeio]|\ban [bcdfgjklmnpqrstvwxyz]/);
			expect((text.match(/"/g) ?? []).length % 2 === 0 || !text.endsWith('"')).toBe(true);
		}
	});

	it('an echo is made of few tokens, and what is copied has been there before', () => {
		const ids = make('echo', 5, 200).flatMap((piece) => (piece.ids ?? []).map((id) => ({ id, copied: piece.weight === WEIGHT.copied })));
		const different = new Set(ids.map(({ id }) => id));
		expect(different.size).toBeLessThanOrEqual(160);
		const seen = new Set<string>();
		let copied = 0;
		ids.forEach(({ id, copied: due }, i) => {
			const pair = `${ids[i - 1]?.id} ${id}`;
			if (due) {
				copied++;
				expect(seen.has(pair), pair).toBe(true);
			}
			seen.add(pair);
		});
		expect(copied).toBeGreaterThan(80);
	});
});
