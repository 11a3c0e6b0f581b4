import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { random } from '../src/lib/numerics/random.ts';
import { KINDS, type DocumentKind } from '../src/lib/lab/tasks/documents.ts';
import { isGirl, PEOPLE } from '../src/lib/lab/tasks/world.ts';
import { makeRow, parseMix, pickKind } from './row.ts';
import { loadTokens } from './tokens.ts';

const tokens = loadTokens();
const unpack = (bytes: Uint8Array, n: number) => ({
	ids: [...new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 2 * n))],
	sources: [...new Uint16Array(bytes.buffer.slice(bytes.byteOffset + 2 * n, bytes.byteOffset + 4 * n))],
	weights: [...bytes.subarray(4 * n)]
});

/** The first `size` bytes of the stream; then the pipe is closed. */
function head(args: string[], size: number): Promise<{ bytes: Uint8Array; code: number | null; errors: string }> {
	const child = spawn(process.execPath, ['scripts/run-ts.mjs', 'training/stream.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
	const chunks: Buffer[] = [];
	let errors = '';
	child.stderr.on('data', (data) => (errors += data));
	child.stdout.on('data', (data: Buffer) => {
		chunks.push(data);
		if (chunks.reduce((sum, chunk) => sum + chunk.length, 0) >= size) child.stdout.destroy();
	});
	return new Promise((done) => child.on('close', (code) => done({ bytes: new Uint8Array(Buffer.concat(chunks)), code, errors })));
}

describe('training rows', () => {
	it('hold one document: <|bos|> first, every other token with a weight', () => {
		for (const kind of KINDS) {
			for (let seed = 0; seed < 10; seed++) {
				const { ids, weights } = unpack(makeRow(tokens, random(seed), kind, 128), 129);
				expect(ids[0]).toBe(tokens.bos);
				expect(ids.slice(1)).not.toContain(tokens.bos);
				expect(Math.max(...ids)).toBeLessThan(tokens.size);
				expect(weights[0]).toBe(0);
				expect(weights.slice(1).every((weight) => weight >= 1 && weight <= 128)).toBe(true);
				if (kind !== 'ids' && kind !== 'echo') expect(tokens.decode(ids.slice(1, 2))).toMatch(/^["A-Za-z]/);
			}
		}
	});
	/** Every token of 20 rows that has a source, with the token there, the weight, and the text up to it. */
	const sourced = (kind: DocumentKind) => Array.from({ length: 20 }, (_, seed) => unpack(makeRow(tokens, random(seed), kind, 256), 257)).flatMap(
		({ ids, sources, weights }) => ids.flatMap((id, i) => {
			if (sources[i] === 0) return [];
			expect(sources[i]).toBeLessThan(i);
			return [{ own: tokens.decode([id]).trim(), there: tokens.decode([ids[sources[i]]]).trim(), weight: weights[i], before: tokens.decode(ids.slice(1, i)) }];
		})
	);
	it.each(['recall', 'same'] as const)('say where every answer stands that is repeated: %s', (kind) => {
		const answers = Array.from({ length: 20 }, (_, seed) => unpack(makeRow(tokens, random(seed), kind, 256), 257)).flatMap(({ weights }) => weights.filter((weight) => weight === 128));
		const found = sourced(kind);
		expect(found).toHaveLength(answers.length);
		for (const { own, there, weight } of found) expect([there, weight]).toEqual([own, 128]);
	});
	it('say of a chain where names, signs and numbers stand, and which question ends it', () => {
		const found = sourced('chain');
		const ends = found.filter(({ own }) => own === 'The');
		expect(ends.length).toBeGreaterThan(20);
		// The chain ends with the variable that was worked out last, and that is the one asked for.
		for (const { there, before } of ends) {
			expect(there).toBe('?');
			const asked = /What is (\w)\?(?!.*What is)/s.exec(before)![1];
			expect(before).toMatch(new RegExp(` ${asked} = [^.]*\\.$`));
		}
		for (const { own, there } of found) if (own !== 'The') expect(there).toBe(own);
	});
	it('say of a story who is meant, and what a thing was called', () => {
		const found = sourced('story');
		const pronouns = found.filter(({ own }) => /^(?:he|his|him|she|her)$/i.test(own));
		expect(pronouns.length).toBeGreaterThan(20);
		for (const { own, there } of pronouns) {
			if (there === 'girl' || there === 'boy') expect(/^(?:she|her)$/i.test(own)).toBe(there === 'girl');
			else if (PEOPLE.includes(there)) expect(/^(?:she|her)$/i.test(own)).toBe(isGirl(there));
			else expect(there.toLowerCase()).toBe(own.toLowerCase());
		}
		// A story may begin with the name: then the name says whether it is a girl.
		const kinds = [...sourced('openings')].filter(({ own, there }) => /^(?:girl|boy)$/.test(own) && PEOPLE.includes(there));
		expect(kinds.length).toBeGreaterThan(20);
		for (const { own, there } of kinds) expect(own === 'girl').toBe(isGirl(there));
		const names = found.filter(({ own }) => PEOPLE.includes(own));
		expect(names.length).toBeGreaterThan(100);
		for (const { own, there } of names) expect(there === own || there === (isGirl(own) ? 'girl' : 'boy')).toBe(true);
	});
	it('follow the mixture', () => {
		const mix = parseMix('recall=3,copy=0,story=1');
		const rng = random(1);
		const kinds = Array.from({ length: 4000 }, () => pickKind(rng, mix));
		expect(kinds).not.toContain('copy');
		expect(kinds.filter((kind) => kind === 'recall').length / 4000).toBeCloseTo(0.75, 1);
		expect(() => parseMix('recal=3')).toThrow(/the kinds are recall/);
	});
	it('stream for ever, the same for a seed, and end quietly when the reader goes away', async () => {
		const size = 5 * 65 * 200;
		const [a, b, c] = await Promise.all(['1', '1', '2'].map((seed) => head(['--T', '64', '--seed', seed], size)));
		expect(a).toMatchObject({ code: 0, errors: '' });
		expect(a.bytes.subarray(0, size)).toEqual(b.bytes.subarray(0, size));
		expect(a.bytes.subarray(0, size)).not.toEqual(c.bytes.subarray(0, size));
		for (let row = 0; row < 200; row++) expect(unpack(a.bytes.slice(row * 325, row * 325 + 325), 65).ids[0]).toBe(0);
	}, 120_000);
});
