/** The point of the tool, as a count: who still knows a code with 23 % of the cache? */
import { expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { Lab } from '../src/lib/lab/lab.ts';
import { countNeedles } from '../bench/needle.ts';

it('SnapKV still knows the code where sinks and recent tokens do not', { timeout: 900_000 }, async () => {
	const lab = await Lab.load('nano', { backend: 'wasm', site: fileURLToPath(new URL('../static/', import.meta.url)) });
	// The window is the question; a pool of seven spans a code of four digits, one token each.
	const snapkv = 'snapkv:window=16:kernel=7';
	const counts = await countNeedles(lab, { seeds: 50, first: 3000, length: 550, fraction: 0.23, methods: [snapkv, 'streaming-llm'] });
	console.log(`needle at 550 tokens, 23 % of the cache, 50 seeds: full ${counts.full}, snapkv ${counts.right[snapkv]}, sinks + recent ${counts.right['streaming-llm']}`);
	expect(counts.full).toBeGreaterThanOrEqual(48);
	expect(counts.right[snapkv]).toBeGreaterThanOrEqual(44);
	expect(counts.right['streaming-llm']).toBeLessThanOrEqual(5);
	lab.dispose();
});
