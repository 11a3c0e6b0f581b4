import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineMethod, type Method } from '$lib/methods/define.ts';
import { methods } from '$lib/methods/registry.ts';
import { experiment, tinyLab } from './testing.ts';
import type { Lab } from './lab.ts';
import { planRun } from './plan.ts';
import { PromptRead } from './prompt-read.ts';
import { decodeRows } from './sweep/decode.ts';

const FORCED = 'They went home.';
/** What the listener heard, the prompt first, in each layer. */
let heard: Float32Array[][];
const listener = (id: string, asks: boolean): Method => defineMethod({
	id, title: id, subtitle: '', family: 'eviction', paper: '', confidence: '', idea: '', acts: '', formula: '', bytes: '', sources: [], params: {},
	needs: () => (asks ? { nextLogits: true } : {}),
	start: () => {
		const hear = ({ layer }: { layer: number }, seen: { nextLogits(): Float32Array }) => void (heard[layer] ??= []).push(seen.nextLogits());
		return { prefilled: hear, appended: hear };
	}
});
const house = methods as Map<string, Method>;

describe('what the model says next', () => {
	let lab: Lab;
	beforeAll(async () => {
		lab = await tinyLab('wasm');
		for (const [id, asks] of [['listens', true], ['eavesdrops', false]] as const) house.set(id, listener(id, asks));
	});
	afterAll(() => {
		lab.dispose();
		for (const id of ['listens', 'eavesdrops']) house.delete(id);
	});
	beforeEach(() => (heard = []));

	const near = (found: Float32Array, wanted: readonly number[]) => {
		expect(found).toHaveLength(wanted.length);
		found.forEach((x, i) => expect(Math.abs(x - wanted[i])).toBeLessThan(1e-4));
	};

	const run = async (stacks: { method: string; params?: object }[][], more: object = {}) => {
		const started = await lab.start(experiment({ arms: stacks.map((stack) => ({ stack })), forced: FORCED, report: ['logits'], ...more }));
		await started.advance().finally(() => started.dispose());
		return started.result();
	};

	it.each([null, 40])('is shown to a method that asks after the prompt, read in blocks of %s', async (block) => {
		const { reference } = await run([[], [{ method: 'listens' }]], block === null ? {} : { prefill: { block } });
		// Step 0 of the full cache runs the last prompt token once more.
		for (const layer of heard) near(layer[0], reference.logits![0]);
		expect(heard).toHaveLength(2);
	});

	it('is shown to it at each step, its own arm\'s', async () => {
		const small = { params: { budget: { tokens: 30 } } };
		const { arms } = await run([[{ method: 'knorm', ...small }], [{ method: 'streaming-llm', ...small }, { method: 'listens' }]]);
		const own = arms[1].logits!.slice(1);
		for (const layer of heard) expect(layer.slice(1).map((row) => Array.from(row))).toEqual(own);
		expect(own).not.toEqual(arms[0].logits!.slice(1));
	});

	it('is refused to a method that did not ask, at steps even where another arm did', async () => {
		await expect(run([[{ method: 'eavesdrops' }]])).rejects.toThrow('logits after the prompt were not asked for');
		await expect(run([[{ method: 'eavesdrops' }], [{ method: 'listens' }]])).rejects.toThrow('logits of this pass were not asked for');
	});

	it('is shown in sweeps as in runs', async () => {
		const plan = planRun(experiment({ arms: [{ stack: [{ method: 'listens' }] }], forced: FORCED }), lab.model, lab.loaded.tokenizer, lab.loaded.chat);
		const { ids } = plan.prompt;
		const read = await PromptRead.read(lab, plan, plan.arms[0].needs);
		const arm = await read.start(plan.arms[0].stack, 0);
		const said: Float32Array[] = [];
		await decodeRows(lab, ids, [arm], 3, (_row, _step, logits) => (said.push(logits), plan.forced![said.length - 1]));
		expect(heard[1]).toHaveLength(3);
		near(heard[1][0], Array.from(said[0]));
		expect(heard[1].slice(1)).toEqual(said.slice(1));
	});
});
