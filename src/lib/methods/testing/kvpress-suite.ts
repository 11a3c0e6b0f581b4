/** Methods against numbers of kvpress 0.5.4 (conformance/kvpress-golden-v1.json), on any engine. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { klFromLogits } from '$lib/numerics/distribution.ts';
import type { MethodInstance, PromptView } from '../define.ts';
import { readingOf, Requests, type MadeReadings, type Reading, type Supplies } from '../requests.ts';
import { readMethodSpec, startMethod } from '../start.ts';
import { GOLDEN, GOLDEN_PROMPT, goldenIds, goldenShipped } from './golden-model.ts';
import { d, expectClose, golden, goneOf, keptOf, kvHeads, KVZIP_SCORED, positionsOf, promptStatistics, SCORED, SCORED_LAYERS, snapkv, sumsOf, withBudget, withSketch, wrapped } from './kvpress-fixture.ts';
import { policiesAgainstKvpress } from './kvpress-policies.ts';

/** The fixture's model on some engine, its prompt read. */
export interface GoldenEngine {
	/** The full cache of the prompt. */
	full: ArmCache;
	/** What methods see, by layer. */
	views: PromptView[];
	/** Logits after the last prompt token. */
	logits: ArrayLike<number>;
	/** Weights of the model, as methods get them. */
	weight: Supplies['weight'];
	/** Readings over the full cache, by key. */
	read(wanted: ReadonlyMap<string, Reading>): Promise<MadeReadings>;
	/** Feeds tokens to the arms, which grow; arm i's method acts at every step. Logits by arm and token. */
	force(arms: ArmCache[], ids: number[], methods?: MethodInstance[]): Promise<ArrayLike<number>[][]>;
	/** Relative tolerance of sums over K or V, and absolute one of single numbers. */
	tolerance: { sums: number; numbers: number };
}

export function againstKvpress(title: string, open: () => Promise<GoldenEngine>): void {
	describe(title, () => {
		let engine: GoldenEngine;
		let full: ArmCache;
		let views: PromptView[];
		beforeAll(async () => {
			engine = await open();
			({ full, views } = engine);
		});

		/** Shipped data is made up by its name. */
		function start(spec: object, requests = new Requests()): MethodInstance {
			requests.supply({ weight: engine.weight, shipped: (name) => (name === 'query-statistics' ? promptStatistics(views) : goldenShipped(name)) });
			const text = { ids: goldenIds().slice(0, GOLDEN_PROMPT), encode: () => [11, 12, 13, 14, 15, 16, 17, 18], embedding: () => new Float32Array(GOLDEN.hidden) };
			return startMethod(readMethodSpec(spec), { model: GOLDEN, random: withSketch, promptTokens: GOLDEN_PROMPT, text, requests });
		}

		/** The same for methods that have texts read a second time. */
		async function pressedAfterReading(spec: object): Promise<{ arm: ArmCache; instance: MethodInstance; seen: PromptView[] }> {
			const requests = new Requests();
			const instance = start(spec, requests);
			const made = await engine.read(requests.readings);
			const seen = views.map((view, layer) => ({ ...view, reading: (reading: Reading) => readingOf(made[layer], reading) }));
			const arm = full.fork();
			if (instance.prefilledAll) instance.prefilledAll(arm.layers, seen);
			else arm.layers.forEach((layer, index) => instance.prefilled!(layer, seen[index]));
			return { arm, instance, seen };
		}

		function pressed(spec: object): ArmCache {
			const arm = full.fork();
			const instance = start(spec);
			if (instance.prefilledAll) instance.prefilledAll(arm.layers, views);
			else arm.layers.forEach((layer, index) => instance.prefilled!(layer, views[index]));
			return arm;
		}

		describe('the fixture model', () => {
			it('gives the prescribed keys, values and logits', () => {
				const { sums, numbers } = engine.tolerance;
				for (const layer of SCORED_LAYERS) {
					for (let head = 0; head < kvHeads; head++) {
						const rows = (x: Float32Array) => [0, 1, 202].flatMap((t) => Array.from(x.subarray(t * d, t * d + 4)));
						expectClose(rows(full.layers[layer].keys(head)), golden.K[`l${layer}h${head}`], numbers, 2e-5);
						expectClose(rows(full.layers[layer].values(head)), golden.V[`l${layer}h${head}`], numbers, 2e-5);
					}
				}
				expectClose(sumsOf(full, 'keys'), golden.K_sum, 0, sums);
				expectClose(sumsOf(full, 'values'), golden.V_sum, 0, sums);
				expectClose(Array.from(engine.logits).slice(0, 8), golden.logits_last, 2 * numbers, 2e-5);
			});
		});

		describe('scores and kept sets', () => {
			const cases: [string, { method: string; params?: object }, number[]?][] = [
				['knorm', { method: 'knorm' }],
				['streaming_llm(sink4)', { method: 'streaming-llm' }],
				['snapkv(w8,k5)', snapkv],
				['keydiff', { method: 'keydiff' }],
				['tova', { method: 'tova' }],
				['observed_attention', { method: 'observed-attention' }],
				['lagkv(s4,l32)', { method: 'lagkv' }, [0.49, 0.738]],
				['lagkv(s4,l32,cross)', { method: 'lagkv', params: { cross_scoring: true } }],
				['cur(default)', { method: 'cur', params: { variant: 'released' } }],
				['cur(kv_avg,global)', { method: 'cur', params: { local: false, leverage_type: 'kv_avg' } }],
				['leverage(k12,phi)', { method: 'leverage-score' }],
				['noncausal(c64)', { method: 'non-causal-attention', params: { variant: 'released' } }],
				// The fixture looks 64 positions ahead, without saying so.
				['expected_attention(f64)', { method: 'expected-attention', params: { n_future: 64 } }],
				['expected_attention(f64,eps.01)', { method: 'expected-attention', params: { n_future: 64, epsilon: 0.01 } }],
				['expected_attention(f64,nocov,novnorm)', { method: 'expected-attention', params: { n_future: 64, use_covariance: false, use_vnorm: false } }],
				['expected_attention_stats(f64,self)', { method: 'expected-attention-stats', params: { n_future: 64 } }],
				['cap(f64)', { method: 'capkv', params: { n_future: 64 } }],
				['qfilter(synthetic)', { method: 'qfilters' }]
			];
			for (const [name, spec, ratios = [0.5, 0.75]] of cases) {
				for (const ratio of ratios) {
					it(`${name} at ${ratio}`, () => {
						const wanted = golden.cases[`${name}@${ratio}`];
						const instance = start(withBudget(spec, ratio));
						SCORED_LAYERS.forEach((layer, i) => {
							const { byHead } = instance.score!(full.layers[layer], views[layer]);
							byHead.forEach((row, head) => expectClose(SCORED.map((p) => row[p]), wanted.s[i][head], 1e-5, 2e-4));
						});
						const kept = keptOf(pressed(withBudget(spec, ratio)));
						expect(kept.every((positions) => positions.length === wanted.n_kept)).toBe(true);
						expect(kept).toEqual(wanted.kept.map(positionsOf));
					});
				}
			}
		});

		describe('scores and kept sets of what goes by the ratio', () => {
			const of = (method: string, ratio: number, params: object) => ({ method, params: { ...params, budget: { fraction: 1 - ratio } } });
			for (const ratio of [0.5, 0.75]) {
				it(`compactor at ${ratio}`, () => {
					const wanted = golden.cases[`compactor(c64,k12,phi)@${ratio}`];
					const spec = of('compactor', ratio, { variant: 'released' });
					SCORED_LAYERS.forEach((layer, i) => {
						const { byHead } = start(spec).score!(full.layers[layer], views[layer]);
						byHead.forEach((row, head) => expectClose(SCORED.map((p) => row[p]), wanted.s[i][head], 1e-5, 2e-4));
					});
					expect(keptOf(pressed(spec))).toEqual(wanted.kept.map(positionsOf));
				});
			}
			for (const ratio of [0.5, 0.6]) {
				it(`pyramidkv at ${ratio} keeps as many and the same in every layer`, () => {
					const wanted = golden.cases[`pyramidkv(w8,k5,b10)@${ratio}`];
					const kept = keptOf(pressed(of('pyramidkv', ratio, { scorer: snapkv, beta: 10 })));
					expect(kept.map((positions) => positions.length)).toEqual(wanted.budgets.flatMap((m: number) => [m, m]));
					expect(kept).toEqual(wanted.kept.map(positionsOf));
				});
			}
		});

		describe('wrappers', () => {
			const scorers: [string, object][] = [['snapkv w8', snapkv], ['knorm', { method: 'knorm' }]];
			for (const [name, scorer] of scorers) {
				for (const ratio of [0.5, 0.75]) {
					it(`adakv(${name}) at ${ratio} evicts the same entries of every head`, () => {
						const wanted = golden.cases[`adakv(${name})@${ratio}`];
						const kept = keptOf(pressed(wrapped('adakv', scorer, ratio)));
						const evicted = kept.map((positions) => {
							const stays = new Set(positions);
							return Array.from({ length: GOLDEN_PROMPT }, (_, i) => i).filter((i) => !stays.has(i));
						});
						expect(evicted.map((positions) => positions.length)).toEqual(wanted.per_head);
						expect(evicted).toEqual(wanted.masked.map(positionsOf));
					});
				}
			}

			const merging: [string, object, object][] = [
				['knorm', { method: 'knorm' }, {}],
				['snapkv w8', snapkv, {}],
				['knorm,f.75', { method: 'knorm' }, { merge_fraction: 0.75 }]
			];
			for (const [name, scorer, params] of merging) {
				for (const ratio of [0.5, 0.75]) {
					it(`merging(${name}) at ${ratio} has the same keys and merged values`, () => {
						const wanted = golden.cases[`merging(${name})@${ratio}`];
						const arm = pressed(wrapped('merging-press', scorer, ratio, params));
						expect(arm.layers.map((layer) => layer.length(0))).toEqual(wanted.n);
						expectClose(sumsOf(arm, 'keys'), wanted.ksum, 0, engine.tolerance.sums);
						expectClose(sumsOf(arm, 'values'), wanted.vsum, 0, 2 * engine.tolerance.sums);
					});
				}
			}

			const turned: [string, object, (ratio: number) => object][] = [
				['streaming', { method: 'streaming-llm' }, (ratio) => withBudget({ method: 'streaming-llm', params: { rerotate: true } }, ratio)],
				['knorm', { method: 'knorm' }, (ratio) => wrapped('key-rerotation', { method: 'knorm' }, ratio)]
			];
			for (const [name, scorer, own] of turned) {
				for (const ratio of [0.5, 0.75]) {
					it(`key_rerotation(${name}) at ${ratio} turns the kept keys to the same angles`, () => {
						const wanted = golden.cases[`key_rerotation(${name})@${ratio}`];
						for (const arm of [pressed(wrapped('key-rerotation', scorer, ratio)), pressed(own(ratio))]) {
							expect(keptOf(arm)).toEqual(wanted.kept.map(positionsOf));
							expectClose(sumsOf(arm, 'keys'), wanted.ksum, 0, engine.tolerance.sums);
							expectClose(sumsOf(arm, 'values'), wanted.vsum, 0, engine.tolerance.sums);
							SCORED_LAYERS.forEach((layer, i) => {
								const keys = arm.layers[layer].keys(kvHeads - 1);
								const ends = [...keys.subarray(0, 4), ...keys.subarray(keys.length - d, keys.length - d + 4)];
								expectClose(ends, wanted.k0[i], 1e-5, 2e-4);
							});
							expect(arm.nextPosition()).toBe(wanted.n[0]);
						}
					});
				}
			}
		});

		describe('second readings', () => {
			for (const plus of [false, true]) {
				it(`kvzip${plus ? ' with "plus"' : ''} has the same scores and evicts the same entries of every head`, async () => {
					const wanted = golden.cases[`kvzip(plus=${plus ? 'True' : 'False'})@0.5`];
					const { arm, instance, seen } = await pressedAfterReading({ method: 'kvzip', params: { budget: { fraction: 0.5 }, plus, instruction: true, variant: 'released' } });
					const scores = full.layers.map((layer, l) => instance.score!(layer, seen[l]).byHead);
					SCORED_LAYERS.forEach((layer, i) => scores[layer].forEach((row, head) => expectClose(KVZIP_SCORED.map((p) => row[p]), wanted.s[i][head], 1e-5, 2e-4)));
					const evicted = keptOf(arm).map(goneOf);
					expect(evicted.map((positions) => positions.length)).toEqual(wanted.per_head);
					expect(evicted).toEqual(wanted.masked.map(positionsOf));
				});
			}
		});

		policiesAgainstKvpress(() => ({ engine, pressed, start }));

		describe('eight forced tokens after the prompt', () => {
			const cases: [string, object][] = [
				['knorm@.5', withBudget({ method: 'knorm' }, 0.5)],
				['snapkv w8@.5', withBudget(snapkv, 0.5)],
				['streaming@.5', withBudget({ method: 'streaming-llm' }, 0.5)],
				['rerot streaming@.5', wrapped('key-rerotation', { method: 'streaming-llm' }, 0.5)],
				['think@.5', { method: 'think', params: { ratio: 0.5, window: 16, recent_size: 0 } }],
				['merging knorm@.5', wrapped('merging-press', { method: 'knorm' }, 0.5)]
			];
			it('has the divergence and the logits of every case', async () => {
				const ids = goldenIds().slice(GOLDEN_PROMPT);
				const arms = cases.map(([, spec]) => pressed(spec));
				const [reference, ...rows] = await engine.force([full.fork(), ...arms], ids);
				cases.forEach(([name], row) => {
					const wanted = golden.e2e[name];
					const kl = ids.reduce((sum, _, i) => sum + klFromLogits(reference[i], rows[row][i]) / ids.length, 0);
					expectClose([kl], [wanted.kl], 0, 0.02);
					// The keys that ThinK leaves are stored in halves, those of kvpress are not.
					expectClose(Array.from(rows[row][ids.length - 1]).slice(0, 6), wanted.logits, name.startsWith('think') ? 5e-3 : 2e-3, 0);
				});
			});
		});
	});
}
