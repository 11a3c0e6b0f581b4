/** The kinds of data that methods ask for, each gathered text by text. */
import type { Captured } from '$lib/cache/device/index.ts';
import type { ModelShape } from '$lib/documents/trace.ts';
import { groupOf } from '$lib/methods/slots.ts';
import { meanOf } from '$lib/methods/select.ts';
import { rotation } from '$lib/numerics/rope.ts';
import type { TaskName } from '../tasks/index.ts';
import { areaOf, beyondEnds, firstTokens, retention, type Ends } from './heads.ts';
import { filterOf, Moments } from './queries.ts';
import type { CalibrationText } from './texts.ts';

/** Gathers one kind of data over all texts. */
interface Gathering {
	add(captured: Captured, text: CalibrationText): void;
	arrays(): Record<string, number[]>;
}

interface Kind {
	/** How the numbers come about, for the reader. */
	made: string;
	/** Tasks whose texts count; all where left out. */
	tasks?: readonly TaskName[];
	/** Seeds that are enough; all where left out. */
	seeds?: number;
	/** `tokens`: of all texts together. */
	begin(model: ModelShape, invFreq: Float64Array, tokens: number): Gathering;
}

/** Queries that filters are computed from; published are as many. */
const SAMPLED = 3000;
/** First tokens of a text whose queries are unlike all others. */
const SINKS = 4;
/** As DuoAttention and Tangram have them by default. */
const ENDS: Ends = { sink: 4, recent: 32 };
const SHARE = 0.3;

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** One entry a head of all layers, in order. */
const perHead = <T>(model: ModelShape, heads: number, make: (layer: number, head: number) => T): T[] =>
	count(model.layers).flatMap((layer) => count(heads).map((head) => make(layer, head)));

export const KINDS: Record<string, Kind> = {
	'q-filters': {
		made: `filters [layers, KV heads, d]: minus the first right singular vector of about ${SAMPLED} queries after rotation, taken evenly from the texts, signed so that most queries lie on its positive side; mean over the query heads of a group. As in the authors' script.`,
		begin(model, _invFreq, tokens) {
			const d = model.headDim;
			const stride = Math.max(1, Math.ceil(tokens / SAMPLED));
			const samples = perHead(model, model.heads, (): number[] => []);
			let read = 0;
			return {
				add(captured) {
					const taken = count(captured.n).filter((t) => (read + t) % stride === 0);
					perHead(model, model.heads, (layer, head) => {
						const queries = captured.queries(layer, head);
						for (const t of taken) samples[layer * model.heads + head].push(...queries.subarray(t * d, (t + 1) * d));
					});
					read += captured.n;
				},
				arrays() {
					const all = samples.map((rows) => filterOf(rows, d));
					return { filters: perHead(model, model.kvHeads, (layer, head) => Array.from(meanOf(groupOf(head, model).map((h) => all[layer * model.heads + h])))).flat() };
				}
			};
		}
	},
	'query-statistics': {
		made: `mean [layers, query heads, d] and covariance [layers, query heads, d, d] of queries before rotation, the first ${SINKS} of each text left out; the covariance is divided by their number - 1.`,
		begin(model, invFreq) {
			const rope = rotation(invFreq);
			const moments = perHead(model, model.heads, () => new Moments(model.headDim));
			return {
				add(captured) {
					const back = captured.angles.map((angle) => -angle);
					perHead(model, model.heads, (layer, head) =>
						moments[layer * model.heads + head].add(rope.rotate(captured.queries(layer, head), back, model.headDim).subarray(SINKS * model.headDim)));
				},
				arrays() {
					const all = moments.map((each) => each.statistics());
					return { mean: all.flatMap(({ mean }) => Array.from(mean)), covariance: all.flatMap(({ covariance }) => Array.from(covariance)) };
				}
			};
		}
	},
	'head-patterns': {
		made: `retrieval [layers, KV heads]: share of the attention that falls between the first ${ENDS.sink} and the last ${ENDS.recent} tokens while the answer is due, mean over its tokens and the texts, the largest of the group; measured, in place of gates that are trained. area [layers, KV heads]: the score of kvpress, from the mean query and the mean key before rotation at 500 positions, mean over the group and the texts.`,
		tasks: ['needle', 'facts', 'chat'],
		seeds: 5,
		begin(model, invFreq) {
			const rope = rotation(invFreq);
			const retrieval: number[][] = [];
			const area: number[][] = [];
			return {
				add(captured, { prompt, ids }) {
					const byGroup = (of: (layer: number, queryHead: number) => number) =>
						perHead(model, model.kvHeads, (layer, head) => groupOf(head, model).map((h) => of(layer, h)));
					// The token before each of the answer's is where it is due.
					retrieval.push(byGroup((layer, h) => beyondEnds(captured, layer, h, prompt - 1, ids.length - 1, ENDS)).map((group) => Math.max(...group)));
					area.push(byGroup((layer, h) => areaOf(captured, rope, layer, h)).map((group) => group.reduce((a, b) => a + b, 0) / group.length));
				},
				arrays: () => ({ retrieval: Array.from(meanOf(retrieval)), area: Array.from(meanOf(area)) })
			};
		}
	},
	'head-budgets': {
		made: `mean and deviation [layers, KV heads], over prompts, of the share of a head's tokens that belong to the ${100 * SHARE} % best of all heads, by attention from the last ${ENDS.recent} tokens (SnapKV, kernel 5); the first ${ENDS.sink} and the last ${ENDS.recent} tokens do not count.`,
		begin(_model, invFreq) {
			const found: number[][] = [];
			return {
				add: (captured, { prompt }) => void found.push(retention(firstTokens(captured, prompt), invFreq, SHARE, ENDS)),
				arrays() {
					const mean = meanOf(found);
					return { mean: Array.from(mean), deviation: Array.from(mean, (m, i) => Math.sqrt(found.reduce((sum, row) => sum + (row[i] - m) ** 2, 0) / found.length)) };
				}
			};
		}
	}
};
