import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methods } from '$lib/methods/registry.ts';
import type { Lab } from './lab.ts';
import { experiment, inRuns, TEXT, tinyLab, tinySpec } from './testing.ts';

const IDS = [...methods.keys()];
let lab: Lab;
beforeAll(async () => {
	lab = await tinyLab('wasm');
});
afterAll(() => lab.dispose());

describe('a stack of two methods', () => {
	it.each(IDS)('of which the first is %s runs, is paid for, and stays within the prompt', async (first) => {
		// All pairs would be thousands of runs: a third of them read the prompt at once, another third in blocks.
		const partners = (shift: number) => IDS.filter((_, i) => (i + IDS.indexOf(first) + shift) % 3 === 0);
		for (const [block, seconds] of [[null, partners(0)], [40, partners(1)]] as const) for (const some of inRuns(seconds)) {
			const run = await lab.start(experiment({
				arms: some.map((second) => ({ label: second, stack: [tinySpec(first), tinySpec(second)] })), generate: { tokens: 3 }, prefill: { block }
			}));
			await run.advance();
			for (const arm of run.trace.arms) {
				const where = `${first} then ${arm.label}, block ${block}`;
				expect(arm.steps.every(({ kl, nll }) => Number.isFinite(kl) && Number.isFinite(nll)), where).toBe(true);
				for (const bill of [arm.billAfterPrompt, ...arm.steps.map((step) => step.bill)]) {
					expect(Object.values(bill.items).reduce((a, b) => a + b), where).toBe(bill.total);
					expect(bill.total, where).toBeGreaterThan(0);
				}
				for (const head of arm.kept.flat()) {
					expect(head.length, where).toBeGreaterThan(0);
					expect(head.every((position, i) => position >= 0 && position <= TEXT.length && (i === 0 || position > head[i - 1])), where).toBe(true);
				}
			}
			run.dispose();
		}
	});
});
