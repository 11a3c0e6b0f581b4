/** Heads that are measured to retrieve do: without the answer on these alone it is lost, on as many others it is not. */
import { expect, it, vi } from 'vitest';
import { fileURLToPath } from 'node:url';
import { headType, massesIn } from '$lib/documents/head-types.ts';
import { parseExperiment } from '$lib/documents/schema.ts';
import { Lab } from '$lib/lab/lab.ts';
import { random } from '$lib/numerics/random.ts';

/** What an arm drops: positions, on the KV heads of its set. */
const drop = vi.hoisted(() => ({ positions: new Set<number>(), sets: [] as { layer: number; head: number }[][] }));

vi.mock('$lib/methods/registry.ts', async (original) => {
	const real = await original<typeof import('$lib/methods/registry.ts')>();
	const { defineMethod } = await import('$lib/methods/define.ts');
	const { default: other } = await import('$lib/methods/testing/fixture/eviction/every-other.ts');
	const method = defineMethod({
		...other, id: 'drop-on-heads',
		params: { set: { kind: 'int', default: 0, min: 0, max: 99, about: 'Which heads' } },
		start: (_context, { set }) => ({
			prefilled(layer) {
				for (const { head } of drop.sets[set as number].filter((place) => place.layer === layer.layer)) {
					layer.keep(head, Array.from(layer.positions(head)).flatMap((position, slot) => (drop.positions.has(position) ? [] : [slot])));
				}
			}
		})
	});
	return { ...real, methods: new Map([...real.methods, [method.id, method]]) };
});

it('retrieval heads carry the answer', { timeout: 600_000 }, async () => {
	const lab = await Lab.load('nano', { backend: 'wasm', site: fileURLToPath(new URL('../static/', import.meta.url)) });
	const { layers, heads, kvHeads } = lab.model;
	const rng = random('as many others');
	const OTHERS = 6;
	let harm = 0;
	const others = new Array<number>(OTHERS).fill(0);
	const right = { retrieval: 0, others: 0 };
	const seeds = [5000, 5001, 5002, 5003, 5004, 5005];
	for (const seed of seeds) {
		const base = { version: 1, model: 'nano', prompt: { task: 'needle', seed, length: 400 }, generate: { tokens: 6 } };
		const looking = await lab.start(parseExperiment({ ...base, arms: [] }, { unknown: 'error' }).experiment, { record: true });
		await looking.advance();
		const { prompt, reference } = looking.trace;
		const probe = (await looking.probe({ kind: 'types' }))!;
		looking.dispose();
		expect(reference.task?.correct).toBe(true);
		expect(probe.copies).toBeGreaterThan(0);

		const places = Array.from({ length: layers * kvHeads }, (_, i) => ({ layer: Math.floor(i / kvHeads), head: i % kvHeads }));
		const group = heads / kvHeads;
		const retrieves = ({ layer, head }: { layer: number; head: number }) => Array.from({ length: group }, (_, g) => head * group + g)
			.some((queryHead) => headType(massesIn(probe, lab.model, layer, queryHead)) === 'retrieval');
		const found = places.filter(retrieves);
		const rest = places.filter((place) => !retrieves(place));
		expect(found.length).toBeGreaterThan(0);
		expect(found.length).toBeLessThan(places.length / 2);
		drop.positions = new Set(prompt.needles.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)));
		drop.sets = [found, ...Array.from({ length: OTHERS }, () => rng.sample(rest, found.length))];
		const arms = drop.sets.map((_, set) => ({ stack: [{ method: 'drop-on-heads', params: { set } }] }));
		const run = await lab.start(parseExperiment({ ...base, arms }, { unknown: 'error' }).experiment);
		await run.advance();
		const kl = run.trace.arms.map(({ steps }) => steps[0].kl / seeds.length);
		harm += kl[0];
		others.forEach((_, i) => (others[i] += kl[1 + i]));
		right.retrieval += Number(run.trace.arms[0].task?.correct);
		right.others += run.trace.arms.slice(1).filter(({ task }) => task?.correct).length;
		run.dispose();
	}
	console.log(`without the answer, KL at the first step: on the retrieval heads ${harm.toFixed(3)} nats, on as many others ${others.map((x) => x.toFixed(3)).join(' ')}; right answers ${right.retrieval} of ${seeds.length} and ${right.others} of ${seeds.length * OTHERS}`);
	expect(right.retrieval).toBeLessThan(seeds.length / 2);
	expect(right.others).toBeGreaterThan(0.8 * seeds.length * OTHERS);
	for (const other of others) expect(harm).toBeGreaterThan(5 * other);
	lab.dispose();
});
