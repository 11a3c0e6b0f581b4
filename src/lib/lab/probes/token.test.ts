import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Lab } from '../lab.ts';
import type { Run } from '../run.ts';
import { experiment, TEXT, tinyLab } from '../testing.ts';

const N = TEXT.length + 1;
const STEPS = 4;

let lab: Lab;
let run: Run;
beforeAll(async () => {
	lab = await tinyLab('wasm');
	run = await lab.start(experiment({ arms: [{ stack: [{ method: 'snapkv', params: { budget: { fraction: 0.3 }, window: 8 } }] }], generate: { tokens: STEPS } }), { record: true });
	await run.advance();
});
afterAll(() => {
	run.dispose();
	lab.dispose();
});

it('says of one token what the attention of each head says of all', async () => {
	const { layers, heads } = lab.model;
	for (const position of [0, 5, 40, N - 1, N + 1]) {
		const probe = (await run.probe({ kind: 'token', arm: 0, position }))!;
		expect([probe.steps, probe.full.length, probe.arm.length]).toEqual([STEPS, layers * heads * STEPS, layers * heads * STEPS]);
		for (let layer = 0; layer < layers; layer++) {
			for (let queryHead = 0; queryHead < heads; queryHead++) {
				const all = (await run.probe({ kind: 'attention', arm: 0, layer, queryHead }))!;
				for (let step = 0; step < STEPS; step++) {
					const at = (layer * heads + queryHead) * STEPS + step;
					expect(probe.full[at]).toBeCloseTo(all.full[step * all.positions + position], 6);
					expect(probe.arm[at]).toBe(all.arm[step * all.positions + position]);
				}
			}
		}
	}
});

it('has nothing for a token that is not written yet, in any step before it was', async () => {
	const probe = (await run.probe({ kind: 'token', arm: 0, position: N }))!;
	expect(probe.full[0]).toBe(0);
	expect(probe.full[1]).toBeGreaterThan(0);
	await expect(run.probe({ kind: 'token', arm: 0, position: N + STEPS - 1 })).rejects.toThrow(RangeError);
});
