/** A tiny invented trace for tests of readings, recordings and exports. No number in it was measured. */
import { DEFAULT_GENERATE } from './experiment.ts';
import { BILL_ITEMS, CELL_STATES, type ArmStepTrace, type Bill, type BillItem, type CellState, type Trace } from './trace.ts';

const state = (name: CellState) => CELL_STATES.indexOf(name);

export function exampleBill(total: number): Bill {
	const items = Object.fromEntries(BILL_ITEMS.map((item) => [item, item === 'payload' ? total : 0])) as Record<BillItem, number>;
	return { total, fast: total, items, ratio: 2, bitsPerNumber: 8, payloadK: total / 2, payloadV: total / 2 };
}

function step(token: number, text: string, agrees: boolean): ArmStepTrace {
	return {
		token, text, nll: 0.5, kl: agrees ? 0.01 : 0.4, agrees, top: [{ id: token, text, p: 0.6 }],
		fullTop: [{ id: 1, text: ' a', p: 0.7 }], pOfFullTop: [0.5], bill: exampleBill(64)
	};
}

/** One layer, two heads, prompt of three tokens, three steps; the arm's second token differs. */
export function exampleTrace(): Trace {
	const [kept, evicted, absent, b2] = [state('kept'), state('evicted'), state('absent'), state('b2')];
	return {
		version: 1, provenance: 'measured',
		experiment: {
			version: 1, model: 'tiny', prompt: { text: 'x y z' }, generate: { ...DEFAULT_GENERATE, tokens: 3 }, prefill: { block: null },
			arms: [{ stack: [{ method: 'snapkv' }, { method: 'kivi' }] }], report: ['steps', 'bill']
		},
		engine: { backend: 'cpu', adapter: 'none', precision: 'f32', software: false },
		model: {
			id: 'tiny', name: 'Tiny', layers: 1, heads: 4, kvHeads: 2, headDim: 4, hidden: 16, vocab: 8, context: 32, ropeTheta: 10000, weights: 100
		},
		prompt: { ids: [5, 6, 7], texts: ['x', ' y', ' z'], needles: [[1, 2]] },
		reference: { steps: [step(1, ' a', true), step(2, ' b', true), step(3, ' c', true)], text: ' a b c', bytes: 96 },
		arms: [{
			label: 'SnapKV, "KIVI"', stack: [{ method: 'snapkv' }, { method: 'kivi' }],
			steps: [step(1, ' a', true), step(4, ' d,\n', false), step(3, ' c', true)], text: ' a d,\n c', span: 6,
			cells: Uint8Array.of(kept, evicted, b2, absent, absent, absent, evicted, kept, b2, absent, absent, absent),
			diffs: [
				{ step: 1, cells: Uint32Array.of(3, 9), states: Uint8Array.of(kept, kept) },
				{ step: 2, cells: Uint32Array.of(4, 10, 0), states: Uint8Array.of(kept, kept, evicted) }
			],
			verbs: [{
				verb: 'keep', by: 'snapkv', step: -1, layer: 0, head: 0, positions: Int32Array.of(0, 2),
				decision: {
					positions: Int32Array.of(0, 1, 2), scores: Float32Array.of(0.5, 0.1, 1 / 3), cut: 1 / 3, meaning: 'attention',
					terms: [{ name: 'window', values: Float32Array.of(0.5, 0.1, 1 / 3) }]
				}
			}],
			billAfterPrompt: exampleBill(48), kept: [[[0, 2], [1, 2]]]
		}],
		done: true, timings: { load: 1, prefill: 2, perToken: 3 }
	};
}
