/** Equal bytes: what was found for an arm that is to cost what another costs, and which arms may be ranked. */
import type { ParamValue } from './experiment.ts';

/** Arms whose bytes differ by more than this share are not ranked. */
export const TOLERANCE = 0.02;

/** What was found for an arm with `matchBytes`. */
export interface ByteMatch {
	/** Bytes after the prompt that were asked for. */
	wanted: number;
	/** Bytes after the prompt of the nearest setting. */
	bytes: number;
	/** bytes / wanted - 1, in per cent. */
	difference: number;
	/**
	 * matched: within the tolerance; coarse: the settings lie too far apart; least, most: even the least
	 * (greatest) setting costs more (less); fixed: no setting changes the bytes after the prompt.
	 */
	outcome: 'matched' | 'coarse' | 'least' | 'most' | 'fixed';
	/** What was moved, and to which values. */
	method: string;
	params: Record<string, ParamValue>;
}

const percent = (x: number) => `${Math.abs(x) < 0.005 ? '0' : Math.abs(x).toFixed(Math.abs(x) < 10 ? 2 : 0)} %`;
const sides = (difference: number) => (Math.abs(difference) < 0.005 ? 'the same' : `${percent(difference)} ${difference > 0 ? 'more' : 'less'}`);

/** A parameter as a document has it: `budget {"tokens":37}`. */
const settingWords = (params: Record<string, ParamValue>) => Object.entries(params).map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ');

/** The finding as a sentence. */
export function matchWords({ wanted, bytes, difference, outcome, method, params }: ByteMatch): string {
	const found = `${method} with ${settingWords(params)} costs ${bytes} bytes after the prompt`;
	const off = `${wanted} were asked for: ${sides(difference)}`;
	if (outcome === 'matched') return `${found}; ${off}.`;
	const why = {
		coarse: 'its settings lie too far apart', least: 'that is the least it can cost', most: 'that is the most it can cost',
		fixed: 'no setting changes what it costs after the prompt'
	}[outcome];
	return `The bytes cannot be matched: ${found}, and ${off}; ${why}.`;
}

export interface Costs {
	label: string;
	bytes: number;
}

/**
 * Whether arms may be ranked: only if the bytes of the dearest exceed those of the cheapest by at most
 * `tolerance`. `difference` is by how much they do, in per cent.
 */
export function rankable(arms: readonly Costs[], tolerance = TOLERANCE): { ok: boolean; difference: number; words: string } {
	if (arms.length < 2) return { ok: true, difference: 0, words: 'There is nothing to rank.' };
	const sorted = [...arms].sort((a, b) => a.bytes - b.bytes);
	const [least, most] = [sorted[0], sorted[sorted.length - 1]];
	const ratio = most.bytes / least.bytes - 1;
	const ok = most.bytes <= least.bytes * (1 + tolerance);
	const words = ok
		? `All arms cost the same bytes, within ${percent(100 * ratio)}.`
		: `These arms are not ranked: ${most.label} costs ${percent(100 * ratio)} more bytes than ${least.label}, and more than ${percent(100 * tolerance)} would be an unfair comparison.`;
	return { ok, difference: 100 * ratio, words };
}
