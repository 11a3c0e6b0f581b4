import { describe, expect, it } from 'vitest';
import type { VerbRecord } from '$lib/documents/trace.ts';
import { plain } from '$lib/ui/parts.ts';
import type { Competitor, Verdict } from './geometry.ts';
import { question, verdictSentence } from './sentence.ts';

const place = { token: ' 9', position: 35, layer: 3, head: 1, textAt: () => ' 1' };
const record: VerbRecord = { verb: 'keep', by: 'snapkv', step: -1, layer: 3, head: 1, positions: Int32Array.of() };
const rung = (rank: number, kept: boolean): Competitor => ({ position: rank, score: 1 / rank, rank, kept });
const ladder = Array.from({ length: 116 }, (_, i) => rung(i + 1, i < 28));
function v(part: Partial<Verdict>): Verdict {
	return { fate: 'evicted', record, own: ladder[40], ladder, kept: 28, protectedCount: 0, cut: 0.1, lastKept: ladder[27], runnerUp: ladder[28], places: -13, ...part };
}
const say = (part: Partial<Verdict>) => plain(verdictSentence(v(part), place));

describe('the verdict in words', () => {
	it('names rank, count kept and how far short', () => {
		expect(say({})).toBe('In layer 3, KV head 1, snapkv ranks ·9 at 41 of 116 after the prompt. It keeps 28, so the token falls 13 places short.');
	});
	it('says one place in the singular, and the margin of a kept token', () => {
		expect(say({ places: -1 })).toContain('1 place short');
		expect(say({ fate: 'kept', own: ladder[3], places: 25 })).toContain('25 places above the cut');
		expect(say({ fate: 'kept', own: ladder[27], places: 1 })).toContain('the last one above the cut');
	});
	it('counts steps from one', () => {
		expect(say({ record: { ...record, verb: 'evict', by: 'h2o', step: 0 } })).toContain('at step 1');
	});
	it('says where a merged token went and with what weight', () => {
		expect(say({ fate: 'merged', record: { ...record, verb: 'merge', positions: Int32Array.of(35), into: 36, weights: Float32Array.of(0.25) } }))
			.toContain('into ·1 at position 36 with weight 0.250');
	});
	it('does not claim a rank where there was none', () => {
		for (const fate of ['kept', 'evicted', 'hidden', 'encoded', 'untouched'] as const) {
			const text = say({ fate, own: null, record: fate === 'untouched' ? null : record });
			expect(text).not.toContain('undefined');
			expect(text).not.toContain('41');
		}
	});
	it('asks the question that fits', () => {
		expect(question(v({}))).toBe('Why was it dropped?');
		expect(question(v({ fate: 'kept' }))).toBe('Why was it kept?');
	});
});
