import type { LayerCache } from '$lib/cache/types.ts';
import type { Budget } from '$lib/documents/experiment.ts';
import { toHalf } from '$lib/numerics/half.ts';
import { keepAcross, offsetBytes } from '../across.ts';
import { largest, paidBySlot } from '../again.ts';
import { keepTop } from '../decide.ts';
import { defineMethod, type PromptView, type Reading, type Scores, type StartContext } from '../define.ts';
import { BUDGET, KEPT_BYTES } from '../once.ts';
import { headsOf } from '../slots.ts';
import { cosineWith, directions } from './keydiff.ts';
import { episodeOf, kMeans, layerBudgets, meanEmbedding, medoids, windowsOf } from './episodes.ts';

/** Tokens whose keys are compared as one long vector. */
const COMPARED = 100;
const SINKS = 4;

interface Patch {
	/** The windows that stand for the episode, one after the other. */
	ids: number[];
	centres: Float64Array[];
}

/** The episode that the question is about (or number `wanted`, from 1), and the text that asks for it. */
export function patchOf({ text, model, random }: StartContext, history: readonly number[], question: readonly number[], options: { window: number; episodes: number; medoids: number; wanted: number }): Patch {
	const windows = windowsOf(history, options.window);
	const points = windows.map((ids) => meanEmbedding(ids, (id) => text.embedding(id)));
	const clusters = kMeans(points, options.episodes, random.fork('episodes'));
	const { centres } = clusters;
	const asked = meanEmbedding(question, (id) => text.embedding(id));
	const episode = options.wanted > 0 ? Math.min(options.wanted, centres.length) - 1 : episodeOf(centres, asked);
	const chosen = medoids(points, clusters, episode, options.medoids);
	// An episode may be empty when windows are equal; then the whole text stands for it.
	const parts = (chosen.length > 0 ? chosen : [0]).map((i) => windows[i]);
	const between = text.encode('\n');
	const ids = parts.flatMap((part, i) => (i === 0 ? part : [...between, ...part]));
	return { ids: ids.slice(0, Math.max(1, model.context - text.ids.length)), centres };
}

/** Two readings of the same tokens, whole and with little before them, and how many tokens both end with. */
interface Profile {
	whole: Reading;
	block: Reading;
	compared: number;
}

/** The second half of the history is read once after the first, and once after the first tokens and half a block. */
function profileOf(context: StartContext, history: readonly number[]): Profile | null {
	const compared = Math.floor(history.length / 2);
	const from = Math.max(SINKS, Math.floor(history.length / 4));
	if (compared < 1 || from >= history.length - compared) return null;
	const read = (ids: readonly number[]) => context.reading({ ids, over: 'nothing', pairs: true, everyBlock: true });
	return { whole: read(history), block: read([...history.slice(0, SINKS), ...history.slice(from)]), compared };
}

/** Mean cosine of the keys of one layer in the two readings, before rotation. */
function alikeness(seen: PromptView, { whole, block, compared }: Profile, layer: LayerCache): number {
	const d = layer.headDim;
	const keys = (reading: Reading, head: number) => {
		const view = seen.reading(reading);
		return seen.rope.rotate(view.keys(head), Int32Array.from({ length: view.n }, (_, i) => -i), d).slice((view.n - compared) * d);
	};
	const cosines = headsOf(layer).flatMap((head) => {
		const [a, b] = [keys(whole, head), keys(block, head)];
		return Array.from({ length: Math.ceil(compared / COMPARED) }, (_, i) => {
			const [one, other] = [a, b].map((rows) => rows.slice(i * COMPARED * d, (i + 1) * COMPARED * d));
			return cosineWith(directions(one, one.length), one.length, 0, other);
		});
	});
	return cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
}

export default defineMethod({
	id: 'epicache',
	title: 'EpiCache',
	subtitle: 'a long talk in episodes, each with a cache of its own',
	family: 'eviction',
	paper: 'EpiCache: Episodic KV Cache Management for Long-Term Conversation on Resource-Constrained Environments, ICML 2026',
	confidence: 'Scores, cuts and layer budgets follow the official code as described on its card; it has not been compared with that code by running it.',
	ours: 'Windows are of tokens, not of utterances, and embedded by the mean of the model’s own input embeddings, the weakest of the published embedders. The patched prompt is the episode’s windows alone, without the published instruction, which small models were not trained to follow. The end of the prompt is the question: it chooses the episode and stays, in half of the budget at most; published, it is read into the cache afterwards. Only the cache that answers is made. Layer budgets come from the prompt itself, read whole and with its first half cut short, instead of a long document; what the least length adds is taken from the other layers, which variant "released" does not do.',
	failures: 'Nothing protects the first and the newest tokens of a block; they compete by score. The text is read once for each episode. A question about two topics, or about none that was grouped, meets a cache that kept something else.',
	idea: 'Group a long talk into a few topics. For each of them read the talk block by block and after each block keep what a representative piece of that topic looks at. So memory never holds more than the budget and one block, and each topic has a small memory of the whole talk. A question is answered from the memory of the topic that it is nearest to.',
	acts: 'After each block of a prompt that is read in blocks; once after the prompt, where it is read at once.',
	formula: String.raw`s_{lhi}=\max_{q\in P_e}\ \max_{h'\in g(h)}\operatorname{softmax}_i\Big(\frac{q_{h'}^\top k_i}{\sqrt d}\Big),\qquad e=\arg\max_e\langle q,c_e\rangle,\qquad M_l\propto(1-\hat\rho_l)^\alpha`,
	bytes: `${KEPT_BYTES} 4 (H + 1) bytes of offsets a layer in mode "pair"; the centres of the episodes in halves. For all E episodes E times that would be stored. While reading in blocks, one block more.`,
	sources: ['https://arxiv.org/abs/2509.17396', 'https://github.com/apple/ml-epicache'],
	scorer: true,
	params: {
		budget: { ...BUDGET, about: 'How much of the cache stays, on average over heads and layers.' },
		mode: { kind: 'choice', default: 'pair', options: ['pair', 'pair-uniform'], about: 'One cut for all heads of a layer, or the same number of slots for each.' },
		episodes: { kind: 'int', default: 4, min: 1, max: 64, about: 'Topics that the text is grouped into; never more than it has windows.' },
		window: { kind: 'int', default: 32, min: 1, max: 4096, about: 'Tokens of a window, the piece that is grouped; published are 4 utterances.' },
		medoids: { kind: 'int', default: 2, min: 1, max: 64, about: 'Windows that stand for an episode; published are 4 to 8.' },
		question: { kind: 'int', default: 16, min: 1, max: 1024, about: 'Last tokens of the prompt that are the question.' },
		episode: { kind: 'int', default: 0, min: 0, max: 64, about: 'Number of the episode whose cache answers; 0: the one nearest to the question.' },
		power: { kind: 'number', default: 0, min: 0, max: 4, step: 0.1, about: 'How unequal layers are, by how much reading in blocks changes their keys; 0 is equal, published is 1.1.' },
		variant: { kind: 'choice', default: 'ours', options: ['ours', 'released'], about: 'Whether the least length of a layer is paid by the others, or comes on top as in the official code.' }
	},
	needs: () => ({}),
	start(context, params) {
		const { model, promptTokens: n, text } = context;
		const pair = params.mode === 'pair';
		const [window, episodes] = [params.window as number, params.episodes as number];
		const most = Math.min(episodes, Math.ceil(n / window));
		const overhead = (most * model.hidden * 2) / (model.layers * model.kvHeads) + (pair ? offsetBytes(model.kvHeads) : 0);
		const capacity = context.slots(params.budget as Budget, overhead, 0, pair);
		const question = Math.min(params.question as number, n - 1, Math.floor((Number.isFinite(capacity) ? capacity : n) / 2));
		const history = text.ids.slice(0, n - question);
		const patch = patchOf(context, history, text.ids.slice(n - question), { window, episodes, medoids: params.medoids as number, wanted: params.episode as number });
		const reading = context.reading({ ids: patch.ids, over: 'prompt', columns: { take: 'max', own: false }, everyBlock: true });
		const profile = Number.isFinite(capacity) && (params.power as number) > 0 ? profileOf(context, history) : null;

		const score = (layer: LayerCache, seen: PromptView): Scores => ({
			byHead: paidBySlot(layer, model, (queryHead) => seen.reading(reading).columns(queryHead), largest),
			always: headsOf(layer).map((head) => Uint8Array.from(layer.positions(head), (position) => (position >= n - question ? 1 : 0))),
			meaning: 'largest attention that any token of the windows of the episode pays'
		});
		const limits = (layers: readonly LayerCache[], seen: readonly PromptView[]): number[] => {
			if (!profile) return layers.map(() => capacity);
			return layerBudgets(layers.map((layer, l) => alikeness(seen[l], profile, layer)), capacity, params.power as number, params.variant === 'released');
		};
		return {
			score,
			prefilledAll(layers, seen) {
				if (!Number.isFinite(capacity)) return;
				const kept = limits(layers, seen).map((limit) => Math.max(1, limit));
				layers.forEach((layer, l) => {
					const lengths = headsOf(layer).map((head) => layer.length(head));
					const over = pair ? lengths.reduce((a, b) => a + b, 0) > kept[l] * lengths.length : Math.max(...lengths) > kept[l];
					if (!over) return;
					if (pair) keepAcross([layer], [score(layer, seen[l])], kept[l] * lengths.length);
					else keepTop(layer, score(layer, seen[l]), kept[l]);
					layers[0].holdState('episodes', [{ item: 'state', array: toHalf(patch.centres.flatMap((centre) => Array.from(centre))) }]);
				});
			}
		};
	}
});
