import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deflateSync } from 'fflate';
import { base64 } from '$lib/documents/recording.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { documents } from '$lib/documents/arbitrary.ts';
import { decodeLink, encodeLink, isLink, LinkError } from './link.ts';

const document = {
	version: 1, model: 'nano', prompt: { task: 'needle', seed: 3, length: 550 },
	arms: [{ label: 'SnapKV', stack: [{ method: 'snapkv', params: { budget: { fraction: 0.25 } } }, { method: 'kivi', params: { bits: 2 } }] }]
};
const experiment = parseExperiment(document, { unknown: 'error' }).experiment;
const link = encodeLink(experiment);
/** Made on the first day; must open for ever. */
const OLD_LINK = '#w1.VY69DsIwDITf5eYIQVGXvAIjEgticFvTRs1PlYQuUd4dpxPIgy2fvrsr2DkmEzz0RcGFiS00PPkAhS0Gt2XogkxpbX_mybIoSQ7oq4JlP-cFuu_PVYGiS9DPAkvDYXT3tN0eDcg0ioNIjvMSBEYSbd1bDEVqXMHwmWY-At-RxnzUOp-6vtaqfsjV7OafM1l2V-tL5gs';

const pack = (json: unknown) => `#w1.${base64(deflateSync(new TextEncoder().encode(JSON.stringify(json)))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
const complaint = (hash: string): string => {
	try {
		decodeLink(hash);
	} catch (error) {
		expect(error).toBeInstanceOf(LinkError);
		return (error as Error).message;
	}
	throw new Error('opened');
};

describe('links', () => {
	it('carry any experiment and give it back', () => {
		fc.assert(fc.property(documents, (json) => {
			const parsed = parseExperiment(JSON.parse(JSON.stringify(json)), { unknown: 'error' }).experiment;
			const back = decodeLink(encodeLink(parsed));
			expect(back.notices).toEqual([]);
			expect({ view: {}, ...back.experiment }).toEqual({ view: {}, ...parsed });
		}), { numRuns: 200 });
	});

	it('are short and made of characters that no messenger breaks', () => {
		expect(link).toMatch(/^#w1\.[A-Za-z0-9_-]+$/);
		expect(link.length).toBeLessThan(260);
	});

	it('carry a fingerprint beside the document', () => {
		expect(decodeLink(encodeLink(experiment, '3f09')).fingerprint).toBe('3f09');
		expect(decodeLink(link)).not.toHaveProperty('fingerprint');
	});

	it('of the first day still open', () => {
		expect(decodeLink(OLD_LINK).experiment).toEqual(experiment);
	});

	it('cut off anywhere say so', () => {
		for (let end = link.length - 1; end > 4; end--) expect(complaint(link.slice(0, end))).toMatch(/cut off/);
		expect(complaint('#w1.')).toMatch(/empty.*cut off/);
	});

	it('garbled, too long, of a newer version or with a wrong document say what is the matter', () => {
		expect(complaint('#w1.abc!def')).toMatch(/garbled/);
		expect(complaint('#w1.AAAAAAAAAAAA')).toMatch(/cut off or garbled/);
		expect(complaint('#w2.abcdef')).toMatch(/newer Winnow \(link version 2/);
		expect(complaint(`#w1.${'A'.repeat(300_000)}`)).toMatch(/too long/);
		expect(complaint(pack({ ...document, filler: 'a'.repeat(3_000_000) }))).toMatch(/more than an experiment can be/);
		expect(complaint(pack({ ...document, version: 7 }))).toMatch(/version: expected 1, found 7: the document was made by a newer Winnow/);
		expect(complaint(pack({ ...document, arms: [{ stack: [{ method: 5 }] }] }))).toMatch(/wrong at arms\[0\]\.stack\[0\]\.method: expected/);
		expect(complaint('#top')).toMatch(/no experiment/);
	});

	it('with parts that this version does not know open, and report them', () => {
		const { experiment: opened, notices } = decodeLink(pack({ ...document, colour: 'red', arms: [{ ...document.arms[0], weight: 2 }] }));
		expect(opened).toEqual(experiment);
		expect(notices.map((n) => n.split(':')[0]).sort()).toEqual(['arms[0].weight', 'colour']);
	});

	it('are told from anchors of the page', () => {
		expect(isLink(link)).toBe(true);
		expect(isLink('#w3.xx')).toBe(true);
		expect(isLink('#window')).toBe(false);
	});
});
