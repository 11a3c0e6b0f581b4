/**
 * Why was it dropped? For one token, layer and KV head of an arm: the record that decided, the
 * rank of the token among its competitors, the cut, and who stands on either side of it.
 */
import { decisionOn, isReadable, isStored } from '$lib/documents/read.ts';
import type { ArmTrace, Decision, VerbRecord } from '$lib/documents/trace.ts';
import { words } from '$lib/ui/words/index.ts';

export type Fate = 'kept' | 'evicted' | 'merged' | 'summarised' | 'hidden' | 'shown' | 'protected' | 'encoded' | 'projected' | 'restored' | 'other' | 'untouched';

export interface Competitor {
	position: number;
	score: number;
	/** 1 is best. */
	rank: number;
	kept: boolean;
}

export interface Verdict {
	fate: Fate;
	/** The record that decided; null when no method ever considered the token here. */
	record: VerbRecord | null;
	/** The token among its competitors; null when it was protected or nothing competed. */
	own: Competitor | null;
	/** All competitors, best first. */
	ladder: Competitor[];
	/** How many competitors stayed. */
	kept: number;
	/** How many slots were protected and did not compete. */
	protectedCount: number;
	cut: number | null;
	/** The last that stayed and the first that did not. */
	lastKept: Competitor | null;
	runnerUp: Competitor | null;
	/** Places above the cut (positive) or short of it (negative); 0 when nothing competed. */
	places: number;
}

const DROPS = ['evict', 'merge', 'summarise'];

/** The token's state after `step` is `state` (index into CELL_STATES). */
export function verdict(arm: ArmTrace, layer: number, head: number, position: number, step: number, state: number): Verdict {
	const record = deciding(arm, layer, head, position, step, state);
	const none: Verdict = { fate: 'untouched', record, own: null, ladder: [], kept: 0, protectedCount: 0, cut: null, lastKept: null, runnerUp: null, places: 0 };
	if (!record) return none;
	const fate = fateOf(record, position, state);
	if (!record.decision) return { ...none, fate };
	const ladder = rankedLadder(record, record.decision);
	const kept = ladder.filter((c) => c.kept).length;
	const own = ladder.find((c) => c.position === position) ?? null;
	const wasProtected = own === null && record.decision.positions.includes(position);
	return {
		fate: wasProtected ? 'protected' : fate,
		record,
		own,
		ladder,
		kept,
		protectedCount: record.decision.positions.length - ladder.length,
		cut: record.decision.cut ?? null,
		lastKept: ladder.filter((c) => c.kept).at(-1) ?? null,
		runnerUp: ladder.find((c) => !c.kept) ?? null,
		places: own ? (own.kept ? kept - own.rank + 1 : kept - own.rank) : 0
	};
}

/** The record that removed a token that is gone; else the last decision about it; else the last verb on it. */
function deciding(arm: ArmTrace, layer: number, head: number, position: number, step: number, state: number): VerbRecord | null {
	const here = arm.verbs.filter((verb) => verb.layer === layer && verb.head === head && verb.step <= step);
	if (!isStored(state)) {
		const last = here.findLast((verb) => takesAway(verb, position));
		// What took something of the token along says more than the bare eviction of the same step.
		const along = last && here.find((verb) => verb.step === last.step && (verb.verb === 'merge' || verb.verb === 'summarise') && takesAway(verb, position));
		if (last) return withReasons(here, along ?? last, position);
	}
	const decided = decisionOn(arm, layer, head, position, step);
	const restored = here.findLast((verb) => verb.verb === 'restore' && verb.positions.includes(position));
	// What dropped it before says how it ranked.
	if (restored && (!decided || here.indexOf(restored) > here.indexOf(decided))) return decided ? { ...restored, decision: decided.decision } : restored;
	return decided ?? here.findLast((verb) => verb.into === position || verb.positions.includes(position)) ?? null;
}

/** A merge often acts on the choice of a scorer: borrow the reasons recorded for the same step. */
function withReasons(here: VerbRecord[], removed: VerbRecord, position: number): VerbRecord {
	if (removed.decision) return removed;
	const reason = here.findLast((verb) => verb.step === removed.step && verb.decision?.positions.includes(position));
	return reason ? { ...removed, decision: reason.decision } : removed;
}

function takesAway(verb: VerbRecord, position: number): boolean {
	if (DROPS.includes(verb.verb)) return verb.into !== position && verb.positions.includes(position);
	return verb.verb === 'keep' && Boolean(verb.decision?.positions.includes(position)) && !verb.positions.includes(position);
}

function fateOf(record: VerbRecord, position: number, state: number): Fate {
	if (record.verb === 'encode') return 'encoded';
	if (record.verb === 'project') return 'projected';
	if (!isStored(state)) return record.verb === 'merge' ? 'merged' : record.verb === 'summarise' ? 'summarised' : 'evicted';
	if (!isReadable(state)) return 'hidden';
	if (record.verb === 'restore') return 'restored';
	if (record.verb === 'show') return 'shown';
	if (record.verb === 'hide') return 'shown';
	return record.decision || record.verb === 'keep' ? 'kept' : 'other';
}

/** Competitors best first. On equal scores the one that stayed goes first, then the earlier position. */
export function rankedLadder(record: VerbRecord, decision: Decision): Competitor[] {
	const named = new Set(record.positions);
	const { cut } = decision;
	// Keep names all that stay and evict all that go. The others name only a part (hide and show what
	// changes, a merge its own sources): there the cut tells.
	const stays = (position: number, score: number) => {
		if (record.verb === 'keep') return named.has(position);
		if (record.verb === 'evict' || (cut === undefined && record.verb !== 'show')) return !named.has(position);
		return cut === undefined ? named.has(position) : score >= cut;
	};
	const ladder: Competitor[] = [];
	for (let i = 0; i < decision.positions.length; i++) {
		if (decision.protected?.[i]) continue;
		const position = decision.positions[i];
		ladder.push({ position, score: decision.scores[i], rank: 0, kept: stays(position, decision.scores[i]) });
	}
	ladder.sort((a, b) => b.score - a.score || Number(b.kept) - Number(a.kept) || a.position - b.position);
	ladder.forEach((c, i) => (c.rank = i + 1));
	return ladder;
}

export interface TermValue {
	name: string;
	own: number;
	/** Value of the last competitor that stayed, to compare with. */
	atCut: number | null;
	/** Two neighbours on either side in the list of candidates, the token in the middle. */
	around: { position: number; value: number }[];
}

/** Every term of the score with its numbers at the token; empty when the record has no terms. */
export function terms(v: Verdict, position: number): TermValue[] {
	const decision = v.record?.decision;
	const at = decision ? decision.positions.indexOf(position) : -1;
	if (!decision || at < 0) return [];
	const cutAt = v.lastKept ? decision.positions.indexOf(v.lastKept.position) : -1;
	const all = [...(decision.terms ?? []), { name: words.terms.score, values: decision.scores }];
	return all.map(({ name, values }) => ({
		name,
		own: values[at],
		atCut: cutAt >= 0 ? values[cutAt] : null,
		around: [-2, -1, 0, 1, 2].filter((d) => at + d >= 0 && at + d < values.length).map((d) => ({ position: decision.positions[at + d], value: values[at + d] }))
	}));
}

export interface LadderLayout {
	width: number;
	height: number;
	/** Path of the bars of those that stayed, and the rings of those that did not (thinned). */
	bars: string;
	rings: { x: number; y: number }[];
	radius: number;
	baseline: number;
	top: number;
	cutX: number | null;
	own: { x: number; y: number } | null;
	ends: { lastKept: number | null; runnerUp: number | null };
	/** True when the height is the root of the score. */
	root: boolean;
	x(rank: number): number;
}

/** Bars for what stayed, rings for what fell, best first from the left, the cut between them. */
export function ladderLayout(v: Verdict, width: number, height: number): LadderLayout {
	const n = v.ladder.length;
	const pad = 8;
	const top = 10;
	const baseline = height - 4;
	const pitch = (width - 2 * pad) / Math.max(1, n);
	const scores = v.ladder.map((c) => c.score).filter(Number.isFinite);
	const high = Math.max(...scores, 0);
	const low = Math.min(...scores, 0);
	const root = low >= 0;
	const share = (s: number) => (root ? Math.sqrt(Math.max(0, s) / (high || 1)) : (Math.max(low, Math.min(high, s)) - low) / (high - low || 1));
	const x = (rank: number) => pad + (rank - 0.5) * pitch;
	const y = (s: number) => baseline - share(Number.isFinite(s) ? s : high) * (baseline - top - 4);
	const bar = Math.max(0.7, Math.min(6, pitch * 0.72));
	const thin = Math.max(1, Math.ceil(3 / pitch));
	const round = (value: number) => Math.round(value * 100) / 100;
	return {
		width, height, baseline, top, root, x,
		bars: v.ladder.filter((c) => c.kept).map((c) => `M${round(x(c.rank) - bar / 2)} ${round(baseline)}V${round(y(c.score))}h${round(bar)}V${round(baseline)}z`).join(''),
		rings: v.ladder.filter((c) => !c.kept && (c.rank % thin === 0 || c === v.own || c === v.runnerUp)).map((c) => ({ x: x(c.rank), y: y(c.score) })),
		radius: Math.max(1.2, Math.min(3, pitch * 0.4)),
		cutX: v.lastKept && v.runnerUp ? (x(v.lastKept.rank) + x(v.runnerUp.rank)) / 2 : null,
		own: v.own ? { x: x(v.own.rank), y: y(v.own.score) } : null,
		ends: { lastKept: v.lastKept ? x(v.lastKept.rank) : null, runnerUp: v.runnerUp ? x(v.runnerUp.rank) : null }
	};
}

/** What happened to the position here up to `step`, oldest first; the last `limit` if there are more. */
export function history(arm: ArmTrace, layer: number, head: number, position: number, step: number, limit = 8): VerbRecord[] {
	return arm.verbs.filter((verb) => verb.layer === layer && verb.head === head && verb.step <= step
		&& (verb.into === position || (verb.positions.includes(position) && verb.verb !== 'keep') || takesAway(verb, position))).slice(-limit);
}
