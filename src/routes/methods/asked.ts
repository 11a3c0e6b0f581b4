/** What a method asks for at its defaults, as words. Starts it on a made-up model; only the prerenderer and tests import this. */
import type { ModelShape } from '$lib/documents/trace.ts';
import type { Method } from '$lib/methods/define.ts';
import { Requests } from '$lib/methods/requests.ts';
import { needsOf, readMethodSpec, startMethod } from '$lib/methods/start.ts';
import { random } from '$lib/numerics/random.ts';
import { words } from '$lib/ui/words/index.ts';

const TOKENS = 256;
/** Its numbers do not matter: what is asked for depends on the parameters. */
const MODEL: ModelShape = {
	id: 'none', name: 'none', layers: 6, heads: 8, kvHeads: 4, headDim: 32, hidden: 256, vocab: 3840, context: 1536, ropeTheta: 10_000, weights: 1
};

/** One line a thing that is asked for; none when the cache is enough. */
export function askedOf(method: Method): string[] {
	const w = words.methods.needs;
	const spec = readMethodSpec({ method: method.id });
	const needs = needsOf(spec);
	const requests = new Requests();
	startMethod(spec, {
		model: MODEL, requests, random: random(1), promptTokens: TOKENS,
		text: { ids: new Array<number>(TOKENS).fill(0), encode: (text) => Array.from(text, () => 0), embedding: () => new Float32Array(MODEL.hidden) }
	});
	return [
		needs.queries === 'all' ? w.queriesAll : needs.queries ? w.queriesLast(needs.queries.last) : null,
		...(['attentionSums', 'keysBefore', 'queriesBefore', 'stepAttention', 'stepQuery', 'nextLogits'] as const).map((flag) => (needs[flag] ? w[flag] : null)),
		requests.weights.size ? w.weights([...requests.weights]) : null,
		requests.shipped.size ? w.shipped([...requests.shipped.keys()]) : null,
		requests.readings.size ? w.readings(requests.readings.size) : null
	].filter((line) => line !== null);
}
