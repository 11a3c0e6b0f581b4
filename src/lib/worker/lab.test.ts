import { expose } from 'comlink';
import { expect, it } from 'vitest';
import { Lab } from '$lib/lab/lab.ts';
import { experiment, tinyLab } from '$lib/lab/testing.ts';
import { LabClient } from './client.ts';
import { makeService } from './service.ts';

it('a page holds the same trace and probes as the lab in the other thread', async () => {
	const { port1, port2 } = new MessageChannel();
	const load: typeof Lab.load = () => tinyLab('wasm');
	expose(makeService(load), port1 as never);
	port1.start();
	port2.start();
	const client = new LabClient({ connect: () => ({ endpoint: port2 as never, terminate() {}, onCrash() {} }) });
	const document = experiment({
		arms: [{ stack: [{ method: 'snapkv', params: { window: 8 } }] }, { stack: [{ method: 'h2o' }, { method: 'kivi', params: { group: 16, residual: 16 } }] }],
		generate: { tokens: 6 }
	});
	await client.load('tiny');
	await client.start(document);
	await client.advance(4);
	expect(await client.advance(100)).toBe(true);

	const lab = await tinyLab('wasm');
	const run = await lab.start(document, { record: true });
	await run.advance();
	const timeless = (trace: typeof run.trace) => ({ ...trace, timings: null });
	expect(timeless(client.trace)).toEqual({ ...timeless(run.trace), model: { ...run.trace.model, id: 'tiny' } });
	for (const request of [
		{ kind: 'attention', arm: 1, layer: 1, queryHead: 2 }, { kind: 'heads', arm: 0, step: 5 },
		{ kind: 'matrix', arm: 1, layer: 0, head: 1, which: 'K', rope: 'before' }, { kind: 'spectrum', arm: 0, layer: 1, head: 0 }
	] as const) {
		const there = await client.probe(request);
		expect(there).toEqual(await run.probe(request));
		// What was sent away is still there to be sent again.
		expect(await client.probe(request)).toEqual(there);
	}
	expect({ ...(await client.result()), timings: null }).toEqual({ ...run.result(), timings: null });
	await expect(client.probe({ kind: 'spectrum', arm: 7, layer: 0, head: 0 })).rejects.toThrow('there is no arm 7');
	run.dispose();
	lab.dispose();
	client.dispose();
	port1.close();
	port2.close();
});
