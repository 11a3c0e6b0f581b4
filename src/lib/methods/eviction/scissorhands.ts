import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Scores } from '../define.ts';
import { windowRows } from '../observe.ts';
import { BUDGET, isOver } from '../once.ts';
import { meanOf } from '../select.ts';
import { groupOf, headsOf, realign } from '../slots.ts';

/** What the importance is made of: a count over the last steps, or a sum that fades. */
interface Rule {
	counts: boolean;
	window: number;
	decay: number;
	recent: number;
	sinks: number;
}

/** One head's memory: for counts a word a slot, bit i = "above uniform i steps ago"; otherwise the sum. */
interface History {
	positions: Int32Array;
	values: Float64Array;
}

/** Adds one row of attention, aligned with `values`; entries that are 0 beyond `visible` slots do not count. */
export function addRow({ counts, window, decay }: Rule, values: Float64Array, row: ArrayLike<number>, visible: number): Float64Array {
	const mask = 2 ** window - 1;
	return values.map((value, slot) => {
		if (!counts) return decay * value + row[slot];
		return (((value << 1) | (row[slot] > 0 && row[slot] >= 1 / visible ? 1 : 0)) & mask) >>> 0;
	});
}

function bitsOf(word: number): number {
	let count = 0;
	for (let rest = word >>> 0; rest; rest = (rest & (rest - 1)) >>> 0) count++;
	return count;
}

/** Scores of the layer: the importance, with sinks and the newest `recent` slots safe. */
export function important(layer: LayerCache, rule: Rule, history: readonly History[]): Scores {
	return {
		byHead: history.map(({ values }) => (rule.counts ? values.map(bitsOf) : values)),
		always: headsOf(layer).map((head) => {
			const positions = layer.positions(head);
			return Uint8Array.from(positions, (position, slot) => (position < rule.sinks || slot >= positions.length - rule.recent ? 1 : 0));
		}),
		meaning: rule.counts ? `how often of the last ${rule.window} steps attention was above uniform` : 'attention received, fading with every step'
	};
}

/** The history that the last rows of the prompt leave, averaged over the group before anything is counted. */
export function promptHistory(layer: LayerCache, seen: PromptView, rule: Rule): History[] {
	return headsOf(layer).map((head) => {
		const positions = layer.positions(head);
		const byQuery = windowRows(layer, seen, head, rule.window);
		let values = new Float64Array(positions.length);
		byQuery[0].forEach((_, i) => {
			const limit = seen.n - byQuery[0].length + i;
			const visible = positions.reduce((sum, position) => sum + (position <= limit ? 1 : 0), 0);
			values = addRow({ ...rule, decay: 1 }, values, meanOf(byQuery.map((rows) => rows[i])), visible) as Float64Array<ArrayBuffer>;
		});
		return { positions, values };
	});
}

const follow = ({ positions, values }: History, present: Int32Array): History => ({ positions: present, values: realign(positions, values, present) });

export default defineMethod({
	id: 'scissorhands',
	title: 'Scissorhands',
	subtitle: 'what mattered lately goes on mattering',
	family: 'eviction',
	paper: 'Liu et al., Scissorhands: Exploiting the Persistence of Importance Hypothesis for LLM KV Cache Compression at Test Time, NeurIPS 2023',
	confidence: 'The counting form is from descriptions of the paper, the fading sum from another project\'s selector; neither has been compared with the authors\' code.',
	ours: 'The window begins with the last tokens of the prompt. A batch is dropped when a token would make the cache larger than the budget. The window holds at most 32 steps, so that a slot\'s history is one word. Sampling in place of the hard choice is left out.',
	idea: 'Tokens that mattered at one step keep mattering later. So remember for the last steps which tokens got more than their even share of attention, and when the buffer is full, drop those that seldom did. The newest tokens are safe: they have no history yet.',
	acts: 'After the prompt; while decoding whenever the buffer is full, several tokens at a time.',
	formula: String.raw`I_j=\sum_{t\in\text{last }w}\mathbf 1\big[a_{t,j}\ge\tfrac1{n_t}\big],\qquad\text{drop the }m\text{ smallest outside the newest }\rho`,
	bytes: 'The kept keys and values in fp16 and 2 bytes of position a slot; the history, one word of 1, 2 or 4 bytes a slot for up to 8, 16 or 32 steps, or 4 bytes for the sum.',
	sources: ['https://arxiv.org/abs/2305.17118', 'https://github.com/Zefan-Cai/KVCache-Factory'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'Size of the buffer: the cache never holds more.' },
		importance: { kind: 'choice', default: 'count', options: ['count', 'sum'], about: 'Count how often a token was above the even share, or add its attention up.' },
		window: { kind: 'int', default: 16, min: 1, max: 32, about: 'Steps that are looked back on.' },
		recent: { kind: 'int', default: 8, min: 0, max: 512, about: 'Newest tokens that are never dropped.' },
		drop: { kind: 'int', default: 8, min: 1, max: 512, about: 'Tokens dropped at a time once the buffer is full.' },
		sinks: { kind: 'int', default: 0, min: 0, max: 64, about: 'First tokens of the text that always stay.' },
		decay: { kind: 'number', default: 1, min: 0, max: 1, step: 0.05, about: 'Of the sum, what is left of it at each new step; 1 forgets nothing.' }
	},
	needs: (params) => ({ queries: { last: params.window as number }, stepAttention: true }),
	start(context, params) {
		const { window, recent, sinks, decay, drop } = params as Record<string, number>;
		const rule: Rule = { counts: params.importance === 'count', window, recent, sinks, decay };
		const Words = rule.counts ? (window <= 8 ? Uint8Array : window <= 16 ? Uint16Array : Uint32Array) : Float32Array;
		const capacity = context.slots(params.budget as Budget, 0, Words.BYTES_PER_ELEMENT);
		const limited = Number.isFinite(capacity);
		const byLayer = new Map<number, History[]>();
		const remember = (layer: LayerCache, grown: History[]) => {
			const history = grown.map((each, head) => follow(each, layer.positions(head)));
			byLayer.set(layer.layer, history);
			layer.holdState('history of attention', [{ item: 'state', array: Words.from(history.flatMap(({ values }) => Array.from(values))) }]);
		};
		return {
			score: (layer, seen) => important(layer, rule, promptHistory(layer, seen, rule)),
			prefilled(layer, seen) {
				if (!limited) return;
				const history = promptHistory(layer, seen, rule);
				if (isOver(layer, capacity)) keepTop(layer, important(layer, rule, history), capacity);
				remember(layer, history);
			},
			appended(layer, seen) {
				const before = byLayer.get(layer.layer);
				if (!before) return;
				const history = before.map((each, head) => {
					const positions = layer.positions(head);
					const read = seen.positions(head);
					const attention = meanOf(groupOf(head, seen.model).map((queryHead) => seen.attention(queryHead)));
					return { positions, values: addRow(rule, follow(each, positions).values, realign(read, attention, positions), read.length) };
				});
				if (isOver(layer, capacity)) keepTop(layer, important(layer, rule, history), Math.max(1, capacity + 1 - drop));
				remember(layer, history);
			}
		};
	}
});
